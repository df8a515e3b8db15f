"""A table as lines of text and back, for engines that read no Parquet.

A line holds a cell for each step of the plan, its key or the row's position, and then a cell for
each column. Tabs lie between cells. Text hides the signs that lines are made of behind a percent
sign, and a null is `%N`, which no text can be. So line breaks, quotes, the empty text and null all
come back as they were.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import polars as pl

from amaas_kit.errors import DataError
from amaas_kit.partition.cut import Cut
from amaas_kit.partition.engines.protocol import Progress
from amaas_kit.partition.part_files import FOLDER
from amaas_kit.partition.source import reading

NULL = "%N"
HIDDEN = {"%": "%25", "\t": "%09", "\n": "%0A", "\r": "%0D", "\ufeff": "%FE"}
"""How text writes the signs that lines are made of, and the byte order mark, which some readers
drop at the beginning of a file. The percent sign is hidden first."""

ROWS_AT_ONCE = 50_000
"""So many rows are text at a time. Text takes far more room than the values it is made of."""


def write(cut: Cut, file: Path, progress: Progress) -> str:
    """Write the table of a plan as lines.

    Args:
        cut: the plan and its table.
        file: is made, and its folder too.
        progress: is told.

    Returns:
        A sentence that says so.

    Raises:
        DataError: a column is of a type that has no text.
    """
    progress(None, "writing the table as lines")
    names = list(cut.table.schema)
    cells = [_text_of(pl.col(name), kind, name, cut) for name, kind in cut.table.schema.items()]
    rows, place = cut.table.scan(), cut.position
    if "position" in cut.kinds:
        rows = rows.with_row_index(place)
    keys = iter(cut.keys)
    steps = [(pl.col(place) if kind == "position" else next(keys), kind) for kind in cut.kinds]
    texts = [_key_text(key, kind).alias(f"step {i}") for i, (key, kind) in enumerate(steps)]
    texts += [cell.alias(f"column {i}") for i, cell in enumerate(cells)]
    file.parent.mkdir(parents=True, exist_ok=True)
    done = 0
    with reading(cut.table.files), file.open("wb") as output:
        for batch in rows.collect_batches(maintain_order=True, engine="streaming"):
            for few in batch.iter_slices(ROWS_AT_ONCE):
                few.select(texts).write_csv(
                    output,
                    include_header=False,
                    separator="\t",
                    quote_style="never",
                    null_value=NULL,
                )
                done += len(few)
                progress(done / cut.table.rows, "writing the table as lines")
    kind = {"parquet": "Parquet", "csv": "CSV"}[cut.table.format]
    size = file.stat().st_size / 1e6
    return f"the {kind} was written as {size:.1f} MB of lines, {len(names)} columns a line"


def read(cut: Cut, found: Mapping[int, Sequence[Path]], folder: Path, progress: Progress) -> None:
    """Write parts as Parquet from the lines that an engine made of them.

    Args:
        cut: the plan and its table.
        found: the files of lines of each part; a line holds the cells of the columns alone, those
            of the part's group in the table's order.
        folder: gets `part=<number>/0.parquet` for each part with rows, with the table's types.
        progress: is told.
    """
    full = {part: files for part, own in found.items() if (files := _not_empty(own))}
    for done, (part, files) in enumerate(full.items()):
        progress(done / len(full), "writing the parts as Parquet")
        schema = _schema(cut, part)
        cells = pl.scan_csv(
            files,
            has_header=False,
            separator="\t",
            quote_char=None,
            empty_string_is_null=False,
            schema=dict.fromkeys(schema, pl.String),
            glob=False,
        )
        rows = cells.select(_value_of(name, kind) for name, kind in schema.items())
        rows.sink_parquet(folder / f"{FOLDER}{part}" / "0.parquet", compression="lz4", mkdir=True)


def hide(text: pl.Expr) -> pl.Expr:
    """Text without the signs that lines are made of."""
    for sign, hidden in HIDDEN.items():
        text = text.str.replace_all(sign, hidden, literal=True)
    return text


def show(text: pl.Expr) -> pl.Expr:
    """The text that `hide` hid."""
    for sign, hidden in reversed(HIDDEN.items()):
        text = text.str.replace_all(hidden, sign, literal=True)
    return text


def _key_text(key: pl.Expr, kind: str) -> pl.Expr:
    return hide(key) if kind == "text" else key.cast(pl.String)


def _text_of(column: pl.Expr, kind: pl.DataType, name: str, cut: Cut) -> pl.Expr:
    if kind in (pl.String, pl.Categorical, pl.Enum):
        return hide(column.cast(pl.String))
    if kind == pl.Boolean:
        return column.cast(pl.Int8).cast(pl.String)
    if kind.is_temporal():
        return column.to_physical().cast(pl.Int64).cast(pl.String)
    if kind == pl.Binary:
        return column.bin.encode("hex")
    if kind.is_numeric() or kind == pl.Null:
        return column.cast(pl.String)
    raise DataError(
        situation=f"While writing {cut.table.path} as lines of text",
        seen=f"{name}: {kind}",
        wrong="a value that holds others has no cell in a line",
        fix='take engine("local") or engine("spark"), or leave the column out',
    )


def _value_of(name: str, kind: pl.DataType) -> pl.Expr:
    cell = pl.when(pl.col(name) != NULL).then(pl.col(name))
    if kind in (pl.String, pl.Categorical, pl.Enum):
        return show(cell).cast(kind).alias(name)
    if kind == pl.Boolean:
        return cell.cast(pl.Int8).cast(kind).alias(name)
    if kind == pl.Date:
        return cell.cast(pl.Int32).cast(kind).alias(name)
    if kind.is_temporal():
        return cell.cast(pl.Int64).cast(kind).alias(name)
    if kind == pl.Binary:
        return cell.str.decode("hex").alias(name)
    return cell.cast(kind).alias(name)


def _schema(cut: Cut, part: int) -> Mapping[str, pl.DataType]:
    if not cut.groups:
        return cut.table.schema
    group = cut.groups[part % len(cut.groups)]
    return {name: kind for name, kind in cut.table.schema.items() if name in group}


def _not_empty(paths: Iterable[Path]) -> list[Path]:
    return [path for path in paths if path.stat().st_size]
