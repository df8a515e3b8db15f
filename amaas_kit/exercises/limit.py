"""A time limit that works in a notebook on every system: the work runs in a thread of its own."""

from __future__ import annotations

import contextvars
import ctypes
import threading
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
        finished: the work came to its end in time.
        printed: a sink with what it printed.
    """

    def __init__(self, work: Callable[[], object]) -> None:
        super().__init__()
        self._work = work
        self._context = contextvars.copy_context()
        # Not Thread.join: when Ctrl-C interrupts that, Python 3.11 and 3.12 take a running thread
        # for one that has ended.
        self._gate = threading.Lock()
        self._gate.acquire()
        self._came_to_its_end = False
        self._in_time = False
        self._over = False

    @property
    def finished(self) -> bool:
        """Whether the work came to its end in time."""
        return self._came_to_its_end and self._in_time

    def run(self) -> None:
        """Do the work, in the context of the caller: what it displays appears in their cell."""
        try:
            self._context.run(self._work)
            self._came_to_its_end = True
        except OutOfTime:
            pass
        finally:
            self._gate.release()

    def wait(self, seconds: float) -> bool:
        """Wait for the end; False when it did not come in time. Ctrl-C gets through."""
        self._in_time = self._is_over_after(seconds)
        return self._in_time

    def end(self, seconds: float) -> bool:
        """Raise `OutOfTime` in the work until it ends; False when it does not.

        Work that swallows the exception, or waits inside a call to C code, may run on.
        """
        deadline = time.monotonic() + seconds
        while not self._is_over_after(0) and time.monotonic() < deadline:
            ctypes.pythonapi.PyThreadState_SetAsyncExc(
                ctypes.c_ulong(self.ident or 0), ctypes.py_object(OutOfTime)
            )
            self._is_over_after(_LOOK_SECONDS)
        return self._over

    def _is_over_after(self, seconds: float) -> bool:
        deadline = time.monotonic() + seconds
        while not self._over:
            left = max(0.0, deadline - time.monotonic())
            opened = self._gate.acquire(timeout=min(_LOOK_SECONDS, left))
            self._over = opened or not self.is_alive()
            if not left:
                break
        return self._over


def run(work: Callable[[], object], seconds: float) -> Worker:
    """Run work for so many seconds at most.

    Work that is out of time is ended. If it does not end it is left to itself, as a daemon whose
    output stays off the screen.

    Returns:
        The worker: `finished` tells whether the work came to its end in time, `is_alive()` whether
        it still runs.
    """
    with output.routed():
        worker = Worker(work)
        in_time = False
        try:
            worker.start()
            in_time = worker.wait(seconds)
        finally:
            if not in_time and not worker.end(GRACE_SECONDS):
                output.leave(worker)
    return worker
