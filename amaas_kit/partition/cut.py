"""A plan that fits a table: its constants in the units of the table's keys, its parts counted."""

from __future__ import annotations

import contextlib
import datetime as dt
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, cast

import polars as pl

from amaas_kit.data.arrays import Array
from amaas_kit.errors import DataError
from amaas_kit.partition import dtypes
from amaas_kit.partition.distinct import ascends, different_keys
from amaas_kit.partition.plan import (
    MOST_PARTS,
    Columns,
    Hash,
    Plan,
    Range,
    RoundRobin,
    RowStep,
    Window,
    nearest,
    said,
)
from amaas_kit.partition.reference import part_numbers
from amaas_kit.partition.source import Table, reading

PART = "part"
"""The column that `Result.scan` adds, and the folders' name; no column of a table may have it."""

WHOLE = (pl.Int8, pl.Int16, pl.Int32, pl.Int64, pl.UInt8, pl.UInt16, pl.UInt32)
REAL = (pl.Float32, pl.Float64)
TEXT = (pl.String, pl.Categorical, pl.Enum)
INT64 = range(-(2**63), 2**63)


@dataclass(frozen=True)
class Cut:
    """A plan that fits a table: what an engine receives.

    Args:
        plan: as it was written.
        table: what is cut.
        steps: those that cut rows, with bounds, starts and widths as the keys have them:
            timestamps in microseconds since 1970 (UTC), dates in days.
        kinds: of each step's key: "number", "text" or "real"; "position" for round robin.
        keys: of each step but round robin, the expression that gives its key.
        row_parts: how many parts the rows are cut into; 1 where only columns are cut.
        groups: the columns of each group, the key first; none where only rows are cut.
    """

    plan: Plan
    table: Table
    steps: tuple[RowStep, ...]
    kinds: tuple[str, ...]
    keys: tuple[pl.Expr, ...]
    row_parts: int
    groups: tuple[tuple[str, ...], ...]

    @property
    def position(self) -> str:
        """A name for the rows' places in the table that none of its columns has."""
        name = "position in the table"
        while name in self.table.schema:
            name += "_"
        return name

    @property
    def parts(self) -> int:
        """How many parts there are: row part times groups, plus the group."""
        return self.row_parts * max(1, len(self.groups))

    def part_numbers(self, rows: pl.DataFrame, position: Array) -> Array:
        """The row part of each of some rows of the table.

        Args:
            rows: (n, …) with the key columns.
            position: (n,) their places in the table, from 0.
        """
        keys = rows.select(key.alias(str(i)) for i, key in enumerate(self.keys)).get_columns()
        return part_numbers(self.steps, keys, position)


def fit(plan: Plan, table: Table) -> Cut:
    """Hold a plan against a table, and read what the plan needs to know of the keys.

    Raises:
        DataError: with the column: it is missing, of a type that the plan cannot cut, holds NaN
            or a time outside the windows or 64 bits of microseconds, or the table has no row, or
            fewer than parts.
    """
    _check_table(table)
    steps: list[RowStep] = []
    kinds: list[str] = []
    keys: list[pl.Expr] = []
    for step in plan.rows:
        if isinstance(step, RoundRobin):
            steps.append(step)
            kinds.append("position")
            continue
        kind, key = _key(step, table)
        steps.append(_with_units(step, table, kind))
        kinds.append(kind)
        keys.append(key)
    steps = _look_at_keys(plan.rows, steps, kinds, keys, table)
    row_parts = math.prod(step.parts or 1 for step in steps)
    _check_enough_rows(plan, table)
    groups = _groups(plan.groups, table) if plan.groups else ()
    return Cut(plan, table, tuple(steps), tuple(kinds), tuple(keys), row_parts, groups)


def _refused(plan: object, table: Table, seen: str, wrong: str, fix: str) -> DataError:
    return DataError(f"While cutting {table.path} by {plan}", seen, wrong, fix)


def _check_table(table: Table) -> None:
    for name, kind in table.schema.items():
        _check_can_be_written(name, kind, table)
    if PART in table.schema:
        raise _refused(
            "any plan",
            table,
            f"a column named {PART!r}",
            "the parts are numbered in a column of that name when they are read again",
            "rename the column",
        )
    if not table.rows:
        raise _refused("any plan", table, "no row", "there is nothing to cut", "look at its source")


def _check_can_be_written(name: str, kind: pl.DataType, table: Table) -> None:
    if name == "*" or (name.startswith("^") and name.endswith("$")):
        raise _refused(
            "any plan",
            table,
            f"a column named {name!r}",
            "Polars takes such a name for a pattern of many names",
            "rename the column",
        )
    try:
        dtypes.to_text(kind)
    except TypeError as error:
        raise _refused(
            "any plan",
            table,
            f"the column {name!r}: {error}",
            "parts cannot hold values of this type",
            "cast the column to another type, or leave it out",
        ) from None


def _check_column(step: Any, name: str, table: Table) -> None:
    if name not in table.schema:
        raise _refused(
            step,
            table,
            f"the columns {', '.join(table.schema)}",
            f"there is no column {name!r}{nearest(name, table.schema)}",
            "name a column of the table",
        )


def _key(step: Hash | Range | Window, table: Table) -> tuple[str, pl.Expr]:
    """What kind of key a column is, and the expression that gives it."""
    _check_column(step, step.key, table)
    kind, column = table.schema[step.key], pl.col(step.key)
    if kind in WHOLE:
        return "number", column.cast(pl.Int64)
    if kind == pl.Date:
        return "number", column.to_physical().cast(pl.Int64)
    if isinstance(kind, pl.Datetime):
        return "number", _microseconds(column.to_physical().cast(pl.Int64), kind)
    if kind in TEXT and not isinstance(step, Window):
        return "text", column.cast(pl.String)
    if kind in REAL and isinstance(step, Range):
        return "real", column.cast(pl.Float64)
    raise _refused(
        step, table, f"{step.key}: {kind}", _why_no_key(step, kind), _other_key(step, kind)
    )


def _microseconds(ticks: pl.Expr, kind: pl.Datetime) -> pl.Expr:
    """Whole microseconds, rounded down as a clock does."""
    if kind.time_unit == "ns":
        return ticks.floordiv(1000)
    return ticks * 1000 if kind.time_unit == "ms" else ticks


def _why_no_key(step: Any, kind: pl.DataType) -> str:
    if kind in REAL:
        return "numbers with a fraction that look equal may differ in their last bit"
    if kind in (pl.UInt64, pl.Int128):
        return "not every engine has whole numbers beyond 64 bits with a sign"
    can = {
        "hash": "whole numbers, text, dates or timestamps",
        "range": "numbers, text, dates or timestamps",
        "window": "timestamps, dates or whole numbers",
    }
    return f"a {step.kind} is cut by {can[step.kind]}"


def _other_key(step: Any, kind: pl.DataType) -> str:
    if step.kind == "hash" and kind in REAL:
        return "name another column, cast this one, or cut by range"
    return "name another column, or cast this one"


def _with_units(step: Any, table: Table, kind: str) -> RowStep:
    """The step with its constants as the key has them."""
    if isinstance(step, Range):
        bounds = tuple(_constant(step, bound, table, kind) for bound in step.bounds)
        return Range(step.key, bounds, step.nulls)
    if isinstance(step, Window):
        start = _constant(step, step.start, table, kind)
        end = None if step.end is None else _constant(step, step.end, table, kind)
        return Window(step.key, start, _width(step, table), end, step.nulls)
    return cast(RowStep, step)


def _constant(step: Any, value: Any, table: Table, kind: str) -> Any:
    column = table.schema[step.key]
    if isinstance(column, pl.Datetime):
        return _moment(step, value, table, column)
    fits = {
        "number": isinstance(value, int) and column != pl.Date,
        "text": isinstance(value, str),
        "real": isinstance(value, (int, float)),
    }
    if column == pl.Date and type(value) is dt.date:
        return value.toordinal() - dt.date(1970, 1, 1).toordinal()
    if not fits[kind]:
        raise _unfit(step, value, table)
    if kind == "real":
        return _real(step, value, table)
    if kind == "number":
        _check_64_bits(step, value, table)
    return value


def _real(step: Any, value: float, table: Table) -> float:
    try:
        return float(value)
    except OverflowError as error:
        wrong = "numbers with a fraction end near 1.8e308"
        raise _refused(step, table, str(error), wrong, "pass a nearer bound") from None


def _check_64_bits(step: Any, value: int, table: Table) -> None:
    if value not in INT64:
        raise _refused(step, table, f"{value}", "whole numbers have 64 bits", "pass a nearer one")


def _moment(step: Any, value: Any, table: Table, column: pl.Datetime) -> int:
    """Microseconds since 1970, UTC; a date is its midnight where the column has no time zone."""
    if type(value) is dt.date:
        value = dt.datetime.combine(value, dt.time())
    if not isinstance(value, dt.datetime):
        raise _unfit(step, value, table)
    if (value.utcoffset() is None) != (column.time_zone is None):
        raise _refused(
            step,
            table,
            f"{step.key}: {column}, and the time {value}",
            "only one of the two has a time zone",
            "give the time of the plan a time zone where the column has one, and none else",
        )
    epoch = dt.datetime(1970, 1, 1, tzinfo=None if column.time_zone is None else dt.UTC)
    return (value - epoch) // dt.timedelta(microseconds=1)


def _unfit(step: Any, value: Any, table: Table) -> DataError:
    return _refused(
        step,
        table,
        f"{step.key}: {table.schema[step.key]}, and {said(value)}",
        "the plan's constants are of another kind than the column",
        "write numbers for numbers, quoted text for text, dates for dates, times for timestamps",
    )


def _width(step: Window, table: Table) -> int:
    column, width = table.schema[step.key], step.width
    if isinstance(column, pl.Datetime) and isinstance(width, dt.timedelta):
        width = width // dt.timedelta(microseconds=1)
    elif column == pl.Date and isinstance(width, dt.timedelta) and not width.seconds:
        width = width.days
    elif not isinstance(width, int) or column not in WHOLE:
        raise _unfit(step, width, table)
    _check_64_bits(step, width, table)
    return width


def _look_at_keys(
    plain: Sequence[RowStep],
    steps: Sequence[RowStep],
    kinds: Sequence[str],
    keys: Sequence[pl.Expr],
    table: Table,
) -> list[RowStep]:
    """Read what only the rows tell: keys that no step takes, the last open window.

    Args:
        plain: the steps as they were written, for those who read an error.
        steps: the same in the units of the keys.
        kinds: of each step.
        keys: of each step but round robin.
        table: what is read.

    Returns:
        The steps in the units of the keys, each window with an end.
    """
    keyed = [i for i, step in enumerate(steps) if not isinstance(step, RoundRobin)]
    wanted = [
        question.alias(f"{name} {i}")
        for i, key in zip(keyed, keys, strict=True)
        for name, question in _questions(steps[i], kinds[i], key, table).items()
    ]
    if not wanted:
        return list(steps)
    with reading(table.files):
        seen = table.scan().select(wanted).collect(engine="streaming").row(0, named=True)
    found = list(steps)
    for i in keyed:
        _check_numbers(plain[i], seen.get(f"nan {i}"), table)
        _check_milliseconds(plain[i], seen.get(f"first {i}"), seen.get(f"last {i}"), table)
        step = steps[i]
        if isinstance(step, Window):
            limits = seen[f"min {i}"], seen[f"max {i}"]
            found[i] = _close(plain[i], step, *limits, seen[f"null {i}"], table)
    return found


def _questions(step: Any, kind: str, key: pl.Expr, table: Table) -> dict[str, pl.Expr]:
    """What the rows of a key are asked."""
    asked: dict[str, pl.Expr] = {}
    if kind == "real":
        asked["nan"] = key.is_nan().sum()
    if getattr(table.schema[step.key], "time_unit", "") == "ms":
        ticks = pl.col(step.key).to_physical()
        asked |= {"first": ticks.min(), "last": ticks.max()}
    if isinstance(step, Window):
        asked |= {"min": key.min(), "max": key.max(), "null": key.null_count()}
    return asked


def _check_numbers(step: Any, nan: int | None, table: Table) -> None:
    if nan:
        raise _refused(
            step,
            table,
            f"{step.key}: rows with NaN: {nan:,}",
            "NaN is neither above nor below any bound",
            "make these values null, or drop the rows",
        )


def _check_milliseconds(step: Any, first: int | None, last: int | None, table: Table) -> None:
    for ticks in (first, last):
        if ticks is not None and ticks * 1000 not in INT64:
            raise _refused(
                step,
                table,
                f"{step.key} = {ticks} milliseconds since 1970",
                "times are cut by their microseconds, and so many do not have 64 bits",
                "make such values null, drop their rows, or name another key",
            )


def _close(
    plain: Any, step: Window, first: int | None, last: int | None, nulls: int, table: Table
) -> Window:
    """The window step with an end behind the last row."""
    if first is not None and last is not None:
        _check_inside(plain, step, first, last, table)
    if step.end is not None:
        return step
    start, width = cast(int, step.start), cast(int, step.width)
    windows = 1 if last is None else (last - start) // width + 1
    windows = max(windows, step.nulls + 1) if nulls else windows
    if windows > MOST_PARTS:
        raise _refused(
            plain,
            table,
            f"{windows:,} windows from the start to the last row",
            f"at most {MOST_PARTS:,} parts",
            "pass a larger width, or a later start",
        )
    return replace(step, end=start + windows * width)


def _check_inside(plain: Any, step: Window, first: int, last: int, table: Table) -> None:
    """The first and the last row are in a window, and 64 bits hold how far from the start."""
    start, end, kind = cast(int, step.start), cast(int | None, step.end), table.schema[step.key]
    for time in (first, last):
        if time < start or (end is not None and time >= end):
            raise _refused(
                plain,
                table,
                f"{step.key} = {shown(time, kind)}",
                "this row is in none of the windows",
                "start before the first row, and leave the end out or behind the last one",
            )
    if last - start not in INT64:
        later = f"start nearer to the first row, {step.key} = {shown(first, kind)}"
        raise _refused(
            plain,
            table,
            f"{step.key} = {shown(last, kind)} in the last row",
            "its distance from the start does not have 64 bits",
            later if last - first in INT64 else "cut by range, which needs no distance",
        )


def shown(key: int, kind: pl.DataType) -> str:
    """A key as a person writes it; a time beyond the years 1 to 9999 stays a number."""
    with contextlib.suppress(OverflowError):
        if kind == pl.Date:
            return str(dt.date(1970, 1, 1) + dt.timedelta(days=key))
        if isinstance(kind, pl.Datetime):
            zone = dt.UTC if kind.time_zone else None
            return str(dt.datetime(1970, 1, 1, tzinfo=zone) + dt.timedelta(microseconds=key))
    return str(key)


def _check_enough_rows(plan: Plan, table: Table) -> None:
    """Windows may be empty, a quiet hour is a fact; other parts are meant to share the rows."""
    parts = math.prod(step.parts for step in plan.rows if not isinstance(step, Window))
    if parts > table.rows:
        raise _refused(
            plan,
            table,
            f"rows: {table.rows:,}, parts: {parts:,}",
            "with more parts than rows, some must stay empty",
            f"ask for {table.rows:,} at most",
        )


def _groups(step: Columns, table: Table) -> tuple[tuple[str, ...], ...]:
    groups = tuple(columns for _, columns in step.groups)
    for name in [step.key, *(column for columns in groups for column in columns)]:
        _check_column(step, name, table)
    forgotten = [name for name in table.schema if not any(name in columns for columns in groups)]
    if forgotten:
        raise _refused(
            step,
            table,
            f"in no group: {', '.join(forgotten)}",
            "a column that is in no group would be lost",
            "add it to a group",
        )
    _check_tells_rows_apart(step, table)
    return groups


def _check_tells_rows_apart(step: Columns, table: Table) -> None:
    kind = table.schema[step.key]
    if kind in REAL or kind.is_nested():
        wrong = "a key that joins is compared for equality, so it is a whole number, text or time"
        raise _refused(step, table, f"{step.key}: {kind}", wrong, "name another key")
    with reading(table.files):
        if ascends(step.key, table):
            return
        different = different_keys(step.key, table)
        count = table.scan().select(pl.col(step.key).null_count())
        nulls = count.collect(engine="streaming").item()
    if nulls or different < table.rows:
        raise _refused(
            step,
            table,
            f"{step.key}: {nulls:,} nulls, {different:,} different values in {table.rows:,} rows",
            "the key must tell the rows apart, or the groups cannot be joined again",
            "name a key with a value of its own in each row, or add a column with the row number",
        )
