"""A checksum of rows that does not depend on their order, nor on how a file stores the values.

Each value becomes a 64-bit number, a row the sum of its columns' numbers times a key of each
column's name, and a table the sum of its mixed rows; everything modulo 2^64. No hash of a library
is used, so the numbers stay the same with every version. They guard against faults, not against a
forger.

The mixing and its constants: splitmix64, Steele, Lea and Flood (2014), "Fast splittable
pseudorandom number generators", as in Vigna's public-domain splitmix64.c.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import polars as pl

Numbers: TypeAlias = npt.NDArray[np.uint64]

GAMMA = 0x9E3779B97F4A7C15
BASE = 0xD1342543DE82EF95
"""Of the polynomials over texts and lists: odd, so that it has an inverse modulo 2^64."""
INVERSE = pow(BASE, -1, 1 << 64)

BLOCK_ROWS = 1 << 14
"""So many rows at once that their sums stay in the processor's cache."""
SLICE_BYTES = 1 << 20
"""So much of texts or lists at once, of which eight times as much is needed meanwhile."""
CACHED_BITS = 22

NANOSECONDS = {"ns": 1, "us": 1_000, "ms": 1_000_000}


@dataclass(frozen=True)
class Tally:
    """What is summed up of some rows.

    Args:
        rows: how many there are.
        checksum: the sum of theirs modulo 2^64.
        keys: the least and the greatest key, or None where there is none.

    Two tallies are added where rows are put together.
    """

    rows: int = 0
    checksum: int = 0
    keys: tuple[Any, Any] | None = None

    @property
    def text(self) -> str:
        """The checksum as it is written: 16 digits of base 16."""
        return text(self.checksum)

    def __add__(self, other: Tally) -> Tally:
        pairs = [pair for pair in (self.keys, other.keys) if pair is not None]
        keys = (min(p[0] for p in pairs), max(p[1] for p in pairs)) if pairs else None
        checksum = (self.checksum + other.checksum) % (1 << 64)
        return Tally(self.rows + other.rows, checksum, keys)


def of(table: pl.LazyFrame) -> Tally:
    """The tally of a table, read as a stream.

    Args:
        table: of columns of any types but Object.
    """
    names = table.collect_schema().names()
    label = "\0".join(["part", *names])
    return by(table.with_columns(pl.lit(0).alias(label)), label).get(0, Tally())


def by(table: pl.LazyFrame, label: str, key: pl.Expr | None = None) -> dict[Any, Tally]:
    """The tallies of the rows of each label, read as a stream.

    Args:
        table: the rows.
        label: the column that says what a row is counted under, itself not in the checksum.
        key: of which the least and the greatest are wanted.
    """
    key = pl.lit(None) if key is None else key
    shape = table.select(label=label, key=key).collect_schema()

    def summed(batch: pl.DataFrame) -> pl.DataFrame:
        numbers = pl.Series("row", rows(batch.drop(label)))
        return (
            batch.select(label=label, key=key)
            .with_columns(numbers)
            .group_by("label")
            .agg(
                pl.len().cast(pl.Int64),
                # Two sums of halves, which cannot overflow.
                high=(pl.col("row") // (1 << 32)).sum(),
                low=(pl.col("row") % (1 << 32)).sum(),
                least=pl.col("key").min(),
                most=pl.col("key").max(),
            )
        )

    sums = table.map_batches(
        summed,
        schema={
            "label": shape["label"],
            "len": pl.Int64,
            "high": pl.UInt64,
            "low": pl.UInt64,
            "least": shape["key"],
            "most": shape["key"],
        },
        streamable=True,
    ).collect(engine="streaming")
    return {group[0]: _tally(frame) for group, frame in sums.group_by("label")}


def _tally(sums: pl.DataFrame) -> Tally:
    least, most = sums["least"].min(), sums["most"].max()
    checksum = sum(sums["high"].to_list()) * (1 << 32) + sum(sums["low"].to_list())
    keys = None if least is None else (least, most)
    return Tally(int(sums["len"].sum()), checksum % (1 << 64), keys)


def rows(frame: pl.DataFrame) -> Numbers:
    """The checksum of each row.

    Args:
        frame: (n, d) columns of any types but Object.

    Returns:
        (n,) uint64. Equal for equal values under equal names, whatever the order of the columns,
        the width of their numbers or the unit of their times.
    """
    return mix(_weighted(frame.get_columns(), len(frame)))


def total(numbers: Numbers) -> int:
    """The checksum of a table: the sum of its rows' modulo 2^64."""
    return int(np.add.reduce(numbers, dtype=np.uint64))


def text(number: int) -> str:
    """A checksum as it is written: 16 digits of base 16."""
    return f"{number % (1 << 64):016x}"


def mix(numbers: Numbers) -> Numbers:
    """Splitmix64's finaliser, in place: each bit of the argument changes half of the result's."""
    scratch = np.empty(min(len(numbers), BLOCK_ROWS), np.uint64)
    for start in range(0, len(numbers), BLOCK_ROWS):
        z = numbers[start : start + BLOCK_ROWS]
        shifted = scratch[: len(z)]
        for bits, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB), (31, 1)):
            np.right_shift(z, np.uint64(bits), out=shifted)
            np.bitwise_xor(z, shifted, out=z)
            if factor != 1:
                np.multiply(z, np.uint64(factor), out=z)
    return numbers


def _weighted(columns: list[pl.Series], length: int) -> Numbers:
    """(n,) the sum over the columns of their keys times their numbers."""
    parts = [(*_keys(column.name), *_numbers(column)) for column in columns]
    sums = np.full(length, GAMMA, np.uint64)
    scratch = np.empty(min(length, BLOCK_ROWS), np.uint64)
    for start in range(0, length, BLOCK_ROWS):
        block = slice(start, start + BLOCK_ROWS)
        here = sums[block]
        term = scratch[: len(here)]
        for key, null, numbers, missing in parts:
            np.multiply(numbers[block], key, out=term)
            if missing is not None:
                term[missing[block]] = null
            np.add(here, term, out=here)
    return sums


@lru_cache(maxsize=1024)
def _keys(name: str) -> tuple[np.uint64, np.uint64]:
    """What a column's numbers are multiplied with, and what stands for its nulls."""
    number = _polynomial(np.frombuffer(name.encode(), np.uint8), np.array([len(name.encode())]))
    key, null = mix(np.concatenate([number, number + np.uint64(GAMMA)]))
    return key | np.uint64(1), null


def _numbers(column: pl.Series) -> tuple[Numbers, npt.NDArray[np.bool_] | None]:
    """(n,) a number for each value, and where there is none; what stands there means nothing."""
    missing = column.is_null().to_numpy() if column.null_count() else None
    kind = column.dtype
    if kind == pl.Null:
        return np.zeros(len(column), np.uint64), missing
    if kind.is_nested():
        return _sliced(column, _nested), missing
    if kind in (pl.String, pl.Categorical, pl.Enum, pl.Binary, pl.Decimal, pl.Int128, pl.UInt128):
        return _sliced(_as_text(column), _of_texts), missing
    return _of_fixed_width(column), missing


def _of_fixed_width(column: pl.Series) -> Numbers:
    kind, physical = column.dtype, column.to_physical()
    if physical.null_count():
        physical = physical.fill_null(False if kind == pl.Boolean else 0)
    values = physical.to_numpy()
    if kind.is_float():
        return _of_floats(values.astype(np.float64, copy=False))
    wide = np.uint64 if values.dtype.kind == "u" else np.int64
    numbers: Numbers = values.astype(wide, copy=False).view(np.uint64)
    if isinstance(kind, pl.Datetime | pl.Duration) and kind.time_unit != "ns":
        return numbers * np.uint64(NANOSECONDS[kind.time_unit])
    return numbers


def _of_floats(values: npt.NDArray[np.float64]) -> Numbers:
    with np.errstate(invalid="ignore", over="ignore"):
        doubtful = np.isnan(values.sum())  # NaN, or infinities of both signs
    if doubtful:
        values = np.where(np.isnan(values), np.nan, values)
    return values.view(np.uint64)


def _as_text(column: pl.Series) -> pl.Series:
    """Text or bytes; of numbers the digits, without zeros behind the last place that counts."""
    if column.dtype == pl.Binary:
        return column
    written = column.cast(pl.String)
    if isinstance(column.dtype, pl.Decimal) and column.dtype.scale:
        return written.str.strip_chars_end("0").str.strip_chars_end(".")
    return written


def _sliced(column: pl.Series, numbers: Callable[[pl.Series], Numbers]) -> Numbers:
    at_once = max(1, len(column) * SLICE_BYTES // max(1, int(column.estimated_size())))
    if at_once >= len(column):
        return numbers(column)
    starts = range(0, len(column), at_once)
    return np.concatenate([numbers(column.slice(start, at_once)) for start in starts])


def _of_texts(column: pl.Series) -> Numbers:
    if column.dtype == pl.Binary:
        lengths = column.bin.size().fill_null(0).to_numpy()
        joined = b"".join(value for value in column if value)
    else:
        lengths = column.str.len_bytes().fill_null(0).to_numpy()
        joined = column.str.join("").item().encode()
    return _polynomial(np.frombuffer(joined, np.uint8), lengths)


def _nested(column: pl.Series) -> Numbers:
    """Of a struct the sum over its fields, of a list a polynomial over its elements."""
    if column.dtype == pl.Struct:
        return mix(_weighted(column.struct.unnest().get_columns(), len(column)))
    lists = column.arr.to_list() if column.dtype == pl.Array else column
    lengths = lists.list.len().fill_null(0)
    elements = lists.filter(lengths > 0).explode().alias("")
    return mix(_polynomial(mix(_weighted([elements], len(elements))), lengths.to_numpy()))


def _polynomial(values: npt.NDArray[Any], lengths: npt.NDArray[Any]) -> Numbers:
    """Of each run of values v0 … vk-1: v0·B^(k-1) + … + vk-1, plus k times another constant.

    Args:
        values: all runs, one behind the other.
        lengths: (n,) how many values each run has.

    Returns:
        (n,) uint64.
    """
    ends = np.cumsum(lengths, dtype=np.int64)
    starts = ends - lengths
    bits = max(12, len(values).bit_length())
    powers, inverses = _powers(bits) if bits <= CACHED_BITS else _powers.__wrapped__(bits)
    sums = np.zeros(len(values) + 1, np.uint64)
    np.cumsum(values * inverses[: len(values)], out=sums[1:])
    runs: Numbers = (sums[ends] - sums[starts]) * powers[np.maximum(ends, 1) - 1]
    return runs + lengths.astype(np.uint64) * np.uint64(GAMMA)


@lru_cache(maxsize=4)
def _powers(bits: int) -> tuple[Numbers, Numbers]:
    """B^0 … B^(2^bits - 1), and the same of its inverse."""
    return _geometric(BASE, 1 << bits), _geometric(INVERSE, 1 << bits)


def _geometric(base: int, count: int) -> Numbers:
    factors = np.full(count, base, np.uint64)
    factors[0] = 1
    return np.multiply.accumulate(factors)
