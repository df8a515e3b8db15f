"""The Java process in which Spark runs, driven from Python; it ends with the process that asked.

It is the kit's own: a session of pyspark that this Python has is another, and stays as it is.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

from amaas_kit.partition.engines.gateway import Gateway
from amaas_kit.partition.engines.java import jar_folder

OPENED = (
    "java.lang",
    "java.lang.invoke",
    "java.lang.reflect",
    "java.io",
    "java.net",
    "java.nio",
    "java.util",
    "java.util.concurrent",
    "java.util.concurrent.atomic",
    "jdk.internal.ref",
    "sun.nio.ch",
    "sun.nio.cs",
    "sun.security.action",
    "sun.util.calendar",
)
"""Packages of Java's own whose insides Spark uses."""

OUTSIDE = ("SPARK_", "_SPARK_", "PYSPARK_", "HADOOP_", "YARN_")
"""Settings of another Spark on this machine begin so; the kit's does not take them over."""

OWN_ADDRESS = "SPARK_LOCAL_IP"
"""By this one a machine with several addresses says which of them a cluster can reach."""


def spark_jars() -> Path | None:
    """The folder of Spark's jars; None where pyspark is not installed."""
    return jar_folder("pyspark", "jars", "spark-core_*.jar")


def java_options(memory: str) -> list[str]:
    """What Spark needs Java to be told, with a bound on its heap, such as "1g"."""
    return [
        f"-Xmx{memory}",
        "-XX:+IgnoreUnrecognizedVMOptions",
        "-XX:+ExitOnOutOfMemoryError",
        "-Dio.netty.tryReflectionSetAccessible=true",
        "--enable-native-access=ALL-UNNAMED",
        "--sun-misc-unsafe-memory-access=allow",
        *(f"--add-opens=java.base/{name}=ALL-UNNAMED" for name in OPENED),
    ]


class SparkJvm(Gateway):
    """Java with Spark's jars. It ends with `stop`, or with this process, however that ends.

    Args:
        java: the program.
        jars: the folder with Spark's.
        memory: of its heap.
        address: at which others can reach it; None leaves it to Spark and to `SPARK_LOCAL_IP`.

    Attributes:
        scratch: a folder for Spark's own files, removed with the process.

    Raises:
        EngineError: Java does not start.
    """

    def __init__(self, java: Path, jars: Path, memory: str, address: str | None) -> None:
        self.scratch = Path(tempfile.mkdtemp(prefix="amaas-spark-"))
        options = [*java_options(memory), f"-Djava.io.tmpdir={self.scratch}"]
        super().__init__("Spark", java, options, [jars / "*"], self.scratch, _environment(address))
        self._remove_scratch_at_exit()

    def end(self) -> None:
        """End it in order, or at once where it does not, and remove its folder."""
        super().end()
        shutil.rmtree(self.scratch, ignore_errors=True)

    def _remove_scratch_at_exit(self) -> None:
        """Java removes the folder in the end, also where this process was killed before it."""
        hadoop = self.jvm.org.apache.hadoop
        system = hadoop.fs.FileSystem.getLocal(hadoop.conf.Configuration())
        system.deleteOnExit(hadoop.fs.Path(f"file:{self.scratch.as_posix()}"))


def _environment(address: str | None) -> dict[str, str]:
    environment = {
        name: value
        for name, value in os.environ.items()
        if name == OWN_ADDRESS or not name.startswith(OUTSIDE)
    }
    return environment if address is None else {**environment, OWN_ADDRESS: address}
