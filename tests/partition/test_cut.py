"""A plan is held against a table before anything is written."""

from __future__ import annotations

import datetime as dt
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from amaas_kit.errors import DataError
from amaas_kit.partition import Plan, distinct, engine, verify
from amaas_kit.partition.cut import fit
from amaas_kit.partition.source import Table

HOUR = dt.timedelta(hours=1)
NOON = dt.datetime(2026, 1, 1, 12)
UTC_NOON = NOON.replace(tzinfo=dt.UTC)

ROWS = pl.DataFrame(
    {
        "id": [10, 11, 12, 13],
        "user": [-5, 7, None, 2**62],
        "name": ["b", "", None, "é"],
        "x": [0.5, -0.0, None, float("inf")],
        "nan": [0.5, float("nan"), None, 1.0],
        "at": [NOON, NOON + HOUR, None, NOON + 3 * HOUR],
        "day": [dt.date(2026, 1, 1), dt.date(1969, 12, 31), None, dt.date(2026, 1, 8)],
        "twice": [1, 1, 2, 3],
    }
).with_columns(
    pl.col("at").dt.replace_time_zone("Asia/Kolkata").alias("zoned"),
    pl.col("at").cast(pl.Datetime("ms")).alias("at_ms"),
    (pl.col("at").cast(pl.Datetime("ns")) - pl.duration(nanoseconds=1)).alias("at_ns"),
    pl.col("name").cast(pl.Categorical).alias("category"),
    pl.col("id").cast(pl.UInt8).alias("small"),
    pl.col("id").cast(pl.UInt64).alias("unsigned"),
    pl.concat_list("id").alias("list"),
    (pl.col("id") > 11).alias("truth"),
)


@pytest.fixture(scope="module")
def table(tmp_path_factory) -> Table:
    file = tmp_path_factory.mktemp("cut") / "t.parquet"
    ROWS.write_parquet(file)
    return Table.open(file)


def test_constants_of_another_kind_are_shown_as_people_write_them(table):
    with pytest.raises(DataError, match=r"day: Date, and 2026-01-01 12:00:00\n"):
        fit(Plan.window("day", NOON, HOUR), table)


def parts(plan: Plan, table: Table) -> list[int]:
    cut = fit(plan, table)
    numbers = cut.part_numbers(table.scan().collect(), np.arange(table.rows)).tolist()
    assert all(0 <= number < cut.row_parts for number in numbers)
    return numbers


def microseconds(moment: dt.datetime) -> int:
    return (moment - dt.datetime(1970, 1, 1)) // dt.timedelta(microseconds=1)


def hashed(number: int) -> int:
    return (number % (2**31 - 1) * 1_103_515_245 + 12_345) % (2**31 - 1) % 4


@pytest.mark.parametrize(
    ("key", "numbers"),
    [
        ("user", [-5, 7, None, 2**62]),
        ("small", [10, 11, 12, 13]),
        ("name", [98, 0, None, 0xC3 * 16_807 + 0xA9]),
        ("category", [98, 0, None, 0xC3 * 16_807 + 0xA9]),
        ("day", [20454, -1, None, 20461]),
        (
            "at",
            [
                microseconds(NOON) + h * 3_600_000_000 if h is not None else None
                for h in (0, 1, None, 3)
            ],
        ),
        (
            "at_ms",
            [
                microseconds(NOON) + h * 3_600_000_000 if h is not None else None
                for h in (0, 1, None, 3)
            ],
        ),
        (
            "at_ns",
            [
                microseconds(NOON) - 1 + h * 3_600_000_000 if h is not None else None
                for h in (0, 1, None, 3)
            ],
        ),
        (
            "zoned",
            [
                microseconds(NOON) + h * 3_600_000_000 - 19_800_000_000 if h is not None else None
                for h in (0, 1, None, 3)
            ],
        ),
    ],
)
def test_each_type_of_key_has_its_number(table, key, numbers):
    assert parts(Plan.hash(key, 4), table) == [0 if n is None else hashed(n) for n in numbers]


def test_ranges_take_bounds_of_the_keys_kind(table):
    assert parts(Plan.range("user", [-5, 8], nulls=2), table) == [1, 1, 2, 2]
    assert parts(Plan.range("name", ["a", "é"]), table) == [1, 0, 0, 2]
    assert parts(Plan.range("x", [0, 0.5]), table) == [2, 1, 0, 2]
    assert parts(Plan.range("at", [NOON, NOON + HOUR]), table) == [1, 2, 0, 2]
    assert parts(Plan.range("at", [dt.date(2026, 1, 1)]), table) == [1, 1, 0, 1]
    assert parts(Plan.range("zoned", [UTC_NOON - 5 * HOUR]), table) == [0, 1, 0, 1]
    assert parts(Plan.range("day", [dt.date(1970, 1, 1)]), table) == [1, 0, 0, 1]


def test_windows_are_counted_up_to_the_last_row(table):
    assert parts(Plan.window("at", NOON, HOUR), table) == [0, 1, 0, 3]
    assert fit(Plan.window("at", NOON, HOUR), table).row_parts == 4
    assert fit(Plan.window("at", NOON, HOUR, nulls=6), table).row_parts == 7
    assert parts(Plan.window("at", NOON, HOUR, nulls=6), table) == [0, 1, 6, 3]
    assert fit(Plan.window("at", NOON, HOUR, NOON + 9 * HOUR), table).row_parts == 9
    assert parts(Plan.window("day", dt.date(1969, 12, 31), dt.timedelta(weeks=1)), table) == [
        2922,
        0,
        0,
        2923,
    ]
    assert parts(Plan.window("id", 10, 2), table) == [0, 0, 1, 1]
    assert parts(Plan.window("id", 10, 2).then(Plan.round_robin(2)), table) == [0, 1, 2, 3]


def test_columns_are_completed_with_the_key(table):
    rest = [name for name in ROWS.columns if name not in ("id", "x")]
    cut = fit(Plan.hash("user", 2).then(Plan.columns([["x"], rest], "id")), table)
    assert cut.groups == (("id", "x"), ("id", *rest))
    assert (cut.row_parts, cut.parts) == (2, 4)


REFUSED = {
    "a missing column": (Plan.hash("usr", 2), "did you mean 'user'"),
    "a missing column of a range": (Plan.range("z", [1]), "no column 'z'"),
    "a hash of fractions": (Plan.hash("x", 2), "x: Float64"),
    "a hash of unsigned 64 bits": (Plan.hash("unsigned", 2), "unsigned: UInt64"),
    "a hash of truth, which no range takes": (Plan.hash("truth", 2), "column, or cast this one"),
    "a hash of lists": (Plan.hash("list", 2), "list: List"),
    "a hash of truth": (Plan.hash("truth", 2), "truth: Boolean"),
    "a window of text": (Plan.window("name", 0, 1), "name: String"),
    "a window of fractions": (Plan.window("x", 0, 1), "x: Float64"),
    "NaN": (Plan.range("nan", [0.5]), "nan: rows with NaN: 1"),
    "text bounds of numbers": (Plan.range("user", ["a"]), "user: Int64, and 'a'"),
    "number bounds of text": (Plan.range("name", [1]), "name: String, and 1"),
    "fractions for whole numbers": (Plan.range("user", [0.5]), "user: Int64, and 0.5"),
    "numbers beyond 64 bits": (Plan.range("user", [2**63]), "64 bits"),
    "numbers for times": (Plan.range("at", [5]), "and 5"),
    "numbers for dates": (Plan.range("day", [5]), "day: Date, and 5"),
    "times for dates": (Plan.range("day", [NOON]), "day: Date"),
    "a zone for none": (Plan.range("at", [UTC_NOON]), "time zone"),
    "none for a zone": (Plan.range("zoned", [NOON]), "time zone"),
    "a window of times of numbers": (Plan.window("id", NOON, HOUR), "id: Int64"),
    "a row before the first window": (
        Plan.window("at", NOON + HOUR, HOUR),
        "at = 2026-01-01 12:00",
    ),
    "a row behind the last window": (
        Plan.window("at", NOON, HOUR, NOON + 3 * HOUR),
        "at = 2026-01-01 15:00",
    ),
    "too many windows": (Plan.window("at", NOON, dt.timedelta(seconds=1)), "10,801 windows"),
    "a distance beyond 64 bits": (
        Plan.window("user", -(2**63), 2**62),
        "nearer to the first row, user = -5",
    ),
    "a distance beyond 64 bits to an end": (
        Plan.window("user", -(2**63), 2**62, 2**63 - 1),
        "distance",
    ),
    "a width beyond 64 bits": (Plan.window("user", -5, 2**70), "64 bits"),
    "a width of times beyond 64 bits": (Plan.window("at", NOON, dt.timedelta.max), "64 bits"),
    "a bound beyond the fractions": (Plan.range("x", [10**400]), "1.8e308"),
    "more parts than rows": (Plan.hash("user", 5), "rows: 4, parts: 5"),
    "more parts than rows in all": (Plan.hash("user", 3).then(Plan.round_robin(2)), "parts: 6"),
    "a forgotten column": (Plan.columns([["x"], ["name"]], "id"), "in no group: user"),
    "a group with a missing column": (Plan.columns([["x", "y"]], "id"), "no column 'y'"),
    "a join key that is missing": (Plan.columns([ROWS.columns], "no"), "no column 'no'"),
    "a join key with doubles": (Plan.columns([ROWS.columns], "twice"), "3 different values in 4"),
    "a join key with nulls": (Plan.columns([ROWS.columns], "user"), "user: 1 nulls"),
    "a join key of fractions": (Plan.columns([ROWS.columns], "x"), "x: Float64"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_plan_that_does_not_fit_is_refused_with_the_column(table, name):
    plan, words = REFUSED[name]
    with pytest.raises(DataError) as caught:
        fit(plan, table)
    assert words in str(caught.value)
    assert str(table.path) in str(caught.value)


def test_a_table_without_rows_or_with_one(tmp_path):
    pl.DataFrame({"a": []}, schema={"a": pl.Int64}).write_parquet(tmp_path / "none.parquet")
    pl.DataFrame({"a": [5]}).write_parquet(tmp_path / "one.parquet")
    with pytest.raises(DataError, match="no row"):
        fit(Plan.hash("a", 1), Table.open(tmp_path / "none.parquet"))
    one = Table.open(tmp_path / "one.parquet")
    assert fit(Plan.hash("a", 1), one).parts == 1
    with pytest.raises(DataError, match="ask for 1 at most"):
        fit(Plan.hash("a", 2), one)


def test_a_column_with_the_name_of_the_parts_is_refused(tmp_path):
    pl.DataFrame({"part": [5]}).write_parquet(tmp_path / "t.parquet")
    with pytest.raises(DataError, match="rename the column"):
        fit(Plan.round_robin(1), Table.open(tmp_path / "t.parquet"))


@pytest.mark.parametrize("name", ["*", "^x.*$"])
def test_a_name_that_is_a_pattern_is_refused(name, tmp_path):
    pl.DataFrame({name: [5]}).write_parquet(tmp_path / "t.parquet")
    with pytest.raises(DataError, match="pattern"):
        fit(Plan.round_robin(1), Table.open(tmp_path / "t.parquet"))


@pytest.mark.parametrize("kind", [pl.Datetime("us"), pl.Date()])
def test_a_time_beyond_the_calendar_is_named_by_its_number(kind, tmp_path):
    number = -(2**31) if kind == pl.Date else -(2**62)
    pl.DataFrame({"at": pl.Series([number]).cast(kind)}).write_parquet(tmp_path / "t.parquet")
    start = dt.date(1970, 1, 1) if kind == pl.Date else dt.datetime(1970, 1, 1)
    with pytest.raises(DataError, match=f"at = {number}"):
        fit(Plan.window("at", start, 24 * HOUR), Table.open(tmp_path / "t.parquet"))


def test_a_type_that_parts_cannot_hold_is_refused(tmp_path):
    half = pl.Series("x", [0.5], dtype=pl.Float16)
    pl.DataFrame([half]).write_parquet(tmp_path / "t.parquet")
    with pytest.raises(DataError, match=r"'x'(.|\n)*Float16"):
        fit(Plan.round_robin(1), Table.open(tmp_path / "t.parquet"))


@pytest.mark.parametrize("name", ["position in the table", "position in the table_"])
def test_a_column_may_have_the_name_of_the_rows_places(name, tmp_path):
    rows = pl.DataFrame({"k": ["a", "b", "c"], name: [5, 6, 7], "position in the table": [1, 2, 3]})
    rows.write_parquet(tmp_path / "t.parquet")
    plan = Plan.hash("k", 2).then(Plan.round_robin(1))
    result = engine("local").run(plan, tmp_path / "t.parquet", tmp_path / "parts")
    assert_frame_equal(result.scan().drop("part").sort("k").collect(), rows)
    assert verify(result)


def test_a_join_key_of_text_that_does_not_ascend(tmp_path):
    pl.DataFrame({"k": ["b", "a", "c"], "x": [1, 2, 3]}).write_parquet(tmp_path / "t.parquet")
    assert fit(Plan.columns([["x"]], "k"), Table.open(tmp_path / "t.parquet")).parts == 1


KEYS = {
    "numbers": pl.Series([3, 1, None, 2, 1, None], dtype=pl.Int64),
    "decimals": pl.Series([3, 1, None, 2, 1, None], dtype=pl.Int64).cast(pl.Decimal(9, 2)),
    "texts": pl.Series(["c", "", None, "b", "", None]),
    "bytes": pl.Series([b"c", b"", None, b"b", b"", None]),
    "categories": pl.Series(["c", "", None, "b", "", None], dtype=pl.Categorical),
    "dates": pl.Series([3, 1, None, 2, 1, None], dtype=pl.Int32).cast(pl.Date),
}


@pytest.mark.parametrize("name", KEYS)
@pytest.mark.parametrize("at_once", [1, 2, 100])
def test_different_keys_are_counted_a_few_at_a_time(name, at_once, tmp_path, monkeypatch):
    monkeypatch.setattr(distinct, "KEYS_AT_ONCE", at_once)
    for number in (1, 2):
        pl.DataFrame({"k": KEYS[name]}).write_parquet(tmp_path / f"{number}.parquet")
    assert distinct.different_keys("k", Table.open(tmp_path)) == 4


FIT = """
import resource
import sys
from amaas_kit.partition import Plan, distinct
from amaas_kit.partition.cut import fit
from amaas_kit.partition.source import Table
distinct.KEYS_AT_ONCE = 500_000
table = Table.open(sys.argv[1])
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
fit(Plan.columns([["x"]], "k"), table)
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="memory is counted in another unit there")
def test_the_memory_for_a_join_key_does_not_grow_with_the_table(tmp_path):
    for number in range(8):
        places = np.arange(number * 10**6, (number + 1) * 10**6, dtype=np.uint64)
        keys = (places * np.uint64(0x9E3779B97F4A7C15)).view(np.int64)
        rows = pl.DataFrame({"k": keys}).with_columns(x=pl.lit(0, pl.Int8))
        rows.write_parquet(tmp_path / f"{number}.parquet", row_group_size=250_000)
    done = subprocess.run(
        [sys.executable, "-c", FIT, str(tmp_path)],
        check=True,
        capture_output=True,
        text=True,
        cwd=Path(__file__).parents[2],
        env={**os.environ, "POLARS_MAX_THREADS": "2"},
    )
    assert int(done.stdout) < 250


@pytest.mark.parametrize("ticks", [2**62, -(2**62), 9_300_000_000_000_000])
@pytest.mark.parametrize(
    "plan",
    [
        Plan.hash("at", 2),
        Plan.range("at", [NOON]),
        Plan.window("at", dt.datetime(1970, 1, 1), HOUR),
    ],
    ids=str,
)
def test_milliseconds_that_64_bits_of_microseconds_do_not_hold(plan, ticks, tmp_path):
    times = pl.Series([0, None, ticks], dtype=pl.Int64).cast(pl.Datetime("ms"))
    pl.DataFrame({"at": times}).write_parquet(tmp_path / "t.parquet")
    with pytest.raises(DataError, match=f"at = {ticks} milliseconds"):
        fit(plan, Table.open(tmp_path / "t.parquet"))


@pytest.mark.parametrize("ticks", [9_223_372_036_854_775, -9_223_372_036_854_775])
def test_milliseconds_at_the_end_of_64_bits(ticks, tmp_path):
    times = pl.Series([0, ticks, 0, 0], dtype=pl.Int64).cast(pl.Datetime("ms"))
    pl.DataFrame({"at": times}).write_parquet(tmp_path / "t.parquet")
    table = Table.open(tmp_path / "t.parquet")
    assert parts(Plan.hash("at", 4), table) == [hashed(n * 1000) for n in times.to_physical()]


@pytest.mark.parametrize("end", [None, 2**60])
def test_a_last_row_at_zero_may_be_too_far_from_the_start(end, tmp_path):
    pl.DataFrame({"k": [-(2**63), 0]}).write_parquet(tmp_path / "t.parquet")
    plan = Plan.window("k", -(2**63), 2**60, end)
    with pytest.raises(DataError, match="k = 0 in the last row") as caught:
        fit(plan, Table.open(tmp_path / "t.parquet"))
    assert "cut by range" in caught.value.fix


def test_an_error_of_windows_is_in_the_words_of_the_plan(table):
    plan = Plan.window("at", dt.date(1, 1, 1), dt.timedelta(days=1))
    with pytest.raises(DataError) as caught:
        fit(plan, table)
    assert str(plan.steps[0]) in caught.value.situation


def test_a_row_with_a_time_zone_is_shown_with_it(table):
    with pytest.raises(DataError) as caught:
        fit(Plan.window("zoned", UTC_NOON, HOUR), table)
    assert caught.value.seen == "zoned = 2026-01-01 06:30:00+00:00"
