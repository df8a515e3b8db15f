"""A Java process of an engine: its output in a log, its end with the process that started it."""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO, cast

from amaas_kit import files
from amaas_kit.errors import EngineError

STOP_SECONDS = 10.0
"""So long a process may take to end in order; then it is killed."""

KEPT_LOGS = 20
"""So many logs of earlier processes of an engine are kept."""


HEAP = re.compile(r"([1-9]\d*)([mg])", re.IGNORECASE)


def check_heap(engine: str, memory: object, least: int = 1) -> None:
    """Hold what was asked for as Java's heap against what Java and an engine take.

    Args:
        engine: its name.
        memory: such as "512m" or "2G".
        least: how many megabytes the engine needs.

    Raises:
        EngineError: it is no such size, or too small.
    """
    size = HEAP.fullmatch(memory) if isinstance(memory, str) else None
    if size is None or int(size[1]) * (1024 if size[2] in "gG" else 1) < least:
        raise EngineError(
            situation=f"While choosing the engine {engine!r}",
            seen=f"memory={memory!r}",
            wrong="Java's heap has a size in megabytes (m) or gigabytes (g)"
            + (f", from {least}m" if least > 1 else ""),
            fix='pass for example memory="512m" or memory="1g"',
        )


class JavaProcess:
    """A program that takes the end of its standard input for the end of its work.

    That also comes when this process is killed, so none is left behind. Ctrl-C in a terminal goes
    to this process alone, which then ends the other in order.

    Args:
        name: of the engine, with which its log begins.
        command: the program and its arguments.
        folder: where it works; left out, where this process does.
        environment: its variables; left out, those of this process.

    Attributes:
        log: the file that its errors go to; its output too, where `drain` is called.
        output: what it writes, as it comes.
    """

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        folder: Path | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self.log = _log_file(name)
        apart: dict[str, Any] = (
            {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP}  # type: ignore[attr-defined,unused-ignore]
            if os.name == "nt"
            else {"process_group": 0}
        )
        with self.log.open("ab") as file:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=file,
                cwd=folder,
                env=environment,
                **apart,
            )
        self.output = cast(BinaryIO, self._process.stdout)

    @property
    def running(self) -> bool:
        """Whether it is still there."""
        return self._process.poll() is None

    @property
    def status(self) -> int | None:
        """How it ended; None while it runs."""
        return self._process.poll()

    def tell(self, line: bytes) -> None:
        """Write to its standard input.

        Raises:
            OSError: it has ended.
        """
        pipe = cast(BinaryIO, self._process.stdin)
        pipe.write(line)
        pipe.flush()

    def wait(self) -> int:
        """How it ends, once it has."""
        return self._process.wait()

    def ended(self, seconds: float) -> bool:
        """Whether it ends within so many seconds."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(seconds)
        return not self.running

    def kill(self) -> None:
        """End it at once."""
        self._process.kill()

    def drain(self) -> None:
        """Write what it still says to its log, until it ends."""
        with contextlib.suppress(OSError, ValueError), self.log.open("ab", buffering=0) as file:
            for line in self.output:
                file.write(line)

    def end(self) -> None:
        """End it in order, or at once where it does not. Calling it again does nothing."""
        with contextlib.suppress(OSError):
            cast(BinaryIO, self._process.stdin).close()
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def last_error(log: Path) -> str:
    """The last line of a log that says what went wrong; the last line of all where none does."""
    lines = log.read_text(encoding="utf-8", errors="replace").strip().splitlines() or [""]
    telling = [line for line in lines if line.startswith("Caused by: ") or " ERROR " in line]
    return (telling or lines)[-1].removeprefix("Caused by: ").strip()[:300]


def _log_file(name: str) -> Path:
    """A new file; the oldest of earlier ones give way."""
    folder = files.home() / "logs"
    folder.mkdir(exist_ok=True)
    for earlier in sorted(folder.glob(f"{name}-*.log"))[:-KEPT_LOGS]:
        earlier.unlink(missing_ok=True)
    stamp = time.strftime("%Y%m%d-%H%M%S", time.gmtime())
    file = folder / f"{name}-{stamp}-{secrets.token_hex(4)}.log"
    file.touch()
    return file
