"""A generated table of events, as large as is asked for: who did what when, and how it ended."""

from __future__ import annotations

import os
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from amaas_kit.errors import DataError
from amaas_kit.files import write_whole

if TYPE_CHECKING:
    import polars as pl

BLOCK_ROWS = 1 << 16
"""Rows are drawn in blocks of this size, each from a seed of its own: memory stays bounded, and a
longer table begins with the rows of a shorter one."""

START_MS = 1_767_225_600_000
"""The first moment: 2026-01-01 00:00 UTC."""

GAP_MS = 1_000
HOUR_MS = 3_600_000
ON_THE_HOUR = 997
"""Each row whose number this divides lies on a full hour, where windows meet."""

USERS = 50_000
GUESTS = 0.1
"""The share of rows of guests, whose ids are negative."""

FEATURES = 10
WEIGHTS = np.array([1.5, -1.0, 0.75, -0.5, 0.25, 0.0, 0.0, 0.0, 0.0, 0.0])


def load_events(rows: int = 100_000, seed: int = 7) -> pl.DataFrame:
    """Make a table of events.

    Few users make most of the events, as it is with people: the frequency of ids follows Zipf's
    law. The label can be told from the features in about five of six rows.

    Args:
        rows: how many, from 1; 2,000,000 take about 200 MB.
        seed: from 0; the same one gives the same rows, and a longer table begins with them.

    Returns:
        row_id (0, 1, 2, …), user_id (negative for guests), ts_ms (milliseconds since 1970, one
        second a row apart and up to a minute out of order; of every 997th row the full hour before
        that), f0 to f9 (float64, mean 0, deviation 1) and label (0 or 1, about half each).

    Raises:
        DataError: rows or seed is no such number.

    Taught in: notebooks/05_data_partitioning.
    """
    return _lazily(rows, seed).collect(engine="streaming")


def write_events(path: str | os.PathLike[str], rows: int = 100_000, seed: int = 7) -> Path:
    """Write the table of `load_events` as Parquet, whole or not at all, with bounded memory.

    Args:
        path: the file; its folder must exist.
        rows: how many, from 1.
        seed: from 0.

    Raises:
        DataError: rows or seed is no such number, or the file cannot be written.
    """
    table = _lazily(rows, seed)
    try:
        return write_whole(path, table.sink_parquet)
    except OSError as error:
        raise DataError(
            situation=f"While writing {os.fspath(path)}",
            seen=error.strerror or str(error),
            wrong="the system refuses to write there",
            fix="name a file in a folder that exists, with room left, where you may write",
        ) from error


def _lazily(rows: int, seed: int) -> pl.LazyFrame:
    import polars as pl
    from polars.io.plugins import register_io_source

    rows, seed = _whole(rows, "rows", 1), _whole(seed, "seed", 0)
    features = {f"f{i}": pl.Float64 for i in range(FEATURES)}
    schema = pl.Schema(
        {"row_id": pl.Int64, "user_id": pl.Int64, "ts_ms": pl.Int64, **features, "label": pl.Int64}
    )

    def source(
        columns: list[str] | None, predicate: pl.Expr | None, limit: int | None, _: int | None
    ) -> Iterator[pl.DataFrame]:
        for block in _blocks(rows if limit is None else min(rows, limit), seed):
            frame = pl.DataFrame(block, schema=schema).select(columns or list(schema))
            yield frame if predicate is None else frame.filter(predicate)

    return register_io_source(source, schema=schema)


def _whole(number: object, name: str, least: int) -> int:
    """A whole number, of NumPy too, as one of Python."""
    if not isinstance(number, int | np.integer) or isinstance(number, bool) or number < least:
        raise DataError(
            situation="While making a table of events",
            seen=f"{name}={number!r}",
            wrong=f"it is a whole number from {least}",
            fix="leave it out, or pass for example rows=100_000, seed=7",
        )
    return int(number)


def _blocks(rows: int, seed: int) -> Iterator[dict[str, np.ndarray]]:
    for number in count():
        left = rows - number * BLOCK_ROWS
        if left <= 0:
            return
        yield {name: column[:left] for name, column in _block(number, seed).items()}


def _block(number: int, seed: int) -> dict[str, np.ndarray]:
    draw = np.random.default_rng([seed, number])
    row = np.arange(BLOCK_ROWS) + number * BLOCK_ROWS
    user = (draw.zipf(1.3, BLOCK_ROWS) - 1) % USERS + 1
    guest = draw.random(BLOCK_ROWS) < GUESTS
    moment = START_MS + row * GAP_MS + draw.integers(0, 60_000, BLOCK_ROWS)
    on_the_hour = row % ON_THE_HOUR == 0
    features = draw.normal(size=(BLOCK_ROWS, FEATURES))
    label = features @ WEIGHTS + draw.logistic(scale=0.6, size=BLOCK_ROWS) > 0
    return {
        "row_id": row,
        "user_id": np.where(guest, -user, user),
        "ts_ms": np.where(on_the_hour, moment // HOUR_MS * HOUR_MS, moment),
        **{f"f{i}": np.ascontiguousarray(features[:, i]) for i in range(FEATURES)},
        "label": label.astype(np.int64),
    }
