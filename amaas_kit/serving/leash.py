"""Run `bentoml` and end it with the process that asked for it. A program of its own.

A notebook's kernel that is killed cannot clean up after itself, so the server looks after its own
end: it watches the process that started it. Called as `python leash.py PID serve …`.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time

import psutil  # type: ignore[import-untyped]

LOOK_EVERY_SECONDS = 0.5
GRACE_SECONDS = 5.0
"""So long BentoML has for ending its workers in order."""


def main(owner: int, arguments: list[str]) -> None:
    """Call `bentoml` with these arguments in this process, for as long as `owner` runs."""
    threading.Thread(target=_watch, args=(psutil.Process(owner),), daemon=True).start()
    from bentoml_cli.cli import cli

    sys.argv = ["bentoml", *arguments]
    cli()


def _watch(owner: psutil.Process) -> None:
    while _runs(owner):
        time.sleep(LOOK_EVERY_SECONDS)
    if os.name == "posix":
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(GRACE_SECONDS)
    for child in psutil.Process().children(recursive=True):
        child.kill()
    os._exit(1)


def _runs(process: psutil.Process) -> bool:
    try:
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2:])
