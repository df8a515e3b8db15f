"""The types of the columns of CSV files: one only where it keeps what each value says, else text.

Polars guesses: 01/02/2026 is then the first of February, 00123 a number, and a whole number beside
a fraction loses its last digits. Here all values are read as text, some millions of bytes at a
time, and a column has a type only if each of its values is written as one of that type is, and can
be read back from it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any, cast

import polars as pl

WHOLE = r"0|-?[1-9][0-9]*"
"""007 and +5 are text, for their digits may be a code; nor is -0 a whole number."""

FRACTION = r"-?(?:(?:0|[1-9][0-9]*)(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?|NaN|nan|-?inf"
ZERO = r"^-?[0.]+(?:[eE].*)?$"
NO_NUMBER = r"^(?:NaN|nan|-?inf)$"
EXACT = 2**53
"""Beyond it float64 has not all whole numbers."""


@dataclass(frozen=True)
class Kind:
    """A type that a column may have.

    Args:
        type: of Polars.
        pattern: how each value is written.
        written: how dates and times are written, as Polars says it; None for other types, which
            Polars reads from CSV by itself.
    """

    type: pl.DataType
    pattern: str
    written: str | None = None

    def read(self, text: pl.Expr) -> pl.Expr:
        """The values; null for one that the type does not have."""
        if self.written is not None:
            return text.str.strptime(cast(Any, self.type), self.written, strict=False)
        if self.type == pl.Boolean:
            return text.str.to_lowercase() == "true"
        return text.cast(self.type, strict=False)

    def holds(self, text: pl.Expr, values: pl.Expr) -> pl.Expr:
        """Whether all values of a column of text are written so, and could be read."""
        written = text.str.contains(f"^(?:{self.pattern})$").all()
        return written & (values.null_count() == text.null_count())


@dataclass(frozen=True)
class CsvTypes:
    """How the columns are read.

    Args:
        schema: names and types.
        times: how the values of columns with dates and times are written.
    """

    schema: pl.Schema
    times: dict[str, str]


def csv_types(blocks: Iterable[bytes], names: tuple[str, ...], separator: str) -> CsvTypes:
    """The type of each column; of text, String, where no other holds all values, or there are none.

    Args:
        blocks: rows of CSV files with the same header, without it.
        names: of the columns.
        separator: between the fields.

    Raises:
        PolarsError: a block is damaged.
    """
    text = pl.Schema({str(place): pl.String() for place in range(len(names))})
    left: dict[str, list[Kind]] = {}
    for block in blocks:
        rows = pl.read_csv(block, has_header=False, schema=text, separator=separator)
        left = _still(rows, left | _possible(rows, [name for name in text if name not in left]))
    kinds = {
        name: left[column][0] for name, column in zip(names, text, strict=True) if left.get(column)
    }
    return CsvTypes(
        pl.Schema({name: kinds[name].type if name in kinds else pl.String() for name in names}),
        {name: kind.written for name, kind in kinds.items() if kind.written},
    )


def _possible(rows: pl.DataFrame, columns: Sequence[str]) -> dict[str, list[Kind]]:
    """The types that hold the first value of each column that has one in these rows."""
    if not columns:
        return {}
    first = rows.select(pl.col(columns).drop_nulls().first()).row(0, named=True)
    return {
        column: [kind for kind in KINDS if re.fullmatch(kind.pattern, value)]
        for column, value in first.items()
        if value is not None
    }


def _still(rows: pl.DataFrame, left: dict[str, list[Kind]]) -> dict[str, list[Kind]]:
    """Of the types that each column may have, those that hold its values in these rows too."""
    asked = [(column, kind) for column, kinds in left.items() for kind in kinds]
    read = rows.with_columns(
        kind.read(pl.col(column)).alias(f"{column} {i}") for i, (column, kind) in enumerate(asked)
    )
    answers = read.select(
        kind.holds(pl.col(column), pl.col(f"{column} {i}")).alias(str(i))
        for i, (column, kind) in enumerate(asked)
    )
    still: dict[str, list[Kind]] = {column: [] for column in left}
    for i, holds in enumerate(answers.row(0) if asked else ()):
        column, kind = asked[i]
        if holds and (kind.type != pl.Float64 or _keeps(read[column], read[f"{column} {i}"])):
            still[column].append(kind)
    return still


def _keeps(text: pl.Series, values: pl.Series) -> bool:
    """Whether float64 keeps numbers, but for the rounding of fractions.

    It does not keep what is too large or too small for it, nor a whole number beyond 2^53 that is
    written digit by digit, but for those with a point that it has.
    """
    zero = (values == 0) & (text.str.len_bytes() > len("0.0"))
    odd = text.filter(zero | ~(values.abs() < EXACT))
    return odd.is_empty() or bool(odd.to_frame("text").select(_is_kept(pl.col("text"))).item())


def _is_kept(text: pl.Expr) -> pl.Expr:
    number = text.cast(pl.Float64)
    whole = text.str.replace(r"\.0*$", "").cast(pl.Int128, strict=False)
    same = (whole == number.cast(pl.Int128, strict=False)).fill_null(False)
    short = text.str.contains(".", literal=True) | (whole.abs() == EXACT)
    return (
        pl.when(number == 0)
        .then(text.str.contains(ZERO))
        .when(number.is_finite())
        .then(text.str.contains("[eE]") | (same & short))
        .otherwise(text.str.contains(NO_NUMBER))
        .all()
    )


DAY = ("[0-9]{4}-[0-9]{2}-[0-9]{2}", "%Y-%m-%d")
CLOCKS = (
    (r"[0-9]{2}:[0-9]{2}:[0-5][0-9](?:\.[0-9]{1,%d})?", "%H:%M:%S%.f"),
    ("[0-9]{2}:[0-9]{2}", "%H:%M"),
)
"""A minute's 61st second is text: Polars takes it for the next minute's first."""

ZONES = ((None, "", ""), ("UTC", "(?:Z|[+-][0-9]{2}:?[0-9]{2})", "%#z"))


def _times() -> Iterator[Kind]:
    """Dates, times of day to the nanosecond, and ISO 8601 times to the microsecond."""
    yield Kind(pl.Date(), *DAY)
    for clock, written in CLOCKS:
        yield Kind(pl.Time(), clock.replace("%d", "9"), written)
    for (zone, offset, suffix), (clock, written), between in product(ZONES, CLOCKS, "T "):
        yield Kind(
            pl.Datetime("us", zone),
            DAY[0] + between + clock.replace("%d", "6") + offset,
            DAY[1] + between + written + suffix,
        )


KINDS: tuple[Kind, ...] = (
    Kind(pl.Boolean(), "(?i:true|false)"),
    Kind(pl.Int64(), WHOLE),
    Kind(pl.Int128(), WHOLE),
    Kind(pl.Float64(), FRACTION),
    *_times(),
)
"""What is tried; of several that hold all values, the first is taken."""
