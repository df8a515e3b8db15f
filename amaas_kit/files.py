"""Files that appear whole or not at all, and the one folder where the kit keeps its own."""

from __future__ import annotations

import contextlib
import os
import secrets
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO


def home() -> Path:
    """The kit's folder for progress, logs and caches: `AMAAS_HOME`, or `~/.amaas`. Made on use."""
    folder = Path(os.environ.get("AMAAS_HOME") or Path.home() / ".amaas")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def write_whole(path: str | os.PathLike[str], write: Callable[[BinaryIO], object]) -> Path:
    """Call `write` on a binary file beside `path`, then rename it to `path` once it is on disk.

    A reader sees the old file or the new one, never a part. When `write` raises, `path` is as it
    was and nothing is left beside it.

    Args:
        path: the target; its folder must exist.
        write: receives the open file and writes the content.

    Returns:
        The target as a Path.
    """
    target = Path(path)
    part = target.with_name(f".{target.name}.{secrets.token_hex(8)}")
    try:
        with part.open("xb") as file:
            write(file)
            file.flush()
            os.fsync(file.fileno())
        part.replace(target)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    return target


@contextlib.contextmanager
def locked(path: str | os.PathLike[str], seconds: float) -> Iterator[None]:
    """Hold a file that is made for this purpose against every other process and thread.

    The lock ends with the process that holds it; the file stays, and means nothing by itself.

    Args:
        path: the file; its folder must exist.
        seconds: how long to wait for others who hold it.

    Raises:
        TimeoutError: another holds it still.
    """
    deadline = time.monotonic() + seconds
    with Path(path).open("a+b") as file:
        while not _try_lock(file.fileno()):
            if time.monotonic() > deadline:
                raise TimeoutError(f"{path} is held by another process")
            time.sleep(0.01)
        yield


def hold(path: str | os.PathLike[str]) -> BinaryIO | None:
    """Hold an existing file against every other process and thread, without waiting.

    Args:
        path: the file.

    Returns:
        The open file, which holds until it is closed or this process ends, however that happens;
        None where another holds it.

    Raises:
        FileNotFoundError: there is no such file.
    """
    file = Path(path).open("r+b")  # noqa: SIM115 - it stays open for the caller
    try:
        if _try_lock(file.fileno()):
            return file
    except BaseException:
        file.close()
        raise
    file.close()
    return None


if sys.platform == "win32":
    import msvcrt

    def _try_lock(descriptor: int) -> bool:
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

else:
    import fcntl

    def _try_lock(descriptor: int) -> bool:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True
