"""A table that is to be cut: Parquet or CSV, one file or a folder of them, read as it flows."""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

import polars as pl

from amaas_kit.errors import DataError
from amaas_kit.partition.csv_shape import csv_shape
from amaas_kit.partition.csv_types import csv_types

Format: TypeAlias = Literal["parquet", "csv"]

UNREADABLE = (OSError, pl.exceptions.PolarsError, pl.exceptions.PanicException)
"""What Polars raises at a file that it cannot read; at some damage it panics."""

ENDINGS: dict[str, Format] = {".parquet": "parquet", ".pq": "parquet", ".csv": "csv"}


@dataclass(frozen=True)
class Table:
    """What is known of a table before its rows are read. Make one with `Table.open`.

    Args:
        path: the file or folder that was named.
        files: its files, in the order of their rows.
        format: "parquet" or "csv".
        schema: names and types of the columns.
        rows: how many there are.
        separator: between the fields of a CSV file.
        address: where it was fetched from; empty for one that was not.
    """

    path: Path
    files: tuple[Path, ...]
    format: Format
    schema: pl.Schema
    rows: int
    separator: str = ","
    address: str = ""

    @classmethod
    def open(cls, path: str | os.PathLike[str]) -> Table:
        """Look at a file, or at all files of a folder and its subfolders, in the order of names.

        CSV has a header, is UTF-8, and keeps an empty text ("") apart from nothing (null). A
        column is of numbers, dates or times where all its values are, and of text otherwise; 007
        is then the number 7. Names that begin with a dot or an underscore are passed over.

        Args:
            path: a .parquet or .csv file, or a folder that holds one kind of them.

        Raises:
            DataError: with the file: it is missing, damaged, cut short, or not like the others.
        """
        place = Path(path)
        if is_address(path):
            here = "a table is read from files of this machine"
            raise _unusable(os.fspath(path), "an address", here)
        files = _files(place)
        kinds = {ENDINGS[file.suffix.lower()] for file in files}
        if len(kinds) > 1:
            raise _unusable(place, "Parquet and CSV files", "a table is of one format")
        if kinds == {"csv"}:
            return cls._of_csv(place, files)
        schema = _one_schema(files, [_parquet_schema(file) for file in files])
        with reading(files):
            rows = _scan_parquet(files).select(pl.len()).collect()
        return cls(place, files, "parquet", schema, rows.item())

    @classmethod
    def _of_csv(cls, place: Path, files: tuple[Path, ...]) -> Table:
        with reading(files):
            shapes = [csv_shape(file) for file in files]
        for file, shape in zip(files, shapes, strict=True):
            if (shape.names, shape.separator) != (shapes[0].names, shapes[0].separator):
                raise _unlike(file, files[0], ", ".join(shape.names))
        mark = shapes[0].separator
        full = [file for file, shape in zip(files, shapes, strict=True) if shape.rows] or files[:1]
        with reading(files):
            schema = csv_types(
                full, shapes[0].names, lambda some, kinds: _scan_csv(some, mark, kinds)
            )
        return cls(place, files, "csv", schema, sum(shape.rows for shape in shapes), mark)

    @property
    def bytes(self) -> int:
        """The size of its files."""
        return sum(file.stat().st_size for file in self.files)

    def scan(self) -> pl.LazyFrame:
        """The rows, lazily, in their order. Read them within `reading(table.files)`."""
        if self.format == "csv":
            return _scan_csv(self.files, self.separator, self.schema)
        return _scan_parquet(self.files)


def is_address(path: str | os.PathLike[str]) -> bool:
    """Whether a path is written as an address, such as s3://bucket/table."""
    return re.match(r"[A-Za-z][A-Za-z0-9+.-]+://", os.fspath(path)) is not None


@contextlib.contextmanager
def reading(files: Sequence[Path]) -> Iterator[None]:
    """Turn what Polars says of a damaged file into an error that names the file.

    Raises:
        DataError: a file cannot be read to its end.
    """
    try:
        yield
    except UNREADABLE as error:
        if "No space left" in str(error):
            raise
        damaged = next(((file, why) for file in files if (why := _damage(file))), None)
        file, why = damaged or (files[0].parent if len(files) > 1 else files[0], error)
        whole = damaged is None and "os error" in str(error)
        raise _unreadable(file, why, whole) from None


def _damage(file: Path) -> BaseException | None:
    """Why a file cannot be read to its end; None for one that can."""
    try:
        kind = ENDINGS.get(file.suffix.lower())
        if kind == "csv":
            scan = _scan_csv([file], csv_shape(file).separator, None)
        else:
            scan = _scan_parquet([file])
        scan.select(pl.all().null_count()).collect(engine="streaming")
    except UNREADABLE as error:
        return error
    return None


def _unreadable(file: Path, why: BaseException, whole: bool) -> DataError:
    wrong = "the file is damaged, cut short, or not what its name says"
    fix = "fetch or write it again"
    if isinstance(why, FileNotFoundError | PermissionError):
        wrong = "the file cannot be opened"
        fix = "look whether it is still there, and who may read it"
    elif whole:
        wrong = (
            "the file is whole, but the system refused to read it or to write what is made of it"
        )
        fix = "look at the limits for open files and for the size of files, and try again"
    return DataError(f"While reading {file}", str(why).splitlines()[0][:300], wrong, fix)


def _scan_parquet(files: Sequence[Path]) -> pl.LazyFrame:
    return pl.scan_parquet(list(files), hive_partitioning=False, glob=False)


def _scan_csv(files: Sequence[Path], separator: str, schema: pl.Schema | None) -> pl.LazyFrame:
    return pl.scan_csv(
        list(files),
        separator=separator,
        schema=schema,
        infer_schema_length=None,
        try_parse_dates=True,
        glob=False,
    )


def _files(place: Path) -> tuple[Path, ...]:
    if place.is_file():
        found = [place] if place.suffix.lower() in ENDINGS else []
    elif place.is_dir():
        found = sorted(
            file
            for file in place.rglob("*")
            if file.suffix.lower() in ENDINGS and file.is_file() and not _hidden(file, place)
        )
    else:
        raise _unusable(place, "no such file or folder", "there is nothing to cut")
    if not found:
        raise _unusable(place, "no .parquet and no .csv", "a table is read from these")
    return tuple(found)


def _hidden(file: Path, place: Path) -> bool:
    return any(part.startswith((".", "_")) for part in file.relative_to(place).parts)


def _parquet_schema(file: Path) -> pl.Schema:
    with reading([file]):
        return _scan_parquet([file]).collect_schema()


def _one_schema(files: Sequence[Path], schemas: Sequence[pl.Schema]) -> pl.Schema:
    for file, schema in zip(files, schemas, strict=True):
        if schema != schemas[0]:
            other = next(
                (
                    f"{name}: {kind}"
                    for name, kind in schema.items()
                    if schemas[0].get(name) != kind
                ),
                f"{len(schema)} columns in another order, or fewer",
            )
            raise _unlike(file, files[0], other)
    return schemas[0]


def _unlike(file: Path, first: Path, seen: str) -> DataError:
    return DataError(
        situation=f"While reading {file}",
        seen=seen,
        wrong=f"its columns are not those of {first.name}, so the two are not one table",
        fix="give the files the same columns and types, or name one file",
    )


def _unusable(place: Path | str, seen: str, wrong: str) -> DataError:
    return DataError(
        situation=f"While looking for a table at {place}",
        seen=seen,
        wrong=wrong,
        fix="name a .parquet or .csv file, or a folder that holds one kind of them",
    )
