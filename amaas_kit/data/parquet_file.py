"""A Parquet file as a table of float32 features and one target, read by Polars."""

from __future__ import annotations

import os
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from amaas_kit.data.arrays import Array, to_float32, why_not_finite
from amaas_kit.data.table import Table, check_file, feature_names
from amaas_kit.errors import DataError, MissingError

if TYPE_CHECKING:
    import polars as pl


def read_parquet(path: str | os.PathLike[str], target: str, columns: Sequence[str] | None) -> Table:
    """Read a Parquet file.

    Args:
        path: the file.
        target: the column to predict: numbers, booleans or text.
        columns: the columns to learn from, numbers or booleans; None for all but the target.

    Returns:
        The table: x (n, d) float32, the target as numbers or text.

    Raises:
        DataError: the file is missing or damaged, a column is missing, a value is missing or no
            finite number.
        MissingError: Polars is not installed.
    """
    frame = _read(path)
    features = feature_names(path, frame.columns, target, columns)
    if frame.is_empty():
        raise DataError(
            situation=f"While reading {os.fspath(path)}",
            seen=f"{frame.width} columns and no row",
            wrong="there is nothing to learn from",
            fix="look at the step that wrote the file",
        )
    x = np.column_stack([_finite(path, frame[name]) for name in features])
    if _is_text(frame[target]):
        return Table(
            x, _complete(path, frame[target]).cast(str).to_numpy().astype(np.str_), features
        )
    _finite(path, frame[target])
    return Table(x, frame[target].to_numpy(), features)


def _read(path: str | os.PathLike[str]) -> pl.DataFrame:
    try:
        import polars as pl
    except ImportError as error:
        raise MissingError(
            situation=f"While reading {os.fspath(path)}",
            seen=str(error),
            wrong="Parquet files are read with Polars, which is not installed here",
            fix="pip install polars; or save the table as CSV and use Dataset.from_csv",
        ) from None
    check_file(path)
    try:
        return pl.read_parquet(Path(path), glob=False)
    except (OSError, pl.exceptions.PolarsError, pl.exceptions.PanicException) as error:
        raise DataError(
            situation=f"While reading {os.fspath(path)}",
            seen=f"{type(error).__name__}: {error}",
            wrong="the file is cut short, damaged, or no Parquet file",
            fix="write it again, for example with polars.DataFrame.write_parquet",
        ) from None


def _is_text(column: pl.Series) -> bool:
    return column.dtype.to_python() is str


def _complete(path: str | os.PathLike[str], column: pl.Series) -> pl.Series:
    if column.null_count():
        row = column.is_null().arg_true()[0] + 1
        raise DataError(
            situation=f"While reading {os.fspath(path)}",
            seen=f"null in row {row:,}, column {column.name!r}; {column.null_count():,} in all",
            wrong="a network cannot compute with a value that is missing",
            fix="remove the row, or put a value there that you can answer for",
        )
    return column


def _finite(path: str | os.PathLike[str], column: pl.Series) -> Array:
    """A column without nulls as float32 (n,), each number finite."""
    situation = f"While reading {os.fspath(path)}"
    _complete(path, column)
    if column.dtype.to_python() not in (int, float, bool, Decimal):
        raise DataError(
            situation=situation,
            seen=f"the column {column.name!r} of type {column.dtype}, such as {column[0]!r}",
            wrong="a network computes with numbers",
            fix="turn it into numbers (one column a category, 0 or 1), or leave it out: pass "
            "columns=[...] with the others",
        )
    values = column.cast(float).to_numpy()
    numbers, bad = to_float32(values)
    if bad is not None:
        raise DataError(
            situation=situation,
            seen=f"{values[bad]} in row {bad[0] + 1:,}, column {column.name!r}",
            wrong=why_not_finite(float(values[bad])),
            fix="remove the row, or put the right number there",
        )
    return numbers
