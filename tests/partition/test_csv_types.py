"""A column of CSV has a type only where it keeps what each value says, and is text elsewhere."""

from __future__ import annotations

import datetime as dt
import random
import subprocess
import sys
from decimal import Decimal

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from amaas_kit.partition import Plan, csv_shape, engine
from amaas_kit.partition.source import Table

DAY = dt.date(2026, 1, 31)
LONG = "9" * 60

FOLDERS = {
    "a file without a value": (["7", "8"], [""], pl.Int64, [7, 8, None]),
    "a file without a row": (["7", "8"], [], pl.Int64, [7, 8]),
    "an empty text is a value": (["7"], ['""'], pl.String, ["7", ""]),
    "whole numbers and fractions": (["7"], ["0.5"], pl.Float64, [7.0, 0.5]),
    "numbers and longer ones": (["7"], ["9" * 30], pl.Int128, [7, int("9" * 30)]),
    "numbers and truth": (["7"], ["true"], pl.String, ["7", "true"]),
    "dates and nothing": (["2026-01-31"], [""], pl.Date, [DAY, None]),
    "dates and times": (
        ["2026-01-31"],
        ["2026-01-31T08:00:00"],
        pl.String,
        ["2026-01-31", "2026-01-31T08:00:00"],
    ),
    "times with a zone and without": (
        ["2026-01-31T08:00:00Z"],
        ["2026-01-31T08:00:00"],
        pl.String,
        ["2026-01-31T08:00:00Z", "2026-01-31T08:00:00"],
    ),
    "digits beyond 128 bits": (["7", LONG], ["8"], pl.String, ["7", LONG, "8"]),
    "dates written in two ways": (
        ["2026-01-31", "31/01/2026"],
        ["2026-01-31"],
        pl.String,
        ["2026-01-31", "31/01/2026", "2026-01-31"],
    ),
    "hours written in two ways": (["12:30:00", "12:30"], [], pl.String, ["12:30:00", "12:30"]),
}


@pytest.mark.parametrize("reverse", [False, True], ids=["", "reverse"])
@pytest.mark.parametrize("name", FOLDERS)
def test_all_files_have_one_type_and_no_value_is_lost(name, reverse, tmp_path):
    first, second, kind, values = FOLDERS[name]
    for file, own in zip(("ba" if reverse else "ab"), (first, second), strict=True):
        lines = "".join(f"1,{value}\n" for value in own)
        (tmp_path / f"{file}.csv").write_text(f"id,x\n{lines}")
    table = Table.open(tmp_path)
    assert table.schema == {"id": pl.Int64, "x": kind}
    found = table.scan().collect()["x"].to_list()
    assert found == (values[len(first) :] + values[: len(first)] if reverse else values)


def test_a_table_with_mixed_values_is_cut(tmp_path):
    (tmp_path / "t.csv").write_text(f"id,x\n1,{LONG}\n2,5\n")
    parts = engine("local").run(Plan.hash("id", 2), tmp_path / "t.csv", tmp_path / "parts")
    assert parts.scan().sort("id").collect()["x"].to_list() == [LONG, "5"]


def read_back(folder, *values: str) -> pl.Series:
    (folder / "t.csv").write_text("id,x\n" + "".join(f"1,{value}\n" for value in values))
    table = Table.open(folder / "t.csv")
    found = table.scan().collect()
    assert found.schema == table.schema
    return found["x"]


TEXTS = {
    "days before months": ["01/02/2026", "03/02/2026"],
    "days with dashes": ["01-02-2026"],
    "days in one digit": ["2026-1-31"],
    "digits of a nanosecond": ["2026-01-02T00:00:00.123456789"],
    "a nanosecond in a zone": ["2026-01-02T00:00:00.000000001Z"],
    "a leap second": ["2016-12-31T23:59:60"],
    "a day that is none": ["2026-02-30"],
    "codes with leading zeros": ["00123", "7"],
    "leading zeros before a fraction": ["0.5", "007"],
    "a plus": ["+5", "0.5"],
    "beyond float64": ["1.7976931348623159e308"],
    "too small for float64": ["1e-400"],
    "a whole number beside a fraction": ["9007199254740993", "0.5"],
    "the same with a point": ["9007199254740993.0", "0.5"],
    "a long whole number beside a fraction": ["90071992547409920", "0.5"],
    "a fraction beyond the fractions": ["9007199254740992.5"],
    "digits grouped": ["1_000"],
    "digits of another script": ["\u0661\u0662"],
    "a space": [" 7"],
    "truth and a number": ["true", "1"],
}


@pytest.mark.parametrize("name", TEXTS)
def test_what_a_type_would_change_stays_text(name, tmp_path):
    assert read_back(tmp_path, *TEXTS[name]).to_list() == TEXTS[name]


UTC = pl.Datetime("us", "UTC")
MORNING = dt.datetime(2026, 1, 31, 8)
TYPED = {
    "the ends of 64 bits": (["9223372036854775807", "-9223372036854775808"], pl.Int64, None),
    "beyond 64 bits": (["9223372036854775808", "-1"], pl.Int128, None),
    "the last exact whole number": (["9007199254740992", "-0.5"], pl.Float64, None),
    "large, as Polars writes it": (["9007199254740994.0", "1e300"], pl.Float64, None),
    "a zero below nothing": (["-0.0", "0e5"], pl.Float64, None),
    "in quotes": (['"7"', "8"], pl.Int64, [7, 8]),
    "no number": (["0.5", "inf", "-inf"], pl.Float64, [0.5, float("inf"), -float("inf")]),
    "truth": (["true", "False"], pl.Boolean, [True, False]),
    "seconds and parts of them": (
        ["2026-01-31T08:00:00", "2026-01-31T08:00:00.5", "2026-01-31T08:00:00.000001"],
        pl.Datetime("us"),
        [MORNING, MORNING.replace(microsecond=500_000), MORNING.replace(microsecond=1)],
    ),
    "a space and no seconds": (["2026-01-31 08:00"], pl.Datetime("us"), [MORNING]),
    "zones": (
        ["2026-01-31T08:00:00Z", "2026-01-31T10:00:00+02:00", "2026-01-31T05:30:00.0-0230"],
        UTC,
        [MORNING.replace(tzinfo=dt.UTC)] * 3,
    ),
    "hours": (["08:00:00", "08:00:00.25"], pl.Time, [dt.time(8), dt.time(8, 0, 0, 250_000)]),
    "hours and minutes": (["08:00"], pl.Time, [dt.time(8)]),
}


@pytest.mark.parametrize("name", TYPED)
def test_what_a_type_keeps_has_it(name, tmp_path):
    texts, kind, values = TYPED[name]
    found = read_back(tmp_path, *texts, "")
    assert found.dtype == kind
    wanted = values or [int(text) if kind != pl.Float64 else float(text) for text in texts]
    assert [str(value) for value in found] == [str(value) for value in (*wanted, None)]


def test_what_polars_writes_has_the_types_that_it_had(tmp_path):
    hour = dt.datetime(2026, 1, 31, 8, 0, 0, 123_456)
    rows = pl.DataFrame(
        {
            "whole": [1, None, -(2**63)],
            "number": [0.1, 1e17, -1.5e-300],
            "truth": [True, None, False],
            "day": [DAY, None, dt.date(1, 1, 1)],
            "hour": [hour.time(), None, dt.time(0)],
            "at": [hour, None, dt.datetime(1969, 12, 31)],
            "zoned": pl.Series([hour, None, hour], dtype=UTC),
            "text": ["", None, "a"],
        }
    )
    rows.write_csv(tmp_path / "t.csv")
    assert_frame_equal(Table.open(tmp_path / "t.csv").scan().collect(), rows)


def test_one_value_at_the_end_makes_a_column_text(tmp_path, monkeypatch):
    monkeypatch.setattr(csv_shape, "BYTES_AT_ONCE", 1000)
    values = [str(value) for value in range(5000)]
    assert read_back(tmp_path, *values).dtype == pl.Int64
    assert read_back(tmp_path, *values, "0.5").dtype == pl.Float64
    assert read_back(tmp_path, *values, "00123").to_list() == [*values, "00123"]
    assert read_back(tmp_path, "9007199254740993", *values, "0.5").dtype == pl.String


POOLS = (
    "0 -7 42 9007199254740993 9223372036854775808 007 -0",
    "0.5 -1e3 .25 3. 1e309 NaN 9007199254740993.0 12345678901234567890.0 7",
    "2026-01-31 2026-02-28 2026-1-1 31/01/2026",
    "2026-01-31T08:00:00 2026-01-31T08:00:00.123456 2026-01-31T08:00:00.1234567",
    "2026-01-31T08:00:00Z 2026-01-31T08:00:00.5+02:00 2026-01-31T08:00:00",
    "true false TRUE yes",
)


def same(text: str, value: object) -> bool:
    """Whether a value is what a text says, in exact arithmetic where it is whole."""
    match value:
        case bool():
            return text.lower() == str(value).lower()
        case int():
            return str(value) == text
        case float():
            exact = (
                not abs(value) >= 2**53 or "e" in text.lower() or Decimal(text) == Decimal(value)
            )
            return str(float(text)) == str(value) and exact
        case dt.datetime():
            return dt.datetime.fromisoformat(text) == value
        case dt.date():
            return dt.date.fromisoformat(text) == value
    return text == value


def test_drawn_columns_keep_what_their_values_say(tmp_path):
    for seed in range(150):
        draw = random.Random(seed)
        texts = draw.choices(draw.choice(POOLS).split(), k=draw.randint(1, 4))
        found = read_back(tmp_path, *texts).to_list()
        assert all(same(*pair) for pair in zip(texts, found, strict=True)), (texts, found)


def test_the_memory_does_not_grow_with_the_file(tmp_path):
    lines = "".join(f"{i},{i / 7},text of row {i}\n" for i in range(20_000)).encode()
    code = (
        "import resource, sys; from amaas_kit.partition.source import Table;"
        " Table.open(sys.argv[1]); print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)"
    )
    peaks = []
    for times in (20, 200):
        with (tmp_path / "t.csv").open("wb") as file:
            file.write(b"a,b,c\n")
            for _ in range(times):
                file.write(lines)
        done = subprocess.run(
            [sys.executable, "-c", code, tmp_path / "t.csv"], capture_output=True, check=True
        )
        peaks.append(int(done.stdout) / 1024)
    assert peaks[1] < peaks[0] + 60, f"MB for a file of 16 MB and of 160 MB: {peaks}"
