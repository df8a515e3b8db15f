"""The types of the columns of CSV files: numbers, dates or times where all values are, else text.

Polars guesses file by file, takes a column without a value for text, and may find only while it
reads that a guess does not hold. Here the files agree on one type, and each guess that may fail is
tried.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeAlias

import polars as pl

Scan: TypeAlias = Callable[[Sequence[Path], pl.Schema | None], pl.LazyFrame]
"""Reads files with these types, or with guessed ones."""

WIDER: tuple[pl.DataType, ...] = (pl.Int64(), pl.Int128(), pl.Float64())
"""Numbers, each kind of which holds those before it."""


def csv_types(files: Sequence[Path], names: Sequence[str], scan: Scan) -> pl.Schema:
    """The type of each column of CSV files that have the same header.

    Args:
        files: at least one; those without a row tell nothing and are better left out.
        names: of the columns.
        scan: how the files are read.

    Raises:
        PolarsError: a file is damaged.
    """
    guesses = [scan([file], None).collect_schema().dtypes() for file in files]
    text = pl.Schema(dict.fromkeys(names, pl.String()))
    kinds: dict[str, pl.DataType] = {}
    doubtful: list[str] = []
    for name, guessed in zip(names, zip(*guesses, strict=True), strict=True):
        texts = [file for file, kind in zip(files, guessed, strict=True) if kind == pl.String]
        if 0 < len(texts) < len(files) and not _has_values(scan(texts, text), name):
            kinds[name] = _common([kind for kind in guessed if kind != pl.String])
        else:
            kinds[name] = _common(guessed)
        if kinds[name].is_temporal() or kinds[name] == pl.Int128:
            doubtful.append(name)
    schema = pl.Schema(kinds)
    if _holds(scan(files, schema), doubtful):
        return schema
    wrong = [name for name in doubtful if not _holds(scan(files, schema), [name])]
    return pl.Schema({**schema, **dict.fromkeys(wrong, pl.String())})


def _common(kinds: Sequence[pl.DataType]) -> pl.DataType:
    """The type that holds the values of all."""
    if all(kind in WIDER for kind in kinds):
        return max(kinds, key=WIDER.index)
    return kinds[0] if len({*kinds}) == 1 else pl.String()


def _has_values(rows: pl.LazyFrame, name: str) -> bool:
    return bool(rows.select(pl.col(name).count()).collect(engine="streaming").item())


def _holds(rows: pl.LazyFrame, names: Sequence[str]) -> bool:
    """Whether all values can be read as the types that were guessed."""
    if not names:
        return True
    try:
        rows.select(pl.col(names).count()).collect(engine="streaming")
    except pl.exceptions.PolarsError:
        return False
    return True
