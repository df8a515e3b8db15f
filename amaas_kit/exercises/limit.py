"""A time limit that works in a notebook on every system: the work runs in a thread of its own."""

from __future__ import annotations

import contextvars
import ctypes
import time
from collections.abc import Callable

from amaas_kit.exercises import output

GRACE_SECONDS = 1.0
"""So long work that is out of time is asked to end, before it is left to itself."""

_LOOK_SECONDS = 0.05
"""So often a waiting caller looks up, so that Ctrl-C gets through on Windows too."""


class OutOfTime(SystemExit):
    """Raised inside work that took too long. A thread that ends by a SystemExit ends silently."""


class Worker(output.CaughtThread):
    """Work in a thread of its own, which can be asked to end.

    Attributes:
        finished: the work ran to its end.
        printed: a sink with what it printed.
    """

    def __init__(self, work: Callable[[], object]) -> None:
        super().__init__()
        self._work = work
        self._context = contextvars.copy_context()
        self.finished = False

    def run(self) -> None:
        """Do the work, in the context of the caller: what it displays appears in their cell."""
        self._context.run(self._work)
        self.finished = True

    def wait(self, seconds: float) -> bool:
        """Wait for the end; False when it did not come in time. Ctrl-C gets through."""
        deadline = time.monotonic() + seconds
        while self.is_alive() and time.monotonic() < deadline:
            self.join(min(_LOOK_SECONDS, max(0.0, deadline - time.monotonic())))
        return not self.is_alive()

    def end(self, seconds: float = GRACE_SECONDS) -> bool:
        """Raise `OutOfTime` in the work until it ends; False when it does not.

        Work that swallows the exception, or waits inside a call to C code, may run on.
        """
        deadline = time.monotonic() + seconds
        while self.is_alive() and time.monotonic() < deadline:
            ctypes.pythonapi.PyThreadState_SetAsyncExc(
                ctypes.c_ulong(self.ident or 0), ctypes.py_object(OutOfTime)
            )
            self.join(_LOOK_SECONDS)
        return not self.is_alive()


def run(work: Callable[[], object], seconds: float) -> Worker:
    """Run work for so many seconds at most.

    Work that is out of time is ended. If it does not end it is left to itself, as a daemon whose
    output stays off the screen.

    Returns:
        The worker: `finished` tells whether the work came to its end, `is_alive()` whether it
        still runs.
    """
    with output.routed():
        worker = Worker(work)
        worker.start()
        try:
            worker.wait(seconds)
        finally:
            if worker.is_alive() and not worker.end():
                output.leave(worker)
    return worker
