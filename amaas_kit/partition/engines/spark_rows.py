"""A table as Spark reads it: its own Parquet files where Spark has every type, a copy elsewhere.

Spark has no times of day and no durations, timestamps of microseconds only, and a CSV reader that
takes an empty text for null. The kit then writes a Parquet of whole numbers and texts, and turns
the parts back in the end.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias, cast
from urllib.request import url2pathname

import polars as pl

from amaas_kit.partition.cut import Cut
from amaas_kit.partition.engines.spark_sql import SOURCE, position_column, quoted, text
from amaas_kit.partition.source import Table, reading

SparkType: TypeAlias = str | tuple[Any, ...]

NAMES: dict[Any, str] = {
    pl.Int8: "byte",
    pl.Int16: "short",
    pl.Int32: "integer",
    pl.Int64: "long",
    pl.UInt8: "short",
    pl.UInt16: "integer",
    pl.UInt32: "long",
    pl.UInt64: "decimal(20,0)",
    pl.Float32: "float",
    pl.Float64: "double",
    pl.Boolean: "boolean",
    pl.String: "string",
    pl.Categorical: "string",
    pl.Enum: "string",
    pl.Binary: "binary",
    pl.Date: "date",
    pl.Null: "integer",
}
"""What Spark calls the type in which it reads a column without loss."""

METADATA = "_metadata"
"""Spark's hidden column, which a table's own column of that name would hide."""


@dataclass(frozen=True)
class Changes:
    """What was converted before Spark read the table.

    Attributes:
        notes: a sentence on it, if anything was.
        columns: those that Spark has in another type than the table, to be turned back.
    """

    notes: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()


def prepare(cut: Cut, session: Any, gateway: Any, scratch: Path) -> Changes:
    """Give Spark the rows of a table, as the view `source` of its session.

    Args:
        cut: the plan and its table.
        session: Spark's, in Java.
        gateway: py4j's, to that Java.
        scratch: a folder for the converted table.

    Raises:
        DataError: the table cannot be read.
    """
    table, round_robin = cut.table, "position" in cut.kinds
    changes, why = Changes(), _why_not_as_it_is(table, round_robin)
    frame = None if why else read(session, gateway, table.files)
    if frame is not None and _types(json.loads(frame.schema().json())) != _expected(table.schema):
        frame, why = None, "it reads types of this Parquet otherwise"
    if frame is None:
        file = scratch / "rows.parquet"
        changes = _convert(cut, file, why)
        frame = read(session, gateway, [file])
    elif round_robin:
        frame = _with_position(frame, table, gateway)
    frame.createOrReplaceTempView(SOURCE)
    return changes


def read(session: Any, gateway: Any, files: Sequence[Path]) -> Any:
    """Spark's DataFrame of Parquet files.

    Their names are no patterns. Spark 4.3 has an option for that, with which it reads files twice
    where there are several; so the characters of patterns are escaped.
    """
    paths = gateway.new_array(gateway.jvm.java.lang.String, len(files))
    for i, file in enumerate(files):
        paths[i] = re.sub(r"([\\*?\[\]{}])", r"\\\1", spark_path(file))
    return session.read().parquet(paths)


def spark_path(file: Path) -> str:
    """A file of this machine as Spark writes it."""
    return "file:" + (file.parent.resolve() / file.name).as_posix()


def turn_back(folder: Path, schema: pl.Schema, changed: Sequence[str]) -> str:
    """Give the columns of all parts the types of the table again, and say so in a sentence."""
    files = sorted(folder.rglob("*.parquet"))
    for file in files:
        rows = pl.scan_parquet(file, hive_partitioning=False, glob=False)
        names = [name for name in rows.collect_schema() if name in changed]
        if names:
            whole = file.with_name(f"{file.stem}-typed.parquet")
            typed = rows.with_columns(pl.col(name).cast(schema[name]) for name in names)
            typed.sink_parquet(whole, compression="lz4")
            file.unlink()
    kinds = ", ".join(f"{name}: {schema[name]}" for name in changed)
    return f"the parts' files got types again that Spark does not have ({kinds})"


def _why_not_as_it_is(table: Table, round_robin: bool) -> str:
    if table.format == "csv":
        return "its CSV reader takes an empty text for null"
    unknown = [f"{name}: {kind}" for name, kind in table.schema.items() if stored(kind) != kind]
    if unknown:
        return f"it has no exact type for {', '.join(unknown)}"
    named = [file.name for file in table.files if ":" in file.name]
    if named:
        return f"it cannot read a file whose name has a colon ({named[0]})"
    if round_robin and METADATA in table.schema:
        return f"the column {METADATA} hides its own, which counts rows"
    return ""


def _convert(cut: Cut, file: Path, why: str) -> Changes:
    """Write the table, and the places of its rows where they are wanted, as Spark reads it."""
    table, began = cut.table, time.perf_counter()
    rows = table.scan().with_columns(
        pl.col(name).cast(stored(kind)) for name, kind in table.schema.items()
    )
    if "position" in cut.kinds:
        place = position_column(table.schema)
        rows = rows.with_row_index(place).with_columns(pl.col(place).cast(pl.Int64))
    with reading(table.files):
        rows.sink_parquet(file, compression="lz4")
    seconds = time.perf_counter() - began
    note = (
        f"the table was copied to a Parquet that Spark reads exactly, as {why} "
        f"({table.bytes / 1e6:.1f} MB in {seconds:.1f} s)"
    )
    changed = (name for name, kind in table.schema.items() if stored(kind) != kind)
    return Changes((note,), tuple(changed))


def stored(kind: pl.DataType) -> pl.DataType:
    """The type in which a column is handed to Spark: its own, or one that holds all its values."""
    if isinstance(kind, pl.Datetime):
        return kind if kind.time_unit == "us" else pl.Int64()
    if isinstance(kind, pl.List):
        return pl.List(stored(_of(kind.inner)))
    if isinstance(kind, pl.Array):
        return pl.Array(stored(_of(kind.inner)), kind.shape[0])
    if isinstance(kind, pl.Struct):
        return pl.Struct({field.name: stored(_of(field.dtype)) for field in kind.fields})
    if isinstance(kind, pl.Duration) or kind == pl.Time:
        return pl.Int64()
    if isinstance(kind, pl.Decimal) or kind.base_type() in NAMES:
        return kind
    return pl.String()


def _of(kind: Any) -> pl.DataType:
    """The type itself, where a nested one may hold only its class."""
    return cast(pl.DataType, kind() if isinstance(kind, type) else kind)


def _expected(schema: pl.Schema) -> SparkType:
    return ("struct", *((name, _spark_type(kind)) for name, kind in schema.items()))


def _spark_type(kind: pl.DataType) -> SparkType:
    if isinstance(kind, pl.Datetime):
        return "timestamp" if kind.time_zone else "timestamp_ntz"
    if isinstance(kind, pl.Decimal):
        return f"decimal({kind.precision},{kind.scale})"
    if isinstance(kind, pl.List | pl.Array):
        return ("array", _spark_type(_of(kind.inner)))
    if isinstance(kind, pl.Struct):
        fields = ((field.name, _spark_type(_of(field.dtype))) for field in kind.fields)
        return ("struct", *fields)
    return NAMES[kind.base_type()]


def _types(kind: Any) -> SparkType:
    """A type of Spark's JSON, without what may be null."""
    if isinstance(kind, str):
        return kind
    if kind["type"] == "array":
        return ("array", _types(kind["elementType"]))
    if kind["type"] == "struct":
        return ("struct", *((field["name"], _types(field["type"])) for field in kind["fields"]))
    return str(kind["type"])


def _with_position(frame: Any, table: Table, gateway: Any) -> Any:
    """The rows with their place: that in their file, which Spark knows, and the files before."""
    place = f"{METADATA}.row_index"
    if len(table.files) > 1:
        before = _rows_before(table)
        pairs = [f"{text(uri)}, {before[_path_of(uri)]}L" for uri in _short(frame.inputFiles())]
        file = f"regexp_replace({METADATA}.file_path, '^file:/+', '/')"
        place += f" + map({', '.join(pairs)})[{file}]"
    columns = gateway.new_array(gateway.jvm.java.lang.String, 2)
    columns[0], columns[1] = "*", f"{place} AS {quoted(position_column(table.schema))}"
    return frame.selectExpr(columns)


def _rows_before(table: Table) -> dict[str, int]:
    """How many rows of the table are in the files before each."""
    before, rows = {}, 0
    for file in table.files:
        before[spark_path(file)] = rows
        with reading([file]):
            count = pl.scan_parquet(file, hive_partitioning=False, glob=False).select(pl.len())
            rows += count.collect().item()
    return before


def _short(uris: Iterable[str]) -> list[str]:
    """Addresses of files without their beginning, which Spark writes now as file:/, now file:///."""
    return ["/" + uri.removeprefix("file:").lstrip("/") for uri in uris]


def _path_of(uri: str) -> str:
    return "file:" + Path(url2pathname(uri)).as_posix()
