"""Flink's jars, and the Java process that holds them."""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from pathlib import Path

from amaas_kit.partition.engines.gateway import Gateway
from amaas_kit.partition.engines.java import jar_folder

OPENED = (
    "java.lang",
    "java.lang.reflect",
    "java.io",
    "java.net",
    "java.nio",
    "java.text",
    "java.time",
    "java.util",
    "java.util.concurrent",
    "java.util.concurrent.atomic",
    "java.util.concurrent.locks",
    "sun.nio.ch",
)
"""Packages of Java's own whose insides Flink uses."""

DIST = "flink-dist-"


def flink_folder() -> Path | None:
    """The folder of Flink's jars; None where they are not installed."""
    return jar_folder("pyflink", "lib", f"{DIST}*.jar")


def py4j_jar() -> str:
    """The file of py4j's Java half; empty where it is not installed."""
    if importlib.util.find_spec("py4j") is None:
        return ""
    from py4j.java_gateway import find_jar_path  # type: ignore[import-untyped]

    return str(find_jar_path())


def flink_version(folder: Path) -> str:
    """The version of the jars in a folder, such as "2.3.0"."""
    return next(folder.glob(f"{DIST}*.jar")).stem.removeprefix(DIST)


def java_options(heap: str) -> list[str]:
    """What Flink needs Java to be told, with a bound on its heap, such as "1g"."""
    opened = [part for name in OPENED for part in ("--add-opens", f"java.base/{name}=ALL-UNNAMED")]
    return [
        f"-Xmx{heap}",
        "-XX:MaxDirectMemorySize=256m",
        "-XX:+ExitOnOutOfMemoryError",
        "-Dorg.apache.logging.log4j.level=WARN",
        *opened,
    ]


def flink_gateway(java: Path, jars: Sequence[Path], heap: str) -> Gateway:
    """Java with Flink in it.

    Args:
        java: the program.
        jars: Flink's and the kit's.
        heap: such as "1g".

    Raises:
        EngineError: Java does not start.
    """
    return Gateway("Flink", java, java_options(heap), [py4j_jar(), *jars])
