"""The Java process in which Spark runs, driven from Python; it ends with the process that asked.

It is the kit's own: a session of pyspark that this Python has is another, and stays as it is.
"""

from __future__ import annotations

import contextlib
import importlib.util
import logging
import os
import secrets
import shutil
import subprocess
import tempfile
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, BinaryIO, cast

from amaas_kit import files
from amaas_kit.errors import EngineError

START_SECONDS = 60.0
"""So long Java may take to open its gateway."""

STOP_SECONDS = 10.0
"""So long it may take to end in order; then it is killed."""

KEPT_LOGS = 20
"""So many logs of earlier processes are kept."""

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
    try:
        found = importlib.util.find_spec("pyspark")
    except ValueError:
        return None
    for place in (found.submodule_search_locations or []) if found else []:
        if any((Path(place) / "jars").glob("spark-core_*.jar")):
            return Path(place) / "jars"
    return None


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


class SparkJvm:
    """Java with Spark's jars. It ends with `stop`, or with this process, however that ends.

    Args:
        java: the program.
        jars: the folder with Spark's.
        memory: of its heap.
        address: at which others can reach it; None leaves it to Spark and to `SPARK_LOCAL_IP`.

    Attributes:
        gateway: py4j's; `gateway.jvm.java.lang.System` is that class.
        log: the file that all its output goes to.
        scratch: a folder for Spark's own files, removed with the process.

    Raises:
        EngineError: Java does not start.
    """

    def __init__(self, java: Path, jars: Path, memory: str, address: str | None) -> None:
        from py4j.java_gateway import GatewayParameters, JavaGateway  # type: ignore

        self.log = _log_file()
        self.scratch = Path(tempfile.mkdtemp(prefix="amaas-spark-"))
        self._process = _start(
            _command(java, jars, memory, self.scratch), self.scratch, self.log, address
        )
        try:
            port, token = self._port_and_token()
            self.gateway = JavaGateway(
                gateway_parameters=GatewayParameters(
                    port=port,
                    auth_token=token,
                    auto_convert=True,
                    enable_memory_management=False,
                )
            )
            logging.getLogger("py4j.java_gateway").addFilter(
                lambda record: f":{port})" not in record.getMessage()  # raised, so told already
            )
            self._remove_scratch_at_exit()
        except BaseException:
            self._end()
            raise

    @property
    def running(self) -> bool:
        """Whether its process is still there."""
        return self._process.poll() is None

    def ended(self, seconds: float) -> bool:
        """Whether its process ends within some seconds."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(seconds)
        return not self.running

    @property
    def status(self) -> int | None:
        """How its process ended; None while it runs."""
        return self._process.poll()

    def stop(self) -> None:
        """End it. Calling it again does nothing."""
        self.gateway.close()
        self._end()

    def kill(self) -> None:
        """End it at once, where it may not answer any more."""
        self._process.kill()
        self.stop()

    def _port_and_token(self) -> tuple[int, str]:
        limit = threading.Timer(START_SECONDS, self._process.kill)
        limit.start()
        output = cast(BinaryIO, self._process.stdout)
        try:
            return int(output.readline()), output.readline().decode().strip()
        except ValueError:
            raise EngineError(
                situation="While starting Java for Spark",
                seen=f"it ended with status {self._process.wait()}: {last_error(self.log)}",
                wrong="without it there is no Spark",
                fix=f"read its output, {self.log}; a smaller memory=… may be what this machine "
                "can give",
            ) from None
        finally:
            limit.cancel()
            threading.Thread(target=_drain, args=(output, self.log), daemon=True).start()

    def _remove_scratch_at_exit(self) -> None:
        """Java removes the folder in the end, also where this process was killed before it."""
        hadoop = self.gateway.jvm.org.apache.hadoop
        system = hadoop.fs.FileSystem.getLocal(hadoop.conf.Configuration())
        system.deleteOnExit(hadoop.fs.Path(f"file:{self.scratch.as_posix()}"))

    def _end(self) -> None:
        """Its standard input ends, which it takes for the end of the process that started it."""
        with contextlib.suppress(OSError):
            cast(BinaryIO, self._process.stdin).close()
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        shutil.rmtree(self.scratch, ignore_errors=True)


def last_error(log: Path) -> str:
    """The last line of a log that says what went wrong; the last line of all where none does."""
    lines = log.read_text(encoding="utf-8", errors="replace").strip().splitlines() or [""]
    telling = [line for line in lines if line.startswith("Caused by: ") or " ERROR " in line]
    return (telling or lines)[-1].removeprefix("Caused by: ").strip()[:300]


def _log_file() -> Path:
    """A new file; the oldest of earlier ones give way."""
    folder = files.home() / "logs"
    folder.mkdir(exist_ok=True)
    earlier = sorted(folder.glob("spark-*.log"), key=lambda path: path.name)
    for path in earlier[:-KEPT_LOGS]:
        path.unlink(missing_ok=True)
    stamp = time.strftime("%Y%m%d-%H%M%S", time.gmtime())
    file = folder / f"spark-{stamp}-{secrets.token_hex(4)}.log"
    file.touch()
    return file


def _command(java: Path, jars: Path, memory: str, scratch: Path) -> list[str]:
    server = ["py4j.GatewayServer", "--die-on-broken-pipe", "--enable-auth", "0"]
    options = [*java_options(memory), f"-Djava.io.tmpdir={scratch}"]
    return [str(java), *options, "-cp", f"{jars}{os.sep}*", *server]


def _start(
    command: Sequence[str], folder: Path, log: Path, address: str | None
) -> subprocess.Popen[bytes]:
    """Ctrl-C in a terminal goes to this process alone, which then cancels the job in order."""
    apart: dict[str, Any] = (
        {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP}  # type: ignore[attr-defined,unused-ignore]
        if os.name == "nt"
        else {"process_group": 0}
    )
    environment = {
        name: value
        for name, value in os.environ.items()
        if name == OWN_ADDRESS or not name.startswith(OUTSIDE)
    }
    if address is not None:
        environment[OWN_ADDRESS] = address
    with log.open("ab") as file:
        return subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=file,
            cwd=folder,
            env=environment,
            **apart,
        )


def _drain(output: BinaryIO, log: Path) -> None:
    with contextlib.suppress(OSError, ValueError), log.open("ab", buffering=0) as file:
        for line in output:
            file.write(line)
