"""Expressions of SQL, computed by a small Spark that is kept until this Python ends."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Sequence
from typing import Any, cast

from amaas_kit.errors import EngineError
from amaas_kit.partition import engine
from amaas_kit.partition.engines import java
from amaas_kit.partition.engines.spark_jvm import spark_jars
from amaas_kit.partition.engines.spark_session import Session

MASTER = "local[1]"
MEMORY = "512m"

Values = list[tuple[str | None, ...]]
"""A tuple a key, with what each expression gave, as text."""

_held = threading.Lock()
_session: Session | None = None


def lacking() -> str:
    """What is missing here to ask Spark, with the command that brings it; "" for nothing."""
    state = engine("spark").available()
    if state:
        return ""
    return (
        f"This check asks Spark itself, and {state.reason}. To bring it: `{state.command}`. "
        "The lesson goes on without it."
    )


def spark_values(expressions: Sequence[str], name: str, keys: Sequence[int | None]) -> Values:
    """What Spark gives for expressions of a column.

    Args:
        expressions: of SQL.
        name: of the column, BIGINT.
        keys: its values; None for NULL.

    Raises:
        EngineError: Spark refuses an expression, or failed; `seen` has Spark's own words.
    """
    shown = ", ".join(f"CAST((\n{text}\n) AS STRING)" for text in expressions)
    rows = ", ".join(f"({place}, {_literal(key)})" for place, key in enumerate(keys))
    query = (
        f"SELECT to_json(array(CAST({_PLACE} AS STRING), {shown}))\n"
        f"FROM VALUES {rows} AS given({_PLACE}, {name})"
    )
    session = _started()
    found = session.waited(lambda: _asked(session, query))
    table = [row for [row] in cast(list[Any], json.loads(found))]
    return [tuple(row[1:]) for row in sorted(table, key=lambda row: int(row[0]))]


def stop() -> None:
    """End the Spark that was kept; the next question starts another."""
    global _session
    with _held:
        session, _session = _session, None
        if session is not None:
            session.stop()


_PLACE = "place_of_the_key"


def _asked(session: Session, query: str) -> str:
    from py4j.protocol import Py4JJavaError  # type: ignore[import-untyped]

    try:
        return str(session.new().sql(query).collectAsList().toString())
    except Py4JJavaError as error:
        said = str(error.java_exception.getMessage()).strip().partition("\n")[0]
        raise EngineError(
            situation="While Spark computed an expression",
            seen=_OWN.sub("", _SETTING.sub("", said)),
            wrong="Spark refuses it",
            fix="change the expression",
        ) from None


_SETTING = re.compile(r" (If necessary set|SQLSTATE).*")
"""What Spark adds for those who may switch its checks off, and for programs."""

_OWN = re.compile(rf"(?:`given`\.)?`{_PLACE}`, |, (?:`given`\.)?`{_PLACE}`")
"""The column of the check itself, among those that Spark proposes."""


def _literal(key: int | None) -> str:
    return "CAST(NULL AS BIGINT)" if key is None else f"CAST('{key}' AS BIGINT)"


def _started() -> Session:
    """The session, started with the first question, and anew where its Java has ended."""
    global _session
    with _held:
        if _session is not None and not _session.usable:
            _session.stop()
            _session = None
        if _session is None:
            jars = spark_jars()
            if jars is None:
                raise EngineError("While asking Spark", lacking(), "it is not here", "install it")
            _session = Session(MASTER, False, MEMORY, None, java.find(), jars)
        return _session
