"""A table that is to be cut: Parquet or CSV, one file or a folder of them, read as it flows."""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, TypeAlias, cast

import polars as pl

from amaas_kit.errors import DataError
from amaas_kit.partition.csv_shape import CsvShape, csv_blocks, csv_shape
from amaas_kit.partition.csv_types import csv_types
from amaas_kit.partition.part_files import FOLDER, MANIFEST

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
        times: how dates and times are written in CSV, by column, as Polars says it.
        lengths: the rows of each CSV file, where empty lines follow the last one of any.
    """

    path: Path
    files: tuple[Path, ...]
    format: Format
    schema: pl.Schema
    rows: int
    separator: str = ","
    address: str = ""
    times: Mapping[str, str] = field(default_factory=dict)
    lengths: tuple[int, ...] = ()

    @classmethod
    def open(cls, path: str | os.PathLike[str]) -> Table:
        """Look at a file, or at all files of a folder and its subfolders, in the order of names.

        CSV has a header, is UTF-8, and keeps an empty text ("") apart from nothing (null). A
        column has a type where all its values keep what they say, and is of text otherwise:

        - Int64, or Int128 where it needs to be: 7, -3; but 007 and +5 are text.
        - Float64: 0.5, 1e-3, NaN, inf; but text where one is too large or too small for it, or is
          a whole number beyond 2^53 that it does not have.
        - Boolean: true, false.
        - Date: 2026-01-31, and no other way to write it.
        - Time: 08:00 or 08:00:00, with at most 9 digits of a second.
        - Datetime in microseconds: 2026-01-31T08:00:00.5, T or a space, with or without seconds,
          with at most 6 digits of a second; in UTC where all have a zone (Z or +02:00).

        Names of files that begin with a dot or an underscore are passed over.

        Args:
            path: a .parquet or .csv file, or a folder that holds one kind of them.

        Raises:
            DataError: with the file: it is missing, damaged, cut short, or not like the others; or
                a folder whose name, such as year=2024, tells a value that the files do not hold.
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
        _check_folders(place, files, schema)
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
        names, mark = shapes[0].names, shapes[0].separator
        _check_folders(place, files, names)
        with reading(files):
            types = csv_types(_blocks(files, shapes), names, mark)
        rows = tuple(shape.rows for shape in shapes)
        return cls(
            place,
            files,
            "csv",
            types.schema,
            sum(rows),
            separator=mark,
            times=types.times,
            lengths=rows if any(shape.blank for shape in shapes) else (),
        )

    @property
    def bytes(self) -> int:
        """The size of its files."""
        return sum(file.stat().st_size for file in self.files)

    def scan(self) -> pl.LazyFrame:
        """The rows, lazily, in their order. Read them within `reading(table.files)`."""
        if self.format == "parquet":
            return _scan_parquet(self.files)
        stored = pl.Schema({**self.schema, **dict.fromkeys(self.times, pl.String())})
        if self.lengths:
            each = zip(self.files, self.lengths, strict=True)
            rows = pl.concat([_scan_csv([file], self.separator, stored, n) for file, n in each])
        else:
            rows = _scan_csv(self.files, self.separator, stored)
        return rows.with_columns(
            pl.col(name).str.strptime(cast(Any, self.schema[name]), written)
            for name, written in self.times.items()
        )


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
            shape = csv_shape(file)
            text = pl.Schema(dict.fromkeys(shape.names, pl.String()))
            scan = _scan_csv([file], shape.separator, text)
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


def _scan_csv(
    files: Sequence[Path], separator: str, schema: pl.Schema, rows: int | None = None
) -> pl.LazyFrame:
    return pl.scan_csv(list(files), separator=separator, schema=schema, n_rows=rows, glob=False)


def _blocks(files: Sequence[Path], shapes: Sequence[CsvShape]) -> Iterator[bytes]:
    for file, shape in zip(files, shapes, strict=True):
        yield from csv_blocks(file, shape)


def _files(place: Path) -> tuple[Path, ...]:
    _check_name(place)
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
    for file in found:
        _check_name(file)
    return tuple(found)


def _check_name(place: Path) -> None:
    try:
        str(place.absolute()).encode()
    except UnicodeEncodeError:
        raise DataError(
            situation=f"While looking for a table at {str(place)!r}",
            seen="a name that is not UTF-8",
            wrong="Polars and the manifest hold names as UTF-8 text",
            fix="rename the file or the folder",
        ) from None


def _check_folders(place: Path, files: Sequence[Path], columns: Collection[str]) -> None:
    """Refuse folders such as year=2024, whose column would be lost with their names."""
    for file in files:
        for folder in file.relative_to(place).parents:
            column, told, _ = folder.name.partition("=")
            if told and column not in columns and not _is_part(place / folder):
                raise DataError(
                    situation=f"While looking for a table at {place}",
                    seen=f"the folder {folder}, and no column {column!r} in its files",
                    wrong=f"the folder's name tells the {column} of its rows; cutting reads files "
                    "only and would lose it",
                    fix=f"write the column {column!r} into the files, or name one of the folders",
                )


def _is_part(folder: Path) -> bool:
    """Whether a folder lies beside a manifest, as a part does that the kit wrote."""
    number = folder.name.removeprefix(FOLDER)
    return number != folder.name and number.isdecimal() and (folder.parent / MANIFEST).is_file()


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
