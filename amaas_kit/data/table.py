"""What every file of a table must have: to be there, and columns that can be told apart."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from amaas_kit.data.arrays import Array
from amaas_kit.errors import DataError


class Table(NamedTuple):
    """What a file held.

    Attributes:
        x: (n, d) float32 features, or images.
        target: (n,) text or numbers, or (n, k) numbers, as they were written.
        columns: the names of the d features, or None where the file has none.
    """

    x: Array
    target: Array
    columns: tuple[str, ...] | None


def check_file(path: str | os.PathLike[str]) -> None:
    """Raise a DataError unless there is a file at this path."""
    place = Path(path)
    if place.is_file():
        return
    folder = place.resolve().parent
    raise DataError(
        situation=f"While reading {place}",
        seen="a folder" if place.is_dir() else f"nothing of this name in {folder}",
        wrong="there is no such file",
        fix="check the name and the folder; a relative path starts at the folder of the notebook",
    )


def feature_names(
    path: str | os.PathLike[str],
    header: Sequence[str],
    target: str,
    columns: Sequence[str] | None,
) -> tuple[str, ...]:
    """The columns to learn from, after a check that the target and each of them stand in the file.

    Args:
        path: the file, for the error.
        header: the names of all columns, in order.
        target: the column to predict.
        columns: the columns that were asked for; None for all but the target.

    Raises:
        DataError: a name is missing, stands twice, or is the target's; a column without a name
            would be learnt from; or no feature is left.
    """
    situation = f"While reading {os.fspath(path)}"
    for name in header:
        if name and header.count(name) > 1:
            places = ", ".join(str(i) for i, other in enumerate(header, 1) if other == name)
            raise DataError(
                situation=situation,
                seen=f"the column name {name!r} over the columns {places}",
                wrong="a column is found by its name, so that each name stands once",
                fix="rename all but one of them in the first line of the file",
            )
    if columns is None and "" in header:
        raise DataError(
            situation=situation,
            seen=f"no name over column {header.index('') + 1}",
            wrong="a column without a name is often a row number that some program added, and "
            "nothing to learn from",
            fix="name or remove the column, or pass columns=[...] with the names to learn from",
        )
    chosen = tuple(name for name in header if name != target) if columns is None else tuple(columns)
    for name in (target, *chosen):
        if not name or name not in header:
            raise DataError(
                situation=situation,
                seen=f"no column {name!r}; the file has {', '.join(map(repr, header))}",
                wrong="the column is not there under this name",
                fix="pass the name as it stands in the file, capitals and spaces included",
            )
    if target in chosen or len(set(chosen)) < len(chosen) or not chosen:
        raise DataError(
            situation=situation,
            seen=f"target={target!r} and the features {', '.join(map(repr, chosen)) or 'none'}",
            wrong="there must be a feature, each once, and the target must not be among them",
            fix="pass columns=[...] with the names to learn from, without the target",
        )
    return chosen
