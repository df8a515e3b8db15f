"""A folder of parts that appears whole or not at all, whatever ends the process that writes it.

Everything is written in a hidden folder beside the target, `.NAME.<hex>.cutting`, which its process
holds by a lock. The last act is a rename. What a killed process left is known by its free lock.
Of a long name the hidden folder shows the beginning, so that any name that a system allows will do.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import re
import secrets
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from amaas_kit import files
from amaas_kit.errors import AmaasError, DataError
from amaas_kit.partition import manifest
from amaas_kit.partition.arguments import FOLDER_WANTED, check_path
from amaas_kit.partition.manifest import LITTER, Manifest
from amaas_kit.partition.part_files import MANIFEST

SHOWN = 16
"""So many letters of the target's name are seen in the name of its hidden folder."""

LOCK = "lock"
OLD = "old"
"""The target that is being replaced, until the new one has its place."""
GONE = "gone"
"""An old target that is being removed, and must not be put back."""

SETTLING_TRIES = 5
"""So often is a folder looked for again, a tenth of a second apart, after an interruption."""

REMOVAL_TRIES = 30
"""So often is a removal tried, a tenth of a second apart: a process that ends may write still."""

FULL = ("no space left on device", "disk quota exceeded", "not enough space on the disk")
"""How a full disk is called by systems, Rust and Java."""


@dataclass(frozen=True)
class Staging:
    """Where a partition is written before it has its place.

    Attributes:
        root: the hidden folder; all of it is on the file system of the target.
        data: becomes the target, and holds the manifest in the end.
        scratch: for the engine's own files, thrown away.
    """

    root: Path
    data: Path
    scratch: Path


@contextlib.contextmanager
def place(target: str | os.PathLike[str], replace: bool = False) -> Iterator[Staging]:
    """Write a folder of parts: whole at `target` when the block ends well, or nowhere.

    Args:
        target: the folder to be; folders above it are made, and removed again after an error.
        replace: whether a partition that is there gives way. Anything else never does.

    Raises:
        DataError: the target exists, holds the working folder or has a name that is not UTF-8, the
            disk is full, or the system refuses the writing.
    """
    folder = Path(os.path.realpath(target))
    check_path(folder, "While writing parts", FOLDER_WANTED)
    _check_not_around_us(folder)
    missing = [parent for parent in folder.parents if not os.path.lexists(parent)]
    root: Path | None = None
    lock: BinaryIO | None = None
    interrupted = False
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        recover(folder)
        _check_target(folder, replace)
        root, lock = _held_root(folder)
        staging = Staging(root, root / "data", root / "scratch")
        staging.data.mkdir()
        staging.scratch.mkdir()
        yield staging
        if not (staging.data / MANIFEST).is_file():
            raise RuntimeError(f"{staging.data} is without its {MANIFEST}, which is written last")
        _put(staging, folder, replace)
    except Exception as error:
        named = _named(error, folder, root)
        if named is None:
            raise
        raise named from error
    except BaseException:
        interrupted = True
        raise
    finally:
        if root is not None and lock is not None:
            _clear(root, lock, folder)
            if interrupted:
                _settle(root)
        for parent in missing:
            with contextlib.suppress(OSError):
                parent.rmdir()  # one that is still empty


def _check_not_around_us(folder: Path) -> None:
    """A working folder that is replaced leaves its process in one that is gone."""
    try:
        here = Path(os.path.realpath(Path.cwd()))
    except FileNotFoundError:
        return
    if folder == here or folder in here.parents:
        raise DataError(
            situation=f"While writing parts to {folder}",
            seen=f"the working folder {here}",
            wrong="the target takes the place of what is there, and you would be in no folder",
            fix="pass a target inside the working folder, such as parts, or change to another one",
        )


def recover(target: str | os.PathLike[str]) -> None:
    """Clear away what killed processes left beside a target, and put back what they had moved.

    Nothing of a process that lives is touched. Where the folder may not be written, all stays.
    """
    folder = Path(os.path.realpath(target))
    name = re.compile(rf"{re.escape(_beginning(folder))}[0-9a-f]{{16}}\.cutting")
    with contextlib.suppress(OSError):
        for root in [path for path in folder.parent.iterdir() if name.fullmatch(path.name)]:
            with contextlib.suppress(OSError):
                _recover(root, folder)


def _beginning(folder: Path) -> str:
    """What a target's hidden folders begin with; short, however long the target's name is."""
    return f".{folder.name[:SHOWN]}.{hashlib.sha256(os.fsencode(folder.name)).hexdigest()[:8]}"


def _recover(root: Path, folder: Path) -> None:
    try:
        lock = files.hold(root / LOCK)
    except FileNotFoundError:
        if any(root.iterdir()):  # an engine that outlived its process wrote there once more
            (root / LOCK).touch()
            _recover(root, folder)
        else:
            root.rmdir()  # its process may live, and then makes another
        return
    if lock is not None:
        _clear(root, lock, folder)


def _held_root(folder: Path) -> tuple[Path, BinaryIO]:
    """A new hidden folder beside the target, and the lock that says that its process lives."""
    while True:
        root = folder.with_name(f"{_beginning(folder)}{secrets.token_hex(8)}.cutting")
        root.mkdir()
        try:
            (root / LOCK).touch()
            lock = files.hold(root / LOCK)
        except FileNotFoundError:  # another took it for one that was left behind
            continue
        except OSError:
            shutil.rmtree(root, ignore_errors=True)
            raise
        if lock is None:
            continue
        if (root / LOCK).exists():
            return root, lock
        lock.close()


def _check_target(folder: Path, replace: bool) -> None:
    """Raise where what is at the target may not give way; what is renamed meanwhile is not it."""
    while (seen := _identity(folder)) is not None:
        try:
            refusal = _refusal(folder, replace)
        except FileNotFoundError:  # something went away meanwhile: look again at what is left
            continue
        if refusal is None:
            return
        if seen == _identity(folder):
            raise refusal


def _identity(folder: Path) -> tuple[int, int, int] | None:
    """Which folder this is; the time tells a new one from an old one whose number it was given."""
    try:
        status = folder.stat()
    except FileNotFoundError:
        return None
    return status.st_dev, status.st_ino, status.st_ctime_ns


def _refusal(folder: Path, replace: bool) -> DataError | None:
    if not folder.is_dir():
        return _refused(folder, "a file", "parts are written into a folder of their own")
    content = {path.name for path in folder.iterdir()}
    if not content:
        return None
    stranger = _stranger(folder, content)
    if stranger is not None or replace:
        return stranger
    return DataError(
        situation=f"While writing parts to {folder}",
        seen="a partition that is already there",
        wrong="it would be lost",
        fix="pass another target, or replace=True (on the command line --force)",
    )


def _stranger(folder: Path, content: set[str]) -> DataError | None:
    """Why a folder may hold what is not the kit's; a partition holds what its manifest lists."""
    if MANIFEST not in content:
        wrong = "it holds no partition of the kit, and files of others are never removed"
        return _refused(folder, f"a folder with {min(content)!r}", wrong)
    try:
        known = _listed(manifest.read(folder))
    except DataError as error:
        wrong = f"{error.wrong}, so that nobody knows which files are parts"
        return _refused(folder, f"a folder whose {MANIFEST} cannot be used: {error.seen}", wrong)
    found = {path.relative_to(folder).as_posix() for path in folder.rglob("*")}
    strange = sorted(path for path in found - known if PurePosixPath(path).name not in LITTER)
    if strange:
        wrong = "its manifest does not list it, and files of others are never removed"
        return _refused(folder, f"a partition, and in it {strange[0]!r}", wrong)
    return None


def _listed(facts: Manifest) -> set[str]:
    """All that a partition consists of: its manifest, its files, and the folders that hold them."""
    paths = [PurePosixPath(file.path) for part in facts.parts for file in part.files]
    return {MANIFEST} | {str(place) for path in paths for place in (path, *path.parents)}


def _refused(folder: Path, seen: str, wrong: str) -> DataError:
    fix = "pass another target, or move what is there elsewhere or remove it yourself"
    return DataError(f"While writing parts to {folder}", seen, wrong, fix)


def _put(staging: Staging, folder: Path, replace: bool) -> None:
    """Give the whole folder its place. Where others do the same, the last one keeps it."""
    while True:
        _check_target(folder, replace)
        with contextlib.suppress(FileNotFoundError):
            _move_away(folder, staging.root, replace)
        try:
            staging.data.rename(folder)
        except OSError as error:
            if error.errno not in (errno.EEXIST, errno.ENOTEMPTY):
                raise
        else:
            return


def _move_away(folder: Path, root: Path, replace: bool) -> None:
    if replace:
        _forget(root)
        folder.rename(root / OLD)
    else:
        with contextlib.suppress(OSError):
            folder.rmdir()  # an empty one; it is looked at again where it is not


def _forget(root: Path) -> None:
    """Remove an old target so that no part of it can be taken for the whole."""
    if (root / OLD).exists():
        (root / OLD).rename(root / GONE)
    _remove_tree(root / GONE)


def _clear(root: Path, lock: BinaryIO, folder: Path) -> None:
    """Remove a hidden folder that is held, the lock last; put back what had no successor."""
    with contextlib.suppress(OSError):
        if (root / OLD).exists() and not folder.exists():
            (root / OLD).rename(folder)
        _forget(root)
        for path in root.iterdir():
            if path.name != LOCK:
                _remove_tree(path)
    lock.close()
    with contextlib.suppress(OSError):
        if [path.name for path in root.iterdir()] == [LOCK]:
            (root / LOCK).unlink()
            root.rmdir()


def _settle(root: Path) -> None:
    """Remove what the threads of an interrupted engine write into a folder that was cleared."""
    for _ in range(SETTLING_TRIES):
        time.sleep(0.1)
        _remove_tree(root)


def _remove_tree(path: Path) -> None:
    """Remove a folder into which a process that ends may write a little longer."""
    for _ in range(REMOVAL_TRIES):
        if not path.exists():
            return
        try:
            shutil.rmtree(path)
        except NotADirectoryError:
            path.unlink()
        except FileNotFoundError:
            continue
        except OSError:
            time.sleep(0.1)


def _named(error: Exception, folder: Path, root: Path | None) -> DataError | None:
    """What a system says when it cannot write, as an error that names the target."""
    if _is_full(error):
        return _full(folder, root)
    if isinstance(error, AmaasError | ConnectionError) or not isinstance(error, OSError):
        return None
    return DataError(
        situation=f"While writing parts to {folder}",
        seen=str(error),
        wrong="the system refuses to read or write there",
        fix="look at the path and at who may write there, or pass another target",
    )


def _is_full(error: BaseException | None) -> bool:
    while error is not None:
        if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
            return True
        if any(words in str(error).lower() for words in FULL):
            return True
        error = error.__cause__ or error.__context__
    return False


def _full(folder: Path, root: Path | None) -> DataError:
    near = next(parent for parent in folder.parents if parent.exists())
    free = shutil.disk_usage(near).free
    written = 0 if root is None else _bytes_below(root)
    return DataError(
        situation=f"While writing parts to {folder}",
        seen=f"{free:,} bytes left on the file system of {near}, after {written:,} bytes "
        "of this partition, which are removed again",
        wrong="the disk is full, or the room that you may use on it",
        fix="make room there, or pass a target on another file system",
    )


def _bytes_below(root: Path) -> int:
    written = 0
    for path in root.rglob("*"):
        with contextlib.suppress(OSError):
            written += 0 if path.is_dir() else path.lstat().st_size
    return written
