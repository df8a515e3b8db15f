"""Plans as one writes them on a command line, read and written back."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amaas_kit.errors import DataError
from amaas_kit.partition import Plan
from amaas_kit.partition.plan_text import FORMS, plan_from_text, text_of
from tests.partition.every_plan import PLANS

NEW_YEAR = dt.datetime(2026, 1, 1)
DAY = dt.date(2026, 1, 1)
HOUR = dt.timedelta(hours=1)

WRITTEN = {
    "hash:user_id:8": Plan.hash("user_id", 8),
    "hash:user_id:8:nulls=7": Plan.hash("user_id", 8, nulls=7),
    "hash:a:b:c:2": Plan.hash("a:b:c", 2),
    'hash:"a ""b"":":2': Plan.hash('a "b":', 2),
    "hash:nulls=1:2": Plan.hash("nulls=1", 2),
    "range:x:-1,0,2.5,1e3": Plan.range("x", [-1, 0, 2.5, 1000.0]),
    "range:x: 1, 2 ": Plan.range("x", [1, 2]),
    "range:name:b,c d": Plan.range("name", ["b", "c d"]),
    'range:name:"","1","2026-01-01","a,b:c",é': Plan.range(
        "name", ["", "1", "2026-01-01", "a,b:c", "é"]
    ),
    'range:name:"a:nulls=1":nulls=1': Plan.range("name", ["a:nulls=1"], nulls=1),
    "range:day:2026-01-01,2026-02-01": Plan.range("day", [DAY, dt.date(2026, 2, 1)]),
    "range:the:day:2026-01-01": Plan.range("the:day", [DAY]),
    "range:at:2026-01-01T00:00,2026-01-01 01:00:00.5": Plan.range(
        "at", [NEW_YEAR, NEW_YEAR + HOUR + dt.timedelta(milliseconds=500)]
    ),
    "range:at:2026-01-01T00:00:00Z,2026-01-01T00:00:00-01:00": Plan.range(
        "at", [NEW_YEAR.replace(tzinfo=dt.UTC), (NEW_YEAR + HOUR).replace(tzinfo=dt.UTC)]
    ),
    "window:ts_ms:-5:3600000": Plan.window("ts_ms", -5, 3_600_000),
    "window:ts_ms:0:10:100:nulls=9": Plan.window("ts_ms", 0, 10, 100, nulls=9),
    'window:"ts_ms:0":10:100': Plan.window("ts_ms:0", 10, 100),
    "window:day:2026-01-01:7d": Plan.window("day", DAY, dt.timedelta(days=7)),
    "window:at:2026-01-01T00:00:00:15m": Plan.window("at", NEW_YEAR, HOUR / 4),
    "window:at:2026-01-01:1h": Plan.window("at", NEW_YEAR, HOUR),
    "window:at:2026-01-01:1d:2026-01-01T12:00": Plan.window(
        "at", NEW_YEAR, 24 * HOUR, NEW_YEAR + 12 * HOUR
    ),
    "window:at:2026-01-01T00:500ms": Plan.window("at", NEW_YEAR, dt.timedelta(milliseconds=500)),
    "window:on:at:2026-01-01T00:00:1h:2026-01-01T02:00": Plan.window(
        "on:at", NEW_YEAR, HOUR, NEW_YEAR + 2 * HOUR
    ),
    "window:at:2026-01-01T00:00:00+01:00:1h": Plan.window(
        "at", NEW_YEAR.replace(tzinfo=dt.timezone(HOUR)), HOUR
    ),
    "round_robin:3": Plan.round_robin(3),
    "columns:a,b|c,d:row_id": Plan.columns([["a", "b"], ["c", "d"]], "row_id"),
    "columns:who=a,b|c:the:key": Plan.columns({"who": ["a", "b"], "1": ["c"]}, "the:key"),
    'columns:a:x|"b,|:=":"k|,"': Plan.columns([["a:x"], ["b,|:="]], "k|,"),
}


@pytest.mark.parametrize("text", WRITTEN)
def test_a_text_means_the_plan_that_it_says(text):
    assert plan_from_text([text]) == WRITTEN[text]


def test_texts_are_composed_from_the_outermost_to_the_innermost():
    plan = plan_from_text(["window:at:2026-01-01:1h", "hash:user_id:8", "columns:a|b:row_id"])
    assert plan == Plan.window("at", NEW_YEAR, HOUR).then(Plan.hash("user_id", 8)).then(
        Plan.columns([["a"], ["b"]], "row_id")
    )


@pytest.mark.parametrize("name", PLANS)
def test_every_kind_of_plan_has_a_text(name):
    assert plan_from_text(text_of(PLANS[name])) == PLANS[name]


@pytest.mark.parametrize("kind", FORMS)
def test_the_example_of_each_form_is_a_plan(kind):
    plan = plan_from_text([FORMS[kind][1]])
    assert plan.steps[0].kind == kind


MISTAKEN = {
    "": "no kind ''",
    "hsh:user_id:8": "did you mean 'hash'?",
    "round-robin:3": "did you mean 'round_robin'?",
    "8": "begin with one of hash, range, window, round_robin, columns",
    "hash": "write hash:KEY:PARTS, for example hash:user_id:8",
    "hash:user_id": "hash:KEY:PARTS",
    "hash::8": "hash:KEY:PARTS",
    "hash:user_id:": "parts is a whole number, and '' is none",
    "hash:user_id:eight": "'eight' is none",
    "hash:user_id:2.5": "'2.5' is none",
    "hash:user_id:8:nulls=8": "leave nulls out for part 0, or write the number of a part",
    "hash:user_id:8:nulls=no": "nulls is a whole number, and 'no' is none",
    "hash:user_id:0": "parts=0",
    "hash:user_id:-1": "parts=-1",
    'hash:"user_id:8': "hash:KEY:PARTS",
    "range:x": "range:KEY:BOUND",
    "range:x:": "range:KEY:BOUND",
    "range:x:1,,2": "range:KEY:BOUND",
    "range:x:1, ,2": "a bound is missing",
    "range:x:2,1": "the bound 1 behind 2",
    "range:x:1,1": "drop doubles: write range:KEY:BOUND,BOUND,…, for example range:age:18,65",
    "range:day:2026-01-01,2026-01-01": "the bound 2026-01-01 behind 2026-01-01",
    "range:at:2026-01-01T00,2026-01-01T01Z": "give all of them a time zone, or none",
    "range:x:1,b": "all numbers, all texts",
    "range:x:1e999": "a finite number",
    "range:x:" + "9" * 5000: "digits",
    "range:day:2026-02-30": "day",
    'range:name:"a"b': "range:KEY:BOUND",
    "window:at:yesterday:1h": "window:KEY:START:WIDTH[:END]",
    "window:at:2026-13-01:1d": "month",
    "window:at:2026-01-01": "window:KEY:START:WIDTH[:END]",
    "window:ts:0:10x": "the units are us, ms, s, m, h, d, w",
    "window:ts:0:0": "a positive width",
    "window:ts:0:-5": "window:KEY:START:WIDTH[:END]",
    "window:ts:0:1h": "3600000 where it counts milliseconds",
    "window:ts:0:500us": "500 where it counts microseconds",
    "window:ts:0:1h:2026-01-01": "the start is a number, and the width 1h has a unit",
    "window:ts:0:1:2026-01-01": "start=0, end=2026-01-01",
    "window:at:2026-01-01T00:00:00:60": "write for example 60s, 60m or 60h",
    "window:day:2026-01-01:7": "the start is a time, and the width 7 has no unit",
    "window:at:2026-01-01:0h": "width=0 s",
    "window:at:2026-01-01:1h:2025-01-01": "end=2025-01-01 00:00:00",
    "window:at:2026-01-01:1s:2027-01-01": "windows of 1 s from",
    "window:at:2026-01-01:99999999999w": "large",
    "round_robin": "round_robin:PARTS",
    "round_robin:3:nulls=1": "'3:nulls=1' is none",
    "columns:a,b": "columns:COLUMN,COLUMN|COLUMN,…:KEY",
    "columns:a,,b:k": "columns:COLUMN",
    "columns:x=a|x=b:k": "two groups are called 'x'",
    "columns:a|a:k": "'a' in '0' and in '1'",
    "columns:k|a:k": "the group '0' of k",
}
PYTHON = ("datetime", "timedelta", "sorted(", "Plan.", '=["', "parts=8", "key=", "[10")
"""What nobody can write on a command line."""


@pytest.mark.parametrize("text", MISTAKEN, ids=lambda text: text[:40])
def test_a_text_that_is_no_plan_is_refused_with_what_to_write(text):
    with pytest.raises(DataError) as caught:
        plan_from_text([text])
    assert MISTAKEN[text] in str(caught.value)
    assert text[:40] in str(caught.value)
    assert [word for word in PYTHON if word in str(caught.value)] == []


def test_steps_in_an_order_that_cannot_be_are_refused():
    with pytest.raises(DataError, match=r"rows are cut first(.|\n)*write the rows' plan first$"):
        plan_from_text(["columns:a|b:k", "hash:a:2"])
    with pytest.raises(DataError, match="reading the cut 'hash:a:2 then window:at:2026-01-01:1h'"):
        plan_from_text(["hash:a:2", "window:at:2026-01-01:1h"])
    with pytest.raises(DataError, match="a plan cuts"):
        plan_from_text([])


def test_a_long_text_with_a_mistake_at_its_end_is_refused_at_once():
    bounds = ",".join(f"2026-01-01T{n % 24:02}" for n in range(5_000))
    with pytest.raises(DataError, match="range:KEY:BOUND"):
        plan_from_text([f'range:at:{bounds},"'])


names = st.text(min_size=1, max_size=6)
tricky = st.text(alphabet='ab:,|="\\ \n1T-é', min_size=1, max_size=6) | names
whole = st.integers(-(2**63), 2**63 - 1)
finite = st.floats(allow_nan=False, allow_infinity=False)


def _bounds(values):
    return st.lists(values, min_size=1, max_size=5, unique=True).map(sorted)


texts_by_bytes = st.lists(tricky, min_size=1, max_size=5, unique=True).map(
    lambda texts: sorted(texts, key=str.encode)
)
moments = st.datetimes() | st.datetimes(timezones=st.just(dt.timezone(HOUR / 3)))
widths = st.timedeltas(dt.timedelta(microseconds=1), dt.timedelta(days=9_999))


@st.composite
def plans(draw) -> Plan:
    kind = draw(st.sampled_from(["hash", "range", "window", "round_robin", "columns"]))
    key, nulls = draw(tricky), draw(st.integers(0, 3))
    if kind == "hash":
        return Plan.hash(key, draw(st.integers(4, 9_999)), nulls)
    if kind == "range":
        values = [whole, finite, st.dates(), st.datetimes()]
        bounds = draw(texts_by_bytes | st.one_of([_bounds(value) for value in values]))
        return Plan.range(key, bounds, min(nulls, len(bounds)))
    if kind == "round_robin":
        return Plan.round_robin(draw(st.integers(1, 9_999)))
    if kind == "columns":
        columns = draw(st.lists(tricky, min_size=2, max_size=6, unique=True))
        rest = [column for column in columns if column != key] or [key + "x"]
        groups = {draw(tricky): rest[:1], "1": rest[1:]} if rest[1:] else {"0": rest}
        return Plan.columns(groups, key)
    if draw(st.booleans()):
        width = draw(st.integers(1, 2**62))
        end = draw(st.none() | st.integers(1, 9_999).map(lambda n: n * width))
        return Plan.window(key, 0, width, end, nulls=0)
    return Plan.window(key, draw(moments), draw(widths), nulls=nulls)


@given(plans())
def test_a_plan_written_as_text_is_read_as_an_equal_one(plan):
    assert plan_from_text(text_of(plan)) == plan


@given(st.text(alphabet='hashrnge:,|="1.T-Z+ \n', max_size=40), st.sampled_from(list(FORMS)))
def test_any_text_is_a_plan_or_is_refused(rest, kind):
    try:
        plan = plan_from_text([f"{kind}:{rest}"])
    except DataError:
        return
    assert plan_from_text(text_of(plan)) == plan
