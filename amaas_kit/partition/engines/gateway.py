"""Java that Python drives through py4j: on this machine alone, and for who knows its token."""

from __future__ import annotations

import contextlib
import logging
import os
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import Any, TypeVar

from amaas_kit.errors import EngineError
from amaas_kit.partition.engines.process import JavaProcess, last_error

START_SECONDS = 60.0
"""So long Java may take to open its gateway."""

SERVER = ("py4j.GatewayServer", "--die-on-broken-pipe", "--enable-auth", "0")

Answer = TypeVar("Answer")


class Gateway(JavaProcess):
    """A Java process whose classes are at hand. It ends with this process, however that ends.

    Args:
        name: of the engine, as in "Flink".
        java: the program.
        options: for Java.
        class_path: jars; all of a folder's are written `folder/*`. py4j's is among them.
        folder: where it works.
        environment: its variables; left out, those of this process.

    Attributes:
        gateway: py4j's.
        jvm: its packages, as attributes: `jvm.java.lang.System` is that class.

    Raises:
        EngineError: Java does not start.
    """

    def __init__(
        self,
        name: str,
        java: Path,
        options: Sequence[str],
        class_path: Sequence[Path | str],
        folder: Path | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        path = os.pathsep.join(str(jar) for jar in class_path)
        command = [str(java), *options, "-cp", path, *SERVER]
        super().__init__(name.lower(), command, folder, environment)
        try:
            self.gateway = _connected(*self._port_and_token(name))
        except BaseException:
            self.end()
            raise
        self.jvm: Any = self.gateway.jvm

    def ask(self, question: Callable[[], Answer]) -> Answer:
        """Let a thread ask Java: py4j itself loses its way when a Ctrl-C comes into a question."""
        answer: Future[Answer] = Future()
        threading.Thread(target=_answer, args=(question, answer), daemon=True).start()
        while True:
            with contextlib.suppress(TimeoutError):
                return answer.result(timeout=0.2)  # in pieces, or Windows hears no Ctrl-C

    def stop(self) -> None:
        """End it. Calling it again does nothing."""
        self.gateway.close()
        self.end()

    def _port_and_token(self, name: str) -> tuple[int, str]:
        limit = threading.Timer(START_SECONDS, self.kill)
        limit.start()
        try:
            return int(self.output.readline()), self.output.readline().decode().strip()
        except ValueError:
            raise EngineError(
                situation=f"While starting Java for {name}",
                seen=f"it ended with status {self.wait()}: {last_error(self.log)}",
                wrong=f"without it there is no {name}",
                fix=f"read its output, {self.log}; a smaller memory=… may be what this machine "
                "can give",
            ) from None
        finally:
            limit.cancel()
            threading.Thread(target=self.drain, daemon=True).start()


def _connected(port: int, token: str) -> Any:
    """py4j, connected; what it logs of a Java that is gone goes to its own logger, not to all."""
    from py4j import java_gateway  # type: ignore[import-untyped]

    java_gateway.logging = java_gateway.logger
    java_gateway.logger.addHandler(logging.NullHandler())
    parameters = java_gateway.GatewayParameters(
        port=port, auth_token=token, auto_convert=True, enable_memory_management=False
    )
    gateway = java_gateway.JavaGateway(gateway_parameters=parameters)
    java_gateway.logger.addFilter(
        lambda record: f":{port})" not in record.getMessage()  # raised, so told already
    )
    return gateway


def _answer(question: Callable[[], Answer], answer: Future[Answer]) -> None:
    try:
        answer.set_result(question())
    except Exception as error:
        answer.set_exception(error)
