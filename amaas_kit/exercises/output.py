"""What a thread prints, caught by thread, so that others keep the screen to themselves."""

from __future__ import annotations

import builtins
import contextlib
import sys
import threading
from collections.abc import Iterable, Iterator
from typing import Any

LONGEST = 10_000
"""So many characters are kept of what an answer prints; an endless loop prints without end."""

_guard = threading.RLock()
_users = 0
_before: tuple[Any, Any] = (sys.stdout, sys.stderr)
"""What stdout and stderr were when the block that runs was entered, without any route."""

_lingering: list[threading.Thread] = []


class Sink:
    """Keeps the first characters that are written to it, and drops the rest."""

    def __init__(self) -> None:
        self.text = ""

    def write(self, text: str) -> int:
        """Take in a text as a file does."""
        self.text += text[: max(0, LONGEST - len(self.text))]
        return len(text)


class CaughtThread(threading.Thread):
    """A daemon thread whose output goes to its sinks while output is `routed`."""

    def __init__(self) -> None:
        super().__init__(daemon=True, name="an answer that is being checked")
        self.printed = Sink()
        self.complained = Sink()


class AskedForInput(Exception):  # noqa: N818 - what happened, not an error of the kit
    """The answer called input(), which nobody is there to answer."""


class _Route:
    """Stands in for stdout or stderr: caught threads write to their sink, all others go through."""

    def __init__(self, real: Any, sink: str) -> None:
        self.real = real
        self.sink = sink

    def write(self, text: str) -> int:
        sink = getattr(threading.current_thread(), self.sink, None)
        written: int = (self.real if sink is None else sink).write(text)
        return written

    def writelines(self, lines: Iterable[str]) -> None:
        for line in lines:
            self.write(line)

    def flush(self) -> None:
        if getattr(threading.current_thread(), self.sink, None) is None:
            self.real.flush()

    def __getattr__(self, name: str) -> Any:
        return getattr(self.real, name)


_routes: list[_Route] = []
"""Every route that was ever laid. `print` in one thread uses sys.stdout without holding it, so that
Python crashes where another thread puts something else there and the old object goes."""


@contextlib.contextmanager
def routed() -> Iterator[None]:
    """Catch what caught threads print, and refuse their input(), while the block runs.

    Afterwards stdout, stderr and input are as they were, unless a thread that was left to itself
    (`leave`) still runs: then its output stays caught until a later block finds it ended.
    """
    global _users, _before
    with _guard:
        if not _users:
            _before = _real(sys.stdout), _real(sys.stderr)
        _users += 1
        _install()
    try:
        yield
    finally:
        with _guard:
            _users -= 1
            _lingering[:] = [thread for thread in _lingering if thread.is_alive()]
            if not _users:
                _put_back()


def leave(thread: threading.Thread) -> None:
    """Keep the output of a thread that would not end away from the screen."""
    with _guard:
        _lingering.append(thread)


def _real(stream: Any) -> Any:
    return stream.real if isinstance(stream, _Route) else stream


def _install() -> None:
    sys.stdout = _route_to(sys.stdout, "printed")
    sys.stderr = _route_to(sys.stderr, "complained")
    if not isinstance(builtins.input, _Ask):
        builtins.input = _Ask(builtins.input)


def _route_to(real: Any, sink: str) -> Any:
    if isinstance(real, _Route):
        return real
    for route in _routes:
        if route.real is real and route.sink == sink:
            return route
    _routes.append(_Route(real, sink))
    return _routes[-1]


def _put_back() -> None:
    """Restore what was there, even where an answer put something else in its place."""
    sys.stdout, sys.stderr = _before
    if _lingering:
        _install()
    elif isinstance(builtins.input, _Ask):
        builtins.input = builtins.input.real


class _Ask:
    """Stands in for input(): a caught thread is refused, all others are asked."""

    def __init__(self, real: Any) -> None:
        self.real = real

    def __call__(self, *prompt: Any) -> Any:
        if isinstance(threading.current_thread(), CaughtThread):
            raise AskedForInput
        return self.real(*prompt)
