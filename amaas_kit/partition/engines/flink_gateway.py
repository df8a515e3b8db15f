"""A Java process that holds Flink, driven from Python; it ends with the process that started it."""

from __future__ import annotations

import contextlib
import importlib.util
import logging
import os
import secrets
import subprocess
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import Any, BinaryIO, TypeVar, cast

from amaas_kit import files
from amaas_kit.errors import EngineError

Answer = TypeVar("Answer")

START_SECONDS = 60.0
"""So long Java may take to open its gateway."""

STOP_SECONDS = 10.0
"""So long it may take to end in order; then it is killed."""

KEPT_LOGS = 20

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
    try:
        found = importlib.util.find_spec("pyflink")
    except ValueError:
        return None
    for place in (found.submodule_search_locations or []) if found else []:
        folder = Path(place) / "lib"
        if any(folder.glob(f"{DIST}*.jar")):
            return folder
    return None


def _connected(port: int, token: str) -> Any:
    """py4j, connected; what it logs of a Java that is gone goes to its own logger, not to all."""
    from py4j import java_gateway  # type: ignore[import-untyped]

    java_gateway.logging = java_gateway.logger
    java_gateway.logger.addHandler(logging.NullHandler())
    parameters = java_gateway.GatewayParameters(
        port=port, auth_token=token, auto_convert=True, enable_memory_management=False
    )
    return java_gateway.JavaGateway(gateway_parameters=parameters)


def _answer(question: Callable[[], Answer], answer: Future[Answer]) -> None:
    try:
        answer.set_result(question())
    except Exception as error:
        answer.set_exception(error)


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


class Gateway:
    """Java with Flink in it. It ends with `stop`, or with this process, however that ends.

    Attributes:
        jvm: its packages, as attributes: `gateway.jvm.java.lang.System`.
        log: the file that its output goes to.

    Raises:
        EngineError: Java does not start.
    """

    def __init__(self, java: Path, jars: Sequence[Path], heap: str) -> None:
        self.log = _log_file()
        self._process = _start(_command(java, jars, heap), self.log)
        try:
            self._gateway = _connected(*self._port_and_token())
        except BaseException:
            self._end()
            raise
        self.jvm: Any = self._gateway.jvm

    @property
    def running(self) -> bool:
        """Whether its process is still there."""
        return self._process.poll() is None

    @property
    def exit_status(self) -> int | None:
        """How its process ended; None while it runs."""
        return self._process.poll()

    def ask(self, question: Callable[[], Answer]) -> Answer:
        """Let a thread ask Java: py4j itself loses its way when a Ctrl-C comes into a question."""
        answer: Future[Answer] = Future()
        threading.Thread(target=_answer, args=(question, answer), daemon=True).start()
        while True:
            with contextlib.suppress(TimeoutError):
                return answer.result(timeout=0.2)  # in pieces, or Windows hears no Ctrl-C

    def ended(self, seconds: float) -> bool:
        """Whether its process ends within so many seconds."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(seconds)
        return not self.running

    def stop(self) -> None:
        """End it. Calling it again does nothing."""
        self._gateway.close()
        self._end()

    def _port_and_token(self) -> tuple[int, str]:
        limit = threading.Timer(START_SECONDS, self._process.kill)
        limit.start()
        output = cast(BinaryIO, self._process.stdout)
        try:
            return int(output.readline()), output.readline().decode().strip()
        except ValueError:
            raise EngineError(
                situation="While starting Java for Flink",
                seen=f"it ended with status {self._process.wait()}; its output is in {self.log}",
                wrong="without it there is no Flink",
                fix="read the output; a smaller memory=… may be what this machine can give",
            ) from None
        finally:
            limit.cancel()
            threading.Thread(target=_drain, args=(output, self.log), daemon=True).start()

    def _end(self) -> None:
        """Its standard input ends, which it takes for the end of the process that started it."""
        with contextlib.suppress(OSError):
            cast(BinaryIO, self._process.stdin).close()
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def _log_file() -> Path:
    """A new file; the oldest of earlier ones give way."""
    folder = files.home() / "logs"
    folder.mkdir(exist_ok=True)
    for earlier in sorted(folder.glob("flink-*.log"))[:-KEPT_LOGS]:
        earlier.unlink(missing_ok=True)
    stamp = time.strftime("%Y%m%d-%H%M%S", time.gmtime())
    file = folder / f"flink-{stamp}-{secrets.token_hex(4)}.log"
    file.touch()
    return file


def _command(java: Path, jars: Sequence[Path], heap: str) -> list[str]:
    path = os.pathsep.join([py4j_jar(), *map(str, jars)])
    server = ["py4j.GatewayServer", "--die-on-broken-pipe", "--enable-auth", "0"]
    return [str(java), *java_options(heap), "-cp", path, *server]


def _start(command: Sequence[str], log: Path) -> subprocess.Popen[bytes]:
    """Ctrl-C in a terminal goes to this process alone, which then cancels the job in order."""
    apart: dict[str, Any] = (
        {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP}  # type: ignore[attr-defined,unused-ignore]
        if os.name == "nt"
        else {"process_group": 0}
    )
    with log.open("ab") as file:
        return subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=file, **apart
        )


def _drain(output: BinaryIO, log: Path) -> None:
    with contextlib.suppress(OSError, ValueError), log.open("ab", buffering=0) as file:
        for line in output:
            file.write(line)
