"""CSV files agree on the type of each column, and a guess that does not hold gives way to text."""

from __future__ import annotations

import datetime as dt

import polars as pl
import pytest

from amaas_kit.partition import Plan, engine
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
