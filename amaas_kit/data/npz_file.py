"""Arrays by name out of an NPZ file, without pickle."""

from __future__ import annotations

import os
import zipfile
import zlib
from collections.abc import Sequence

import numpy as np

from amaas_kit.data.arrays import Array
from amaas_kit.data.table import check_file
from amaas_kit.errors import DataError

DAMAGE = (OSError, ValueError, EOFError, zipfile.BadZipFile, zlib.error, NotImplementedError)
"""What NumPy and zipfile raise at a file that is cut short or changed, or no NPZ file."""


def read_npz(path: str | os.PathLike[str], names: Sequence[str]) -> list[Array]:
    """The arrays with these names.

    Args:
        path: the file.
        names: which arrays.

    Returns:
        One array a name, of any shape and dtype but objects.

    Raises:
        DataError: the file is missing or damaged, or has no such array.
    """
    situation = f"While reading {os.fspath(path)}"
    check_file(path)
    try:
        if not zipfile.is_zipfile(path):
            raise zipfile.BadZipFile("the list of arrays at the end of the file is not there")
        with np.load(path, allow_pickle=False) as archive:
            held = archive.files
            missing = [name for name in names if name not in held]
            if not missing:
                return [archive[name] for name in names]
    except DAMAGE as error:
        raise DataError(
            situation=situation,
            seen=f"{type(error).__name__}: {error}",
            wrong="the file is cut short, damaged, no NPZ file, or holds Python objects",
            fix="write it again with numpy.savez(path, x=x, y=y), from arrays of numbers or text",
        ) from None
    raise DataError(
        situation=situation,
        seen=f"no array {missing[0]!r}; the file holds {', '.join(map(repr, held)) or 'none'}",
        wrong="the array is not there under this name",
        fix="pass the names that the file uses, for example x='features', y='classes'",
    )
