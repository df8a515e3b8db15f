"""The engines that carry out a plan, by name."""

from __future__ import annotations

import difflib
import importlib
from typing import Any

from amaas_kit.errors import EngineError
from amaas_kit.partition.engines.protocol import Engine

__all__ = ["ENGINES", "Engine", "engine"]

ENGINES = {"local": "Local", "spark": "Spark", "flink": "Flink", "hadoop": "Hadoop"}
"""The engines by name, each a class in the module of that name."""


def engine(name: str = "local", **settings: Any) -> Engine:
    """An engine by name; it starts what it needs with its first run.

    Args:
        name: "local", "spark", "flink" or "hadoop".
        settings: of the engine, such as `master="spark://host:7077"`; see its class.

    Raises:
        EngineError: there is no engine of this name, or none of its settings is called so.

    Taught in: notebooks/06_distributed_engines.
    """
    if name not in ENGINES:
        like = difflib.get_close_matches(str(name), ENGINES, n=1)
        raise EngineError(
            situation="While choosing an engine",
            seen=f"the name {name!r}",
            wrong="there is no engine of this name"
            + (f"; did you mean {like[0]!r}?" if like else ""),
            fix=f"pass one of {', '.join(ENGINES)}",
        )
    kind = getattr(importlib.import_module(f"amaas_kit.partition.engines.{name}"), ENGINES[name])
    try:
        made: Engine = kind(**settings)
    except TypeError as error:
        raise EngineError(
            situation=f"While choosing the engine {name!r}",
            seen=", ".join(f"{key}={value!r}" for key, value in settings.items()),
            wrong=str(error),
            fix=f"look at help(amaas_kit.partition.engines.{name}.{ENGINES[name]})",
        ) from None
    return made
