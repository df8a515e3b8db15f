"""The engine that needs nothing: Polars, streaming, so that memory stays bounded."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from threading import Lock

import numpy as np
import polars as pl

from amaas_kit.partition.cut import PART, Cut
from amaas_kit.partition.engines.protocol import Availability, Engine, Progress
from amaas_kit.partition.reference import part_numbers
from amaas_kit.partition.source import reading

ROWS_AT_ONCE = 1 << 16
"""In one batch of the stream, and in one group of rows of a file. With Polars' own larger ones
writing the parts and reading them back hold half as much again, and nothing is faster."""


class Local(Engine):
    """This process, with all its cores and the reference function itself. No Java.

    Taught in: notebooks/05_data_partitioning.
    """

    name = "local"

    def available(self) -> Availability:
        """Always ready."""
        return Availability(True, "Polars is here")

    def _cut(self, cut: Cut, folder: Path, scratch: Path, progress: Progress) -> list[str]:
        with reading(cut.table.files), pl.Config(streaming_chunk_size=ROWS_AT_ONCE):
            pl.collect_all(
                [_sink(rows, folder) for rows in _of_groups(cut, _numbered(cut, progress))],
                engine="streaming",
            )
        return []

    def _versions(self) -> dict[str, str]:
        return {"polars": pl.__version__}


def _numbered(cut: Cut, progress: Progress) -> pl.LazyFrame:
    """The rows of the table with their row part."""
    rows, keys = cut.table.scan(), list(cut.keys)
    if "position" in cut.kinds:
        rows = rows.with_row_index(cut.position)
        keys.append(pl.col(cut.position))
    if not keys:
        return rows.with_columns(pl.lit(0, pl.Int64).alias(PART))
    number = _Numbering(cut, progress)
    part = pl.map_batches(keys, number, return_dtype=pl.Int64, is_elementwise=True)
    return rows.with_columns(part.alias(PART)).drop(cut.position, strict=False)


class _Numbering:
    """The reference function on the batches of a stream, which tells how far it has come."""

    def __init__(self, cut: Cut, progress: Progress) -> None:
        self.cut = cut
        self.progress = progress
        self.done = 0
        self.lock = Lock()

    def __call__(self, keys: Sequence[pl.Series]) -> pl.Series:
        """The row parts of a batch: (n,) int64."""
        rows = len(keys[0])
        position = keys[-1].to_numpy() if "position" in self.cut.kinds else np.zeros(rows, np.int64)
        parts = part_numbers(self.cut.steps, keys, position)
        with self.lock:
            self.done += rows
            self.progress(self.done / self.cut.table.rows, "cutting")
        return pl.Series(parts)


def _of_groups(cut: Cut, rows: pl.LazyFrame) -> list[pl.LazyFrame]:
    """The rows as they are written: all columns, or those of each group, with the final part."""
    if not cut.groups:
        return [rows]
    order = list(cut.table.schema)
    return [
        rows.select(
            *sorted(group, key=order.index),
            pl.col(PART) * len(cut.groups) + number,
        )
        for number, group in enumerate(cut.groups)
    ]


def _sink(rows: pl.LazyFrame, folder: Path) -> pl.LazyFrame:
    by_part = pl.PartitionBy(folder, key=PART, include_key=False)
    return rows.sink_parquet(
        by_part, compression="lz4", row_group_size=ROWS_AT_ONCE, mkdir=True, lazy=True
    )
