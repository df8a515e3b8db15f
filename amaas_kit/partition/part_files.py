"""The files of parts, read as one table with the types that the table had before it was cut."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import polars as pl

from amaas_kit.errors import DataError
from amaas_kit.partition import checksum
from amaas_kit.partition.checksum import Tally

FOLDER = "part="
"""What the name of a part's folder begins with; its number follows."""

MANIFEST = "manifest.json"
"""The file beside the parts that says what they hold."""


def scan(files: Mapping[int, Sequence[Path]], schema: pl.Schema, part: str) -> pl.LazyFrame:
    """The rows of parts, each with the number of its part.

    Args:
        files: of each part.
        schema: the columns and the types that they are read as.
        part: the name of the column with the number.

    Returns:
        The column `part`, Int64, and those of the schema; only what is asked for is read.

    Raises:
        DataError: with the file: a column is missing.
    """
    numbers = _numbers(files)
    if not numbers:
        return pl.LazyFrame(schema={part: pl.Int64(), **schema})
    number = pl.col(_origin(schema)).replace_strict(numbers, return_dtype=pl.Int64)
    return _rows(files, schema).select(number.alias(part), *schema)


def tallies(
    files: Mapping[int, Sequence[Path]], schema: pl.Schema, key: pl.Expr | None = None
) -> dict[int, Tally]:
    """The tally of each part that has files, all read once as a stream.

    Args:
        files: of each part.
        schema: the columns and the types that they are read as.
        key: of which the least and the greatest are wanted.

    Raises:
        DataError: with the file: a column is missing.
    """
    numbers = _numbers(files)
    if not numbers:
        return {}
    found: dict[int, Tally] = {}
    for file, tally in checksum.by(_rows(files, schema), _origin(schema), key).items():
        found[numbers[file]] = found.get(numbers[file], Tally()) + tally
    return found


def _numbers(files: Mapping[int, Sequence[Path]]) -> dict[str, int]:
    """The part of each file, by both ways to write its path: Polars may choose either."""
    return {
        name: number
        for number, paths in files.items()
        for path in paths
        for name in (str(path), path.as_posix())
    }


def _rows(files: Mapping[int, Sequence[Path]], schema: pl.Schema) -> pl.LazyFrame:
    """The columns of the schema, and the path of the file that each row is from."""
    paths = [path for own in files.values() for path in own]
    stored = stored_schema(paths[0])
    _check_columns(paths[0], stored, schema)
    origin = _origin(schema)
    rows = pl.scan_parquet(paths, hive_partitioning=False, glob=False, include_file_paths=origin)
    columns = [
        pl.col(name) if stored[name] == kind else pl.col(name).cast(kind)
        for name, kind in schema.items()
    ]
    return rows.select(*columns, origin)


def stored_schema(file: Path) -> pl.Schema:
    """The columns that a file of a part says it holds."""
    return pl.scan_parquet(file, hive_partitioning=False, glob=False).collect_schema()


def _check_columns(file: Path, stored: pl.Schema, schema: pl.Schema) -> None:
    missing = [name for name in schema if name not in stored]
    if missing:
        raise DataError(
            situation=f"While reading {file}",
            seen=f"the columns {', '.join(stored)}",
            wrong=f"the part has to hold {', '.join(missing)} too",
            fix="cut the table again",
        )


def _origin(schema: pl.Schema) -> str:
    """A name for the column with the files that no column of the table has."""
    name = "file"
    while name in schema:
        name += "_"
    return name
