"""A plan: how a table is cut by rows, by columns, or by both; written once, for every engine."""

from __future__ import annotations

import datetime as dt
import difflib
import json
import math
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, ClassVar, TypeAlias, cast

import numpy as np

from amaas_kit.errors import DataError
from amaas_kit.files import write_whole

FORMAT = 1
MOST_PARTS = 10_000
"""More parts than this are a mistake: each is at least one file."""

Value: TypeAlias = int | float | str | dt.date | dt.datetime
"""A bound of a range, or the start of a window; in the same kind as the key."""

Width: TypeAlias = int | dt.timedelta

MICROSECONDS = {
    "day": 86_400_000_000,
    "h": 3_600_000_000,
    "min": 60_000_000,
    "s": 1_000_000,
    "ms": 1_000,
    "µs": 1,
}
"""The units in which a width is said."""


class PlanError(DataError):
    """A plan that makes no sense; `advice` is the fix without its example in Python."""

    advice = ""


@dataclass(frozen=True)
class Hash:
    """Rows with the same key go to the same part; see `Plan.hash`."""

    key: str
    parts: int
    nulls: int = 0
    kind: ClassVar[str] = "hash"

    def __post_init__(self) -> None:
        _check_key(self.kind, self.key)
        _check_parts(self.kind, self.parts)
        _check_nulls(self.kind, self.nulls, self.parts)

    def __str__(self) -> str:
        return f"hash of {self.key} into {counted(self.parts, 'part')}"


@dataclass(frozen=True)
class Range:
    """Rows between two bounds go to the same part; see `Plan.range`."""

    key: str
    bounds: tuple[Value, ...]
    nulls: int = 0
    kind: ClassVar[str] = "range"

    def __post_init__(self) -> None:
        object.__setattr__(self, "bounds", tuple(_fixed(bound) for bound in self.bounds))
        _check_key(self.kind, self.key)
        _check_bounds(self.bounds)
        _check_nulls(self.kind, self.nulls, self.parts)

    @property
    def parts(self) -> int:
        """One more than there are bounds."""
        return len(self.bounds) + 1

    def __str__(self) -> str:
        bounds = ", ".join(str(bound) for bound in self.bounds)
        return f"range of {self.key}, cut at {bounds}"


@dataclass(frozen=True)
class Window:
    """Rows of the same stretch of time go to the same part; see `Plan.window`."""

    key: str
    start: int | dt.date | dt.datetime
    width: Width
    end: int | dt.date | dt.datetime | None = None
    nulls: int = 0
    kind: ClassVar[str] = "window"

    def __post_init__(self) -> None:
        object.__setattr__(self, "start", _fixed(self.start))
        object.__setattr__(self, "end", _fixed(self.end))
        _check_key(self.kind, self.key)
        _check_window(self.start, self.width, self.end)
        _check_nulls(self.kind, self.nulls, self.parts)

    @property
    def parts(self) -> int | None:
        """How many windows there are; None where the data decides."""
        if self.end is None:
            return None
        return -(-_span(self.start, self.end) // _ticks(self.width))

    def __str__(self) -> str:
        until = "" if self.end is None else f" until {self.end}"
        return f"windows of {said(self.width)} of {self.key} from {self.start}{until}"


@dataclass(frozen=True)
class RoundRobin:
    """Rows are dealt like cards; see `Plan.round_robin`."""

    parts: int
    kind: ClassVar[str] = "round_robin"

    def __post_init__(self) -> None:
        _check_parts(self.kind, self.parts)

    def __str__(self) -> str:
        return f"round robin into {counted(self.parts, 'part')}"


@dataclass(frozen=True)
class Columns:
    """Groups of columns, each with the key that joins them again; see `Plan.columns`."""

    groups: tuple[tuple[str, tuple[str, ...]], ...]
    key: str
    kind: ClassVar[str] = "columns"

    def __post_init__(self) -> None:
        _check_key(self.kind, self.key)
        _check_groups(self.groups, self.key)

    @property
    def parts(self) -> int:
        """How many groups there are."""
        return len(self.groups)

    def __str__(self) -> str:
        groups = "; ".join(f"{name}: {', '.join(columns)}" for name, columns in self.groups)
        return f"columns with the key {self.key} in groups {groups}"


RowStep: TypeAlias = Hash | Range | Window | RoundRobin
Step: TypeAlias = RowStep | Columns

KINDS: dict[str, type[Any]] = {
    step.kind: step for step in (Hash, Range, Window, RoundRobin, Columns)
}


@dataclass(frozen=True)
class Plan:
    """How a table is cut into parts, as data: compared, saved, drawn, and run by every engine.

    Make one with `Plan.hash`, `Plan.range`, `Plan.window`, `Plan.round_robin` or `Plan.columns`,
    and compose two with `then`.

    Taught in: notebooks/05_data_partitioning.
    """

    steps: tuple[Step, ...]

    def __post_init__(self) -> None:
        _check_order(self.steps)

    @classmethod
    def hash(cls, key: str, parts: int, nulls: int = 0) -> Plan:
        """By rows: those with the same key together, different keys spread evenly.

        Args:
            key: a column of whole numbers, text, dates or timestamps.
            parts: how many parts, from 1.
            nulls: the part of the rows without a key.

        Raises:
            DataError: an argument makes no sense.
        """
        return cls((Hash(key, parts, nulls),))

    @classmethod
    def range(cls, key: str, bounds: Sequence[Value], nulls: int = 0) -> Plan:
        """By rows: neighbours in the order of the key together.

        Args:
            key: a column of numbers, text, dates or timestamps. Text is ordered by its UTF-8 bytes.
            bounds: ascending; a row's part is the number of bounds that are not above its key, so
                a row on a bound belongs to the part that begins there.
            nulls: the part of the rows without a key.

        Raises:
            DataError: no bound, or bounds that do not ascend or are of different kinds.
        """
        if isinstance(bounds, str) or not isinstance(bounds, Iterable):
            wrong = "bounds are a list, also where there is one"
            fix = "pass a list"
            raise _wrong_plan("range", f"bounds={bounds!r}", wrong, fix, f"[{bounds!r}]")
        return cls((Range(key, tuple(bounds), nulls),))

    @classmethod
    def window(
        cls,
        key: str,
        start: int | dt.date | dt.datetime,
        width: Width,
        end: int | dt.date | dt.datetime | None = None,
        nulls: int = 0,
    ) -> Plan:
        """By rows: stretches of time of one width; a row on a boundary belongs to the next.

        Args:
            key: a column of timestamps, dates or whole numbers.
            start: where the first window begins; an earlier row is an error.
            width: of each window: a timedelta, or a whole number for a key of whole numbers.
            end: where the last window ends, itself not in it; left out, the data decides.
            nulls: the part of the rows without a time.

        Raises:
            DataError: a width that is not positive, or an end that is not after the start.
        """
        return cls((Window(key, start, width, end, nulls),))

    @classmethod
    def round_robin(cls, parts: int) -> Plan:
        """By rows: dealt like cards, by the row's place in the table.

        Raises:
            DataError: parts is no whole number from 1.
        """
        return cls((RoundRobin(parts),))

    @classmethod
    def columns(
        cls, groups: Mapping[str, Sequence[str]] | Sequence[Sequence[str]], key: str
    ) -> Plan:
        """By columns: each group is a part with all rows, and holds the key to be joined again.

        Args:
            groups: the columns of each group, by name or in order. Every column of the table but
                the key is in exactly one of them; the key need not be named.
            key: a column that tells the rows apart, without nulls.

        Raises:
            DataError: an empty group, or a column in two of them.
        """
        if isinstance(groups, str) or not isinstance(groups, Iterable):
            wrong = "groups are lists of names"
            fix, example = "pass a list of lists", '[["name", "age"], ["f0"]]'
            raise _wrong_plan("columns", f"groups={groups!r}", wrong, fix, example)
        named = groups.items() if isinstance(groups, Mapping) else _numbered(groups)
        pairs = [
            (name, (key, *(column for column in _names(columns) if column != key)))
            for name, columns in named
        ]
        return cls((Columns(tuple(pairs), key),))

    def then(self, inner: Plan) -> Plan:
        """This plan, and within each of its parts the inner one.

        A row of outer part i and inner part j is in part `i * inner.parts + j`.

        Raises:
            DataError: columns that are cut before rows, or an open window that is not the first.
        """
        if not isinstance(inner, Plan):
            wrong = "within a plan's parts another plan cuts"
            fix, example = "pass a plan", 'then(Plan.hash("user_id", 8))'
            raise _wrong_plan("of two", f"then({inner!r})", wrong, fix, example)
        return Plan(self.steps + inner.steps)

    @property
    def rows(self) -> tuple[RowStep, ...]:
        """The steps that cut rows."""
        return tuple(step for step in self.steps if not isinstance(step, Columns))

    @property
    def groups(self) -> Columns | None:
        """The step that cuts columns, if there is one."""
        return next((step for step in self.steps if isinstance(step, Columns)), None)

    @property
    def parts(self) -> int | None:
        """How many parts there are; None where an open window leaves it to the data."""
        counts = [step.parts for step in self.steps]
        return None if None in counts else math.prod(cast(list[int], counts))

    def to_json(self) -> str:
        """The plan as text, which `Plan.from_json` reads back equal."""
        steps = [{"kind": step.kind, **_fields(step)} for step in self.steps]
        return json.dumps({"format": FORMAT, "steps": steps}, ensure_ascii=False, indent=2)

    @classmethod
    def from_json(cls, text: str, origin: str = "a plan") -> Plan:
        """The plan of a text that `to_json` wrote.

        Args:
            text: JSON.
            origin: what the text is called in errors.

        Raises:
            DataError: the text is no plan, or one of a later format.
        """
        try:
            content = json.loads(text)
            if content["format"] != FORMAT:
                raise ValueError(f"format {content['format']}, and this version reads {FORMAT}")
            return cls(tuple(_step(fields) for fields in content["steps"]))
        except PlanError as error:
            situation = f"{error.situation} from {origin}"
            raise DataError(situation, error.seen, error.wrong, error.fix) from None
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise DataError(
                situation=f"While reading {origin}",
                seen=f"{type(error).__name__}: {error}",
                wrong="this is no plan that `save` wrote with this version",
                fix="write it again with plan.save(path) (on the command line --save-plan)",
            ) from None

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the plan as a JSON file, whole or not at all."""
        text = self.to_json() + "\n"
        return write_whole(path, lambda file: file.write(text.encode()))

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Plan:
        """Read a plan that `save` wrote.

        Raises:
            DataError: there is no such file, or it holds no plan.
        """
        try:
            text = Path(path).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise DataError(
                situation=f"While reading the plan {os.fspath(path)}",
                seen=str(error),
                wrong="the file cannot be read",
                fix="look at its name, or write it with plan.save(path) (on the command line "
                "--save-plan)",
            ) from None
        return cls.from_json(text, os.fspath(path))

    def __str__(self) -> str:
        return ", then ".join(str(step) for step in self.steps)


def _numbered(groups: Sequence[Sequence[str]]) -> list[tuple[str, Sequence[str]]]:
    return [(str(number), columns) for number, columns in enumerate(groups)]


def _names(columns: Sequence[str]) -> Sequence[str]:
    if isinstance(columns, str) or not isinstance(columns, Iterable):
        wrong = "a group is a list of names"
        raise _wrong_plan(
            "columns", f"the group {columns!r}", wrong, "pass a list", f"[{columns!r}]"
        )
    return columns


def counted(number: int, thing: str) -> str:
    """So many of a thing, such as "1 row" or "1,000 rows"."""
    return f"{number:,} {thing}" + ("" if number == 1 else "s")


def _wrong_plan(kind: str, seen: str, wrong: str, advice: str, example: str = "") -> PlanError:
    fix = f"{advice}, for example {example}" if example else advice
    error = PlanError(f"While making the plan {kind}", seen, wrong, fix)
    error.advice = advice
    return error


def said(value: object) -> str:
    """A value as a person writes it: times as a calendar has them, widths in units."""
    if isinstance(value, dt.timedelta):
        return _width_said(value)
    return str(value) if isinstance(value, dt.date) else repr(value)


def _width_said(width: dt.timedelta) -> str:
    left, words = abs(_ticks(width)), []
    for unit, size in MICROSECONDS.items():
        number, left = divmod(left, size)
        if number:
            words.append(counted(number, unit) if unit == "day" else f"{number} {unit}")
    return ("-" if _ticks(width) < 0 else "") + (" ".join(words) or "0 s")


def _fixed(value: Any) -> Any:
    """A number of NumPy as one of Python, and a time with its distance from UTC for its zone.

    Of two times in one zone Python compares and subtracts what the clock shows, and a clock that is
    put back shows an hour twice.
    """
    if isinstance(value, np.integer | np.floating):
        return value.item()
    offset = value.utcoffset() if isinstance(value, dt.datetime) else None
    return value if offset is None else value.replace(tzinfo=dt.timezone(offset), fold=0)


def _check_key(kind: str, key: object) -> None:
    if not isinstance(key, str) or not key or not _is_unicode(key):
        wrong = "a key is the name of a column"
        raise _wrong_plan(kind, f"key={key!r}", wrong, "name a column", 'key="user_id"')


def _check_parts(kind: str, parts: object) -> None:
    if not _is_whole(parts) or not 1 <= cast(int, parts) <= MOST_PARTS:
        raise _wrong_plan(
            kind,
            f"parts={parts!r}",
            f"a table is cut into a whole number of parts, 1 to {MOST_PARTS:,}",
            "pass another number",
            "parts=8",
        )


def _check_nulls(kind: str, nulls: object, parts: int | None) -> None:
    if not _is_whole(nulls) or cast(int, nulls) < 0 or cast(int, nulls) >= (parts or MOST_PARTS):
        last = "" if parts is None else f" to {parts - 1}"
        raise _wrong_plan(
            kind,
            f"nulls={nulls!r}",
            f"rows without a key go to one of the parts, numbered 0{last}",
            "leave nulls out for part 0, or write the number of a part",
        )


def _check_bounds(bounds: tuple[Value, ...]) -> None:
    kinds = {_kind(bound) for bound in bounds}
    fix = ("pass bounds that ascend and are of the key's kind", "[10, 100]")
    if not bounds:
        raise _wrong_plan("range", "no bound", "without one there is nothing to cut at", *fix)
    seen = f"bounds=[{', '.join(map(said, bounds))}]"
    if "" in kinds or len(kinds) > 1:
        wrong = "bounds are all numbers, all texts, all dates or all timestamps"
        raise _wrong_plan("range", seen, wrong, *fix)
    if any(isinstance(bound, float) and not math.isfinite(bound) for bound in bounds):
        raise _wrong_plan("range", seen, "a bound is a finite number", *fix)
    for before, after in pairwise(bounds):
        if not _below(before, after):
            raise _wrong_plan(
                "range",
                f"the bound {said(after)} behind {said(before)}",
                "bounds ascend, and no two are equal: a part between equal bounds holds no row",
                "sort the bounds and drop doubles",
                "sorted(set(bounds))",
            )
    if len(bounds) >= MOST_PARTS:
        seen, wrong = f"{len(bounds):,} bounds", f"at most {MOST_PARTS:,} parts"
        raise _wrong_plan("range", seen, wrong, "pass fewer bounds")


def _below(before: Any, after: Any) -> bool:
    """Whether a bound is below another; texts by their UTF-8 bytes."""
    if isinstance(before, str):
        return before.encode() < cast(str, after).encode()
    try:
        return bool(before < after)
    except TypeError:
        raise _wrong_plan(
            "range",
            f"{said(before)} and {said(after)}",
            "a timestamp with a time zone and one without cannot be compared",
            "give all of them a time zone, or none",
        ) from None


def _check_window(start: object, width: object, end: object) -> None:
    times = {int: "whole number", dt.date: "date", dt.datetime: "timestamp"}
    example = "start=datetime(2026, 1, 1), width=timedelta(hours=1)"
    fix = ("pass a start, a width and an end that belong together", example)
    if type(start) not in times or (end is not None and type(end) is not type(start)):
        raise _wrong_plan(
            "window",
            f"start={said(start)}, end={said(end)}",
            "start and end are both whole numbers, both dates or both timestamps",
            *fix,
        )
    seen = f"width={said(width)}"
    if not (_is_whole(width) if isinstance(start, int) else isinstance(width, dt.timedelta)):
        wrong = f"the width between two {times[type(start)]}s is "
        wrong += "a whole number" if isinstance(start, int) else "a timedelta"
        raise _wrong_plan("window", seen, wrong, *fix)
    if _ticks(cast(Width, width)) <= 0:
        wrong = "a window has a positive width"
        raise _wrong_plan("window", seen, wrong, "pass a width above 0", "width=timedelta(hours=1)")
    if type(start) is dt.date and _ticks(cast(Width, width)) % MICROSECONDS["day"]:
        wrong, advice = "a window of dates has whole days", "pass a width of whole days"
        raise _wrong_plan("window", seen, wrong, advice, "width=timedelta(days=7)")
    if end is not None:
        _check_end(start, cast(Width, width), end)


def _check_end(start: Any, width: Width, end: Any) -> None:
    aware = [isinstance(t, dt.datetime) and t.utcoffset() is not None for t in (start, end)]
    if aware[0] != aware[1]:
        wrong = "one has a time zone and the other has none"
        raise _wrong_plan("window", f"start={start}, end={end}", wrong, "give both one, or none")
    if _span(start, end) <= 0:
        wrong = "the end is after the start"
        raise _wrong_plan("window", f"start={start}, end={end}", wrong, "swap them")
    if -(-_span(start, end) // _ticks(width)) > MOST_PARTS:
        raise _wrong_plan(
            "window",
            f"windows of {said(width)} from {start} to {end}",
            f"these are more than {MOST_PARTS:,} parts",
            "pass a larger width",
        )


def _check_groups(groups: tuple[tuple[str, tuple[str, ...]], ...], key: str) -> None:
    example = '{"profile": ["name", "age"], "clicks": ["f0", "f1"]}'
    fix = ("pass groups of columns", example)
    if not groups:
        raise _wrong_plan("columns", "no group", "without one there is nothing to cut", *fix)
    names = [name for name, _ in groups]
    if not all(isinstance(name, str) and name for name in names) or len({*names}) < len(names):
        raise _wrong_plan("columns", f"{names!r}", "each group has a name of its own", *fix)
    placed: dict[str, str] = {}
    for name, columns in groups:
        rest = [column for column in columns if column != key]
        if not rest or not all(isinstance(column, str) for column in rest):
            wrong = "a group holds at least one column beside the key"
            seen = f"the group {name!r} of {', '.join(map(str, columns))}"
            raise _wrong_plan("columns", seen, wrong, *fix)
        for column in rest:
            if column in placed:
                raise _wrong_plan(
                    "columns",
                    f"{column!r} in {placed[column]!r} and in {name!r}",
                    "each column but the key is in one group, or it would be stored twice",
                    f"take {column!r} out of one of them",
                )
            placed[column] = name


def _check_order(steps: tuple[Step, ...]) -> None:
    kinds = [step.kind for step in steps]
    order = " then ".join(kinds)
    if not steps:
        fix, example = "pass a step", "Plan.hash(key, parts)"
        raise _wrong_plan("of no step", "nothing", "a plan cuts", fix, example)
    if "columns" in kinds[:-1]:
        raise _wrong_plan(
            order,
            "columns, and then another cut",
            "rows are cut first: a group of columns has no other columns to cut rows by",
            "write the rows' plan first",
            "rows.then(columns)",
        )
    if any(step.parts is None for step in steps[1:]):
        raise _wrong_plan(
            order,
            "a window without an end inside another plan",
            "the number of a part could not be told before the last window is known",
            "give the window an end, or make it the outermost plan",
        )
    parts = math.prod(step.parts or 1 for step in steps)
    if parts > MOST_PARTS:
        raise _wrong_plan(order, f"{parts:,} parts", f"at most {MOST_PARTS:,}", "cut less finely")


def _is_unicode(text: str) -> bool:
    """Whether a text has a form in UTF-8; one from a file name in another encoding has none."""
    return not any("\ud800" <= sign <= "\udfff" for sign in text)


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _kind(value: object) -> str:
    """What a bound is: "number", "text", "date", "timestamp"; "" for what can be none."""
    if isinstance(value, bool) or (isinstance(value, str) and not _is_unicode(value)):
        return ""
    kinds = {dt.datetime: "timestamp", dt.date: "date", str: "text", int: "number", float: "number"}
    return kinds.get(type(value), "")


def _ticks(width: Width) -> int:
    """A width as a whole number: microseconds where it is a timedelta."""
    return width if isinstance(width, int) else width // dt.timedelta(microseconds=1)


def _span(start: Any, end: Any) -> int:
    return _ticks(end - start)


def _fields(step: Step) -> dict[str, Any]:
    fields: dict[str, Any] = dict(vars(step))
    if isinstance(step, Range):
        fields["bounds"] = [_plain(bound) for bound in step.bounds]
    if isinstance(step, Window):
        fields |= {name: _plain(fields[name]) for name in ("start", "width", "end")}
    if isinstance(step, Columns):
        fields["groups"] = [
            {"name": name, "columns": list(columns)} for name, columns in step.groups
        ]
    return fields


def _plain(value: Any) -> Any:
    """A value as JSON has it; a time as an object that tells its kind."""
    if isinstance(value, dt.datetime):
        return {"timestamp": value.isoformat()}
    if isinstance(value, dt.date):
        return {"date": value.isoformat()}
    if isinstance(value, dt.timedelta):
        return {"microseconds": _ticks(value)}
    return value


def _value(plain: Any) -> Any:
    if not isinstance(plain, dict):
        return plain
    ((kind, content),) = plain.items()
    if kind == "timestamp":
        return dt.datetime.fromisoformat(content)
    if kind == "date":
        return dt.date.fromisoformat(content)
    if kind == "microseconds":
        return dt.timedelta(microseconds=content)
    raise ValueError(f"a value of the kind {kind!r}")


def _step(fields: Mapping[str, Any]) -> Step:
    kind, rest = fields["kind"], {name: fields[name] for name in fields if name != "kind"}
    if kind not in KINDS:
        raise ValueError(f"a step of the kind {kind!r}")
    if kind == "range":
        rest["bounds"] = tuple(_value(bound) for bound in rest["bounds"])
    if kind == "window":
        rest |= {name: _value(rest[name]) for name in ("start", "width", "end")}
    if kind == "columns":
        rest["groups"] = tuple((group["name"], tuple(group["columns"])) for group in rest["groups"])
    return cast(Step, KINDS[kind](**rest))


def nearest(name: str, known: Iterable[str]) -> str:
    """A hint at the name that was probably meant; empty where none is like it."""
    like = difflib.get_close_matches(name, list(known), n=1)
    return f"; did you mean {like[0]!r}?" if like else ""
