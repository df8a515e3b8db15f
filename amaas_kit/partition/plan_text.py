"""Plans as one writes them on a command line: `hash:user_id:8`, `window:at:2026-01-01:1h`."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Sequence
from functools import reduce
from typing import Any, NoReturn

from amaas_kit.errors import DataError
from amaas_kit.partition.plan import (
    Columns,
    Hash,
    Plan,
    PlanError,
    Range,
    RoundRobin,
    Step,
    Window,
    nearest,
)

FORMS = {
    "hash": ("hash:KEY:PARTS", "hash:user_id:8"),
    "range": ("range:KEY:BOUND,BOUND,…", "range:age:18,65"),
    "window": ("window:KEY:START:WIDTH[:END]", "window:at:2026-01-01:1h"),
    "round_robin": ("round_robin:PARTS", "round_robin:8"),
    "columns": ("columns:COLUMN,COLUMN|COLUMN,…:KEY", "columns:name,age|f0,f1:user_id"),
}
"""Of each kind how it is written, and an example."""

UNITS = {
    "us": dt.timedelta(microseconds=1),
    "ms": dt.timedelta(milliseconds=1),
    "s": dt.timedelta(seconds=1),
    "m": dt.timedelta(minutes=1),
    "h": dt.timedelta(hours=1),
    "d": dt.timedelta(days=1),
    "w": dt.timedelta(weeks=1),
}
"""The units of a width, from the finest."""

COUNTED = {"ms": "milliseconds", "us": "microseconds"}
"""What columns of whole numbers count that hold times."""

QUOTED = r'"(?:[^"]|"")*"'
NAME = rf'{QUOTED}|[^",|=]+'
KEY = rf'{QUOTED}|[^"].*?'
"""A plain key is as short as it can be; one that would be misread is quoted."""

WHOLE = r"[+-]?\d+"
NUMBER = r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?"
DATE = r"\d{4}-\d\d-\d\d"
ZONE = r"Z|[+-]\d\d(?::?\d\d(?::\d\d(?:\.\d+)?)?)?"
TIMESTAMP = rf"{DATE}[T ]\d\d(?::\d\d(?::\d\d(?:\.\d+)?)?)?(?:{ZONE})?"
TIME = rf"{TIMESTAMP}|{DATE}|{WHOLE}"
BOUND = rf'(?>{QUOTED}|{TIMESTAMP}(?=,|\Z)|[^",:]+)'
GROUP = rf'(?:{QUOTED}|[^"|])+'
GROUPS = rf"(?:(?:{NAME})=)?(?:{NAME}?)(?:[,|](?:(?:{NAME})=)?(?:{NAME}?))*?"

NULLS = re.compile(r':nulls=([^:"]*)\Z')

PATTERNS = {
    kind: re.compile(pattern, re.DOTALL)
    for kind, pattern in {
        "hash": rf"({KEY}):([^:]*)",
        "range": rf"({KEY}):({BOUND}(?:,{BOUND})*+)",
        "window": rf"({KEY}):({TIME}):(\d[^:]*)(?::({TIME}))?",
        "round_robin": r"(.*)",
        "columns": rf'({GROUPS}):({QUOTED}|[^",|]+)',
    }.items()
}


def plan_from_text(texts: Sequence[str]) -> Plan:
    """A plan from the text of each of its steps, the outermost first.

    The forms are `hash:KEY:PARTS`, `range:KEY:BOUND,BOUND,…`, `window:KEY:START:WIDTH[:END]`,
    `round_robin:PARTS` and `columns:COLUMN,COLUMN|COLUMN,…:KEY`, where a group may have a name:
    `columns:who=name,age|what=f0,f1:user_id`. The first three may end in `:nulls=PART`.

    A bound is a number, a date (2026-01-01), a timestamp (2026-01-01T08:30) or else a text. What
    stands in quotes is a text, whatever it looks like; a quote in it is doubled. Quotes also hold
    the name of a column that would be misread. A width is a whole number, or one with a unit: us,
    ms, s, m, h, d or w. A window of hours may start with a date, which is its midnight.

    Raises:
        DataError: with the text and its form: it is none of these, or what it says makes no sense.
    """
    if not texts:
        return Plan(())
    plans = [_Reading(text).plan() for text in texts]
    try:
        return reduce(Plan.then, plans)
    except PlanError as error:
        raise _refused(error, " then ".join(texts), error.advice) from None


def text_of(plan: Plan) -> list[str]:
    """The text of each step of a plan, which `plan_from_text` reads as an equal plan."""
    return [_text_of_step(step) for step in plan.steps]


class _Reading:
    """One text while it is read."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.kind, _, self.rest = text.partition(":")

    def plan(self) -> Plan:
        if self.kind not in FORMS:
            self.fail(
                f"there is no kind {self.kind!r}{nearest(self.kind, FORMS)}",
                f"begin with one of {', '.join(FORMS)}, for example {FORMS['hash'][1]}",
            )
        nulls = self._nulls() if self.kind in ("hash", "range", "window") else 0
        found = PATTERNS[self.kind].fullmatch(self.rest)
        if found is None:
            self.fail("it does not have the form of its kind")
        make: Callable[..., Plan] = getattr(self, f"_{self.kind}")
        try:
            return make(*found.groups(), nulls)
        except PlanError as error:
            bare = error.fix == error.advice
            fix = error.advice if bare else f"{error.advice}: {self.form}"
            raise _refused(error, self.text, fix) from None

    @property
    def form(self) -> str:
        """How its kind is written."""
        form, example = FORMS[self.kind]
        return f"write {form}, for example {example}"

    def fail(self, wrong: str, fix: str = "") -> NoReturn:
        raise DataError(
            situation="While reading how to cut",
            seen=repr(self.text),
            wrong=wrong,
            fix=fix or self.form,
        )

    def _nulls(self) -> int:
        """Take `:nulls=PART` off the end."""
        found = NULLS.search(self.rest)
        if found is None:
            return 0
        self.rest = self.rest[: found.start()]
        return self._whole("nulls", found[1])

    def _hash(self, key: str, parts: str, nulls: int) -> Plan:
        return Plan.hash(_unquoted(key), self._whole("parts", parts), nulls)

    def _range(self, key: str, bounds: str, nulls: int) -> Plan:
        found = [self._bound(bound) for bound in re.findall(BOUND, bounds)]
        return Plan.range(_unquoted(key), found, nulls)

    def _window(self, key: str, start: str, width: str, end: str | None, nulls: int) -> Plan:
        first, wide = self._time(start), self._width(width)
        last = None if end is None else self._time(end)
        self._check_width(first, wide, width)
        if _has_clock(wide, first, last):
            first, last = _midnight(first), _midnight(last)
        return Plan.window(_unquoted(key), first, wide, last, nulls)

    def _check_width(self, start: Any, width: int | dt.timedelta, text: str) -> None:
        """A width with a unit behind a time, one without behind a number."""
        if isinstance(start, int) and isinstance(width, dt.timedelta):
            unit, name = next((u, n) for u, n in COUNTED.items() if not width % UNITS[u])
            self.fail(
                f"the start is a number, and the width {text} has a unit",
                f"write the width in the unit of the column, {width // UNITS[unit]} where it "
                f"counts {name}; for a column of times write the start as one, such as 2026-01-01",
            )
        if isinstance(start, dt.date) and isinstance(width, int):
            self.fail(
                f"the start is a time, and the width {text} has no unit",
                f"write for example {text}s, {text}m or {text}h; the units are {', '.join(UNITS)}",
            )

    def _round_robin(self, parts: str, nulls: int) -> Plan:
        return Plan.round_robin(self._whole("parts", parts))

    def _columns(self, groups: str, key: str, nulls: int) -> Plan:
        named: dict[str, list[str]] = {}
        for number, group in enumerate(re.findall(GROUP, groups)):
            head = re.match(rf"({NAME})=", group)
            name = _unquoted(head[1]) if head else str(number)
            if name in named:
                self.fail(f"two groups are called {name!r}")
            columns = group[head.end() :] if head else group
            named[name] = [_unquoted(column) for column in re.findall(NAME, columns)]
        return Plan.columns(named, _unquoted(key))

    def _whole(self, name: str, text: str) -> int:
        if not re.fullmatch(WHOLE, text):
            self.fail(f"{name} is a whole number, and {text!r} is none")
        return int(self._made(int, text))

    def _bound(self, text: str) -> Any:
        if text.startswith('"'):
            return _unquoted(text)
        text = text.strip()
        if not text:
            self.fail('a bound is missing; an empty text is written ""')
        if re.fullmatch(f"{TIMESTAMP}|{DATE}|{WHOLE}", text):
            return self._time(text)
        return self._made(float, text) if re.fullmatch(NUMBER, text) else text

    def _time(self, text: str) -> Any:
        if re.fullmatch(WHOLE, text):
            return self._made(int, text)
        kind = dt.date if re.fullmatch(DATE, text) else dt.datetime
        return self._made(kind.fromisoformat, text)

    def _width(self, text: str) -> int | dt.timedelta:
        found = re.fullmatch(r"(\d+)([a-z]*)", text)
        if found is None or found[2] not in ("", *UNITS):
            self.fail(
                f"the width {text!r} is neither a whole number nor one with a unit",
                f"write for example 3600000, 15m or 1h; the units are {', '.join(UNITS)}",
            )
        number = self._made(int, found[1])
        width: int | dt.timedelta = number
        if found[2]:
            width = self._made(UNITS[found[2]].__mul__, number)
        return width

    def _made(self, kind: Callable[[Any], Any], value: Any) -> Any:
        try:
            return kind(value)
        except (ValueError, OverflowError) as error:
            self.fail(str(error))


def _refused(error: PlanError, text: str, fix: str) -> DataError:
    """An error of a plan in the words of the text that it was made from."""
    return DataError(f"While reading the cut {text!r}", error.seen, error.wrong, fix)


def _has_clock(width: int | dt.timedelta, *times: Any) -> bool:
    """Whether a window needs the time of the day: 1h does, 1d from one date to another does not."""
    return any(isinstance(time, dt.datetime) for time in times) or (
        isinstance(width, dt.timedelta) and bool(width % UNITS["d"])
    )


def _midnight(time: Any) -> Any:
    return dt.datetime.combine(time, dt.time()) if type(time) is dt.date else time


def _unquoted(text: str) -> str:
    return text[1:-1].replace('""', '"') if text.startswith('"') else text


def _text_of_step(step: Step) -> str:
    return ":".join([step.kind, *_fields(step), *_nulls_field(step)])


def _fields(step: Step) -> list[str]:
    if isinstance(step, Hash):
        return [_name(step.key), str(step.parts)]
    if isinstance(step, Range):
        return [_name(step.key), ",".join(_value(bound) for bound in step.bounds)]
    if isinstance(step, Window):
        end = [] if step.end is None else [_value(step.end)]
        return [_name(step.key), _value(step.start), _width_text(step.width), *end]
    if isinstance(step, RoundRobin):
        return [str(step.parts)]
    return ["|".join(_group(step, number) for number in range(step.parts)), _name(step.key)]


def _nulls_field(step: Step) -> list[str]:
    nulls = getattr(step, "nulls", 0)
    return [f"nulls={nulls}"] if nulls else []


def _group(step: Columns, number: int) -> str:
    name, columns = step.groups[number]
    head = "" if name == str(number) else f"{_name(name)}="
    return head + ",".join(_name(column) for column in columns if column != step.key)


def _name(name: str) -> str:
    return name if re.fullmatch(r"\w+", name) else _quoted(name)


def _quoted(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'


def _value(value: Any) -> str:
    if isinstance(value, str):
        return _quoted(value)
    return value.isoformat() if isinstance(value, dt.date) else repr(value)


def _width_text(width: int | dt.timedelta) -> str:
    if isinstance(width, int):
        return str(width)
    unit = next(unit for unit in reversed(UNITS) if not width % UNITS[unit])
    return f"{width // UNITS[unit]}{unit}"
