"""Whether a key tells the rows of a table apart, in bounded memory however many rows there are."""

from __future__ import annotations

import polars as pl

from amaas_kit.partition.source import Table

KEYS_AT_ONCE = 4_000_000
"""So many keys are held to be compared: about 300 MB for numbers, 600 MB for texts."""

LONG = (pl.String, pl.Binary, pl.Categorical, pl.Enum)
"""Types of which two fingerprints of 64 bits are compared, and not the values themselves."""


def ascends(key: str, table: Table) -> bool:
    """Whether each key is above the one before, which proves in one pass that all differ."""
    last = None
    for batch in table.scan().select(key).collect_batches(engine="streaming"):
        column = batch.to_series()
        if column.null_count() or not (column[1:] > column[:-1]).all():
            return False
        if last is not None and len(column) and not last < column[0]:
            return False
        last = column[-1] if len(column) else last
    return True


def different_keys(key: str, table: Table) -> int:
    """How many values a column has, null as one of them.

    Each pass over the column takes the keys whose hash has one remainder: all rows with the same
    key, and about as many keys as may be held. Two texts with the same two fingerprints would be
    counted as one; among a thousand million texts the chance of that is below 1e-20.
    """
    column = pl.col(key)
    if table.schema[key] in LONG:
        text = column if table.schema[key] == pl.Binary else column.cast(pl.String)
        keys = table.scan().select(text.hash(0).alias("0"), text.hash(1).alias("1"))
    else:
        keys = table.scan().select(column)
    passes = -(-table.rows // KEYS_AT_ONCE)
    counts = [
        keys.filter(pl.first().hash() % passes == remainder).unique().select(pl.len())
        for remainder in range(passes)
    ]
    return sum(count.collect(engine="streaming").item() for count in counts)
