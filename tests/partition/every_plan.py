"""One table with all that makes keys hard, and every kind of plan that cuts it."""

from __future__ import annotations

import datetime as dt

import numpy as np
import polars as pl

from amaas_kit.partition import Plan

START = dt.datetime(2026, 3, 29)
HOUR = dt.timedelta(hours=1)
TEXTS = (
    "",
    " ",
    "a",
    "b\tc",
    "d\ne",
    "f\r\ng",
    'h "i"',
    "j,k",
    "%",
    "%0A",
    "%N",
    "\\N",
    "é",
    "𝄞",
    "\ufeff",
    "ß" * 99,
)


def hard_table(rows: int, seed: int) -> pl.DataFrame:
    """Rows with negative, extreme, missing and skewed keys, texts, times on a boundary."""
    draw = np.random.default_rng(seed)
    user = draw.zipf(1.5, rows).clip(max=10**9) * draw.choice([-1, 1], rows)
    user[:6] = [0, -1, 2**63 - 1, -(2**63), 2_147_483_647, -2_147_483_648]
    texts = np.array(TEXTS, dtype=object)[draw.integers(0, len(TEXTS), rows)]
    numbered = np.array([f"user-{n}" for n in draw.integers(0, 5_000, rows)], dtype=object)
    seconds = draw.integers(0, 30 * 3600, rows)
    seconds[::7] = seconds[::7] // 3600 * 3600
    day = draw.integers(-400, 400, rows)
    table = pl.DataFrame(
        {
            "row_id": draw.permutation(rows),
            "user": user,
            "name": np.where(draw.random(rows) < 0.3, texts, numbered),
            "at": np.datetime64(START, "us") + seconds * np.timedelta64(1_000_000, "us"),
            "day": np.datetime64("1970-01-01") + day.astype("timedelta64[D]"),
            "x": draw.normal(size=rows),
            "y": draw.normal(size=rows).astype(np.float32),
            "note": texts,
            "small": draw.integers(-128, 128, rows).astype(np.int8),
            "flag": draw.random(rows) < 0.5,
        },
        schema_overrides={"name": pl.String, "note": pl.String},
    )
    return table.with_columns(
        pl.when(pl.Series(draw.random(rows) >= 0.05)).then(pl.col(name)).alias(name)
        for name in ("user", "name", "at", "day", "x", "note")
    )


GROUPS = {
    "who": ["user", "name", "note"],
    "when": ["at", "day"],
    "what": ["x", "y", "small", "flag"],
}

PLANS = {
    "hash of numbers": Plan.hash("user", 8),
    "hash of text": Plan.hash("name", 5, nulls=4),
    "hash of times": Plan.hash("at", 3),
    "range of numbers": Plan.range("user", [-3, -1, 0, 2, 10**6], nulls=5),
    "range of text": Plan.range("name", ["", "b\tc", "user-25", "é"]),
    "range of text from the empty one": Plan.range("name", [""], nulls=1),
    "range of real numbers": Plan.range("x", [-1.5, 0, 0.25]),
    "range of dates": Plan.range("day", [dt.date(1969, 12, 31), dt.date(1970, 6, 1)]),
    "open window": Plan.window("at", START, HOUR),
    "window": Plan.window(
        "day", dt.date(1968, 1, 1), dt.timedelta(weeks=26), dt.date(1972, 1, 1), nulls=1
    ),
    "round robin": Plan.round_robin(7),
    "columns": Plan.columns(GROUPS, "row_id"),
    "columns within hash within window": Plan.window("at", START, 12 * HOUR)
    .then(Plan.hash("user", 3, nulls=2))
    .then(Plan.columns(GROUPS, "row_id")),
    "round robin within range": Plan.range("x", [0.0]).then(Plan.round_robin(3)),
}
