"""A plan is data: composed, saved, read back equal; one that makes no sense is refused at once."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from amaas_kit.errors import DataError
from amaas_kit.partition import Plan

HOUR = dt.timedelta(hours=1)
NEW_YEAR = dt.datetime(2026, 1, 1)

PLANS = {
    "hash": Plan.hash("user_id", 8),
    "hash with nulls apart": Plan.hash("user_id", 8, nulls=7),
    "range of numbers": Plan.range("f0", [-1.5, 0.0, 2]),
    "range of text": Plan.range("name", ["", "a", "é", "𝄞"]),
    "range of dates": Plan.range("day", [dt.date(2026, 1, 1), dt.date(2026, 2, 1)]),
    "range of moments": Plan.range("at", [dt.datetime(2026, 1, 1, tzinfo=dt.UTC)]),
    "open window": Plan.window("at", NEW_YEAR, HOUR),
    "closed window": Plan.window("at", NEW_YEAR, HOUR, NEW_YEAR + dt.timedelta(minutes=90)),
    "window of numbers": Plan.window("ts_ms", 10**12, 3_600_000, 10**12 + 1),
    "round robin": Plan.round_robin(3),
    "columns": Plan.columns({"one": ["a", "b"], "two": ["c"]}, "row_id"),
    "columns in hash in window": Plan.window("at", NEW_YEAR, HOUR)
    .then(Plan.hash("user_id", 8))
    .then(Plan.columns([["a"], ["row_id", "b"]], "row_id")),
}


@pytest.mark.parametrize("name", PLANS)
def test_a_plan_is_saved_and_read_back_equal(name, tmp_path):
    plan = PLANS[name]
    assert Plan.load(plan.save(tmp_path / "plan.json")) == plan
    assert hash(Plan.from_json(plan.to_json())) == hash(plan)


def test_bounds_may_be_numbers_of_numpy():
    assert Plan.range("a", np.array([1, 5])) == Plan.range("a", [1, 5])
    plan = Plan.range("a", np.quantile([0.5, 1.5, 4.0], [0.25, 0.5]))
    assert Plan.from_json(plan.to_json()) == plan == Plan.range("a", [1.0, 1.5])


def test_an_hour_that_the_clock_shows_twice_is_two_hours():
    berlin = ZoneInfo("Europe/Berlin")
    first = dt.datetime(2026, 10, 25, 2, tzinfo=berlin)
    second, end = first.replace(fold=1), dt.datetime(2026, 10, 25, 4, tzinfo=berlin)
    assert Plan.window("at", first, HOUR, end).parts == 3
    assert Plan.window("at", second, HOUR, end).parts == 2
    plan = Plan.range("at", [first, second, end])
    assert Plan.from_json(plan.to_json()) == plan
    assert hash(Plan.from_json(plan.to_json())) == hash(plan)
    with pytest.raises(DataError, match="ascend"):
        Plan.range("at", [second, first])


def test_different_plans_are_not_equal():
    assert (
        len({plan.to_json() for plan in PLANS.values()}) == len(set(PLANS.values())) == len(PLANS)
    )


def test_parts_are_counted():
    counted = {name: plan.parts for name, plan in PLANS.items()}
    assert counted["range of numbers"] == 4
    assert counted["closed window"] == 2
    assert counted["window of numbers"] == 1
    assert counted["open window"] is None
    assert counted["columns"] == 2
    assert Plan.hash("a", 3).then(Plan.round_robin(5)).then(PLANS["columns"]).parts == 30


def test_the_key_is_in_each_group_and_first():
    groups = PLANS["columns in hash in window"].groups
    assert groups.groups == (("0", ("row_id", "a")), ("1", ("row_id", "b")))


def test_a_plan_reads_as_a_sentence():
    plan = Plan.hash("user_id", 8).then(Plan.columns({"x": ["a"], "y": ["b"]}, "id"))
    assert str(plan) == (
        "hash of user_id into 8 parts, then columns with the key id in groups x: id, a; y: id, b"
    )


WIDTHS = {
    "1 day": 24 * HOUR,
    "6 h": 6 * HOUR,
    "1 day 6 h": 30 * HOUR,
    "7 days": 7 * 24 * HOUR,
    "15 min": HOUR / 4,
    "1 min 500 ms": dt.timedelta(seconds=60.5),
    "1 s 2 µs": dt.timedelta(seconds=1, microseconds=2),
}


@pytest.mark.parametrize("words", WIDTHS)
def test_a_width_is_said_in_units(words):
    plan = Plan.window("at", NEW_YEAR, WIDTHS[words])
    assert str(plan) == f"windows of {words} of at from 2026-01-01 00:00:00"
    assert str(Plan.window("ts_ms", 0, 10)) == "windows of 10 of ts_ms from 0"


SENSELESS = {
    "no parts": (lambda: Plan.hash("a", 0), "parts=0"),
    "negative parts": (lambda: Plan.round_robin(-3), "parts=-3"),
    "half a part": (lambda: Plan.hash("a", 2.5), "parts=2.5"),
    "true parts": (lambda: Plan.hash("a", True), "parts=True"),
    "too many parts": (lambda: Plan.hash("a", 10_001), "10,000"),
    "no key": (lambda: Plan.hash("", 2), "key=''"),
    "a number as key": (lambda: Plan.hash(3, 2), "key=3"),
    "nulls beyond the parts": (lambda: Plan.hash("a", 2, nulls=2), "numbered 0 to 1"),
    "negative nulls": (lambda: Plan.range("a", [1], nulls=-1), "nulls=-1"),
    "no bound": (lambda: Plan.range("a", []), "no bound"),
    "unsorted bounds": (lambda: Plan.range("a", [2, 1]), "the bound 1 behind 2"),
    "equal bounds": (lambda: Plan.range("a", [1, 1.0]), "the bound 1.0 behind 1"),
    "mixed bounds": (lambda: Plan.range("a", [1, "b"]), "all numbers, all texts"),
    "one bound without a list": (lambda: Plan.range("a", 18), "[18]"),
    "a text for a list of bounds": (lambda: Plan.range("a", "abc"), "['abc']"),
    "half a sign of Unicode": (lambda: Plan.range("a", ["\udcff"]), "all texts"),
    "groups of None": (lambda: Plan.columns(None, "id"), "lists of names"),
    "a text for groups": (lambda: Plan.columns("ab", "id"), "lists of names"),
    "a number for a group": (lambda: Plan.columns([5], "id"), "a list of names"),
    "no plan behind another": (lambda: Plan.hash("a", 2).then("hash:b:2"), "hash:b:2"),
    "bounds of bool": (lambda: Plan.range("a", [False, True]), "all numbers"),
    "dates and times": (lambda: Plan.range("a", [dt.date(2026, 1, 1), NEW_YEAR]), "all dates"),
    "a bound of NaN": (lambda: Plan.range("a", [0.0, float("nan")]), "finite"),
    "an endless bound": (lambda: Plan.range("a", [0.0, float("inf")]), "finite"),
    "bytes order": (lambda: Plan.range("a", ["b", "a"]), "the bound 'a' behind 'b'"),
    "zones mixed": (
        lambda: Plan.range("a", [NEW_YEAR, dt.datetime(2027, 1, 1, tzinfo=dt.UTC)]),
        "cannot be compared",
    ),
    "no width": (lambda: Plan.window("a", 0, 0), "positive width"),
    "negative width": (lambda: Plan.window("a", NEW_YEAR, -HOUR), "positive width"),
    "width of numbers for times": (lambda: Plan.window("a", NEW_YEAR, 60), "a timedelta"),
    "width of times for numbers": (lambda: Plan.window("a", 0, HOUR), "a whole number"),
    "hours of dates": (lambda: Plan.window("a", dt.date(2026, 1, 1), HOUR), "whole days"),
    "start of text": (lambda: Plan.window("a", "2026", HOUR), "start='2026'"),
    "end before start": (lambda: Plan.window("a", 5, 1, 5), "after the start"),
    "end of another kind": (lambda: Plan.window("a", 5, 1, NEW_YEAR), "both"),
    "end of another zone": (
        lambda: Plan.window("a", NEW_YEAR, HOUR, dt.datetime(2027, 1, 1, tzinfo=dt.UTC)),
        "time zone",
    ),
    "no width of time": (lambda: Plan.window("a", NEW_YEAR, 0 * HOUR), "width=0 s"),
    "more windows of time than parts": (
        lambda: Plan.window("a", NEW_YEAR, HOUR / 4, NEW_YEAR.replace(year=2027)),
        "windows of 15 min from 2026-01-01 00:00:00 to 2027-01-01 00:00:00",
    ),
    "unsorted days": (
        lambda: Plan.range("a", [dt.date(2026, 2, 1), dt.date(2026, 1, 1)]),
        "the bound 2026-01-01 behind 2026-02-01",
    ),
    "too many windows": (lambda: Plan.window("a", 0, 1, 10_001), "10,000"),
    "no group": (lambda: Plan.columns([], "id"), "no group"),
    "a group of the key alone": (lambda: Plan.columns([["a"], ["id"]], "id"), "beside the key"),
    "a column twice": (lambda: Plan.columns([["a"], ["b", "a"]], "id"), "'a' in '0' and in '1'"),
    "a name for a group": (lambda: Plan.columns(["ab"], "id"), "a list of names"),
    "columns before rows": (lambda: PLANS["columns"].then(Plan.hash("a", 2)), "rows are cut first"),
    "an open window inside": (
        lambda: Plan.hash("a", 2).then(PLANS["open window"]),
        "give the window an end",
    ),
    "a product of too many": (lambda: Plan.hash("a", 200).then(Plan.hash("b", 200)), "40,000"),
    "no step": (lambda: Plan(()), "a plan cuts"),
}


@pytest.mark.parametrize("name", SENSELESS)
def test_a_senseless_plan_is_refused_with_what_was_seen(name):
    make, words = SENSELESS[name]
    with pytest.raises(DataError) as caught:
        make()
    assert words in str(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        '{"format": 2, "steps": []}',
        '{"format": 1, "steps": [{"kind": "magic"}]}',
        '{"format": 1, "steps": [{"kind": "hash", "key": "a"}]}',
        '{"format": 1, "steps": [{"kind": "hash", "key": "a", "parts": 0, "nulls": 0}]}',
        '{"format": 1, "steps": [{"kind": "range", "key": "a", "bounds": [{"age": 1}]}]}',
        '{"format": 1, "steps": 5}',
    ],
)
def test_a_text_that_is_no_plan_is_refused(text, tmp_path):
    file = tmp_path / "plan.json"
    file.write_text(text)
    with pytest.raises(DataError):
        Plan.load(file)


def test_a_senseless_plan_in_a_file_is_named(tmp_path):
    file = tmp_path / "plan.json"
    file.write_text(PLANS["hash"].to_json().replace("8", "0"))
    with pytest.raises(DataError, match=r"the plan hash from .*plan\.json\n.*parts=0"):
        Plan.load(file)


def test_a_missing_plan_is_named(tmp_path):
    with pytest.raises(DataError, match=r"none\.json"):
        Plan.load(tmp_path / "none.json")
