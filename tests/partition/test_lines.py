"""A table that is written as lines comes back with the same values and types."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from amaas_kit.errors import DataError
from amaas_kit.partition import Plan
from amaas_kit.partition.cut import fit
from amaas_kit.partition.engines import lines
from amaas_kit.partition.source import Table

HARD = [
    "",
    " ",
    "%",
    "%N",
    "%25",
    "%0A",
    "\t",
    "\n",
    "\r\n",
    '"',
    "a,b",
    "\\N",
    "\x00",
    "é𝄞",
    "\ufeff",
    None,
]
MOMENT = dt.datetime(2026, 3, 29, 1, 59, 59, 999_999)

EVERY_TYPE = pl.DataFrame(
    {
        "id": [0, 1, 2],
        "text": ["", None, "%N"],
        "category": pl.Series(["b", None, "a\tb"], dtype=pl.Categorical),
        "enum": pl.Series(["x", None, "y\n"], dtype=pl.Enum(["x", "y\n"])),
        "truth": [True, None, False],
        "least": pl.Series([-128, None, 127], dtype=pl.Int8),
        "most": pl.Series([-(2**63), None, 2**63 - 1], dtype=pl.Int64),
        "unsigned": pl.Series([0, None, 2**64 - 1], dtype=pl.UInt64),
        "real": [float("nan"), None, 5e-324],
        "endless": [float("-inf"), -0.0, 1 / 3],
        "single": pl.Series([1e-45, None, 3.4028235e38], dtype=pl.Float32),
        "decimal": pl.Series([Decimal("-1.50"), None, Decimal("0.01")], dtype=pl.Decimal(38, 2)),
        "bytes": [b"", None, b"\x00\xff\n"],
        "day": [dt.date(1, 1, 1), None, dt.date(9999, 12, 31)],
        "at": [MOMENT, None, -MOMENT.resolution + dt.datetime(1970, 1, 1)],
        "span": [dt.timedelta(-1), None, dt.timedelta(microseconds=1)],
        "clock": [dt.time(0), None, dt.time(23, 59, 59, 999_999)],
        "nothing": [None, None, None],
    }
).with_columns(
    pl.col("at").dt.replace_time_zone("Europe/Madrid", non_existent="null").alias("zoned"),
    pl.col("at").cast(pl.Datetime("ms")).alias("ms"),
    pl.col("at").cast(pl.Datetime("ns")).alias("ns"),
)


def there_and_back(rows: pl.DataFrame, folder: Path) -> pl.DataFrame:
    rows.write_parquet(folder / "t.parquet")
    cut = fit(Plan.round_robin(1), Table.open(folder / "t.parquet"))
    lines.write(cut, folder / "lines" / "t", lambda share, doing: None)
    cells = (folder / "lines" / "t").read_bytes().decode().split("\n")[:-1]
    bare = [line.split("\t", 1) for line in cells]
    assert [int(position) for position, _ in bare] == list(range(len(rows)))
    (folder / "bare").write_bytes("".join(f"{rest}\n" for _, rest in bare).encode())
    lines.read(cut, {0: [folder / "bare"]}, folder, lambda share, doing: None)
    return pl.read_parquet(folder / "part=0" / "0.parquet")


def test_every_type_and_its_extremes(tmp_path):
    assert_frame_equal(there_and_back(EVERY_TYPE, tmp_path), EVERY_TYPE, check_exact=True)


def test_hard_texts_alone_in_their_line(tmp_path):
    rows = pl.DataFrame({"text": HARD})
    assert_frame_equal(there_and_back(rows, tmp_path), rows)


TEXT = st.none() | st.sampled_from(HARD) | st.text(max_size=12)
REAL = st.none() | st.floats()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.tuples(TEXT, REAL, st.none() | st.integers(-(2**63), 2**63 - 1)), min_size=1, max_size=9
    )
)
def test_drawn_rows(tmp_path, drawn):
    schema = {"text": pl.String, "real": pl.Float64, "whole": pl.Int64}
    rows = pl.DataFrame(drawn, schema=schema, orient="row")
    assert_frame_equal(there_and_back(rows, tmp_path), rows, check_exact=True)


@given(st.text())
def test_hidden_text_holds_no_sign_of_a_line_and_is_shown_again(text):
    hidden = text.replace("%", "%25").replace("\t", "%09").replace("\n", "%0A")
    hidden = hidden.replace("\r", "%0D").replace("\ufeff", "%FE")
    frame = pl.DataFrame({"text": [text]}).select(lines.hide(pl.col("text")))
    assert frame.item() == hidden
    assert frame.select(lines.show(pl.col("text"))).item() == text


def test_keys_come_first_in_their_own_units(tmp_path):
    rows = pl.DataFrame({"at": [MOMENT.replace(microsecond=0), None], "name": ["a\tb", None]})
    rows.cast({"at": pl.Datetime("ms")}).write_parquet(tmp_path / "t.parquet")
    plan = Plan.hash("name", 1).then(Plan.round_robin(1)).then(Plan.hash("at", 1))
    cut = fit(plan, Table.open(tmp_path / "t.parquet"))
    lines.write(cut, tmp_path / "lines", lambda share, doing: None)
    milliseconds = (MOMENT.replace(microsecond=0) - dt.datetime(1970, 1, 1)) // dt.timedelta(
        milliseconds=1
    )
    assert (tmp_path / "lines").read_text().split("\n") == [
        f"a%09b\t0\t{milliseconds * 1000}\t{milliseconds}\ta%09b",
        "%N\t1\t%N\t%N\t%N",
        "",
    ]


def test_columns_of_a_group_are_read_in_the_tables_order(tmp_path):
    rows = pl.DataFrame({"b": [1], "a": ["x"], "id": [7]})
    rows.write_parquet(tmp_path / "t.parquet")
    plan = Plan.columns({"one": ["a"], "two": ["b"]}, "id")
    cut = fit(plan, Table.open(tmp_path / "t.parquet"))
    (tmp_path / "one").write_text("x\t7\n")
    (tmp_path / "none").write_text("")
    lines.read(cut, {0: [tmp_path / "one"], 1: [tmp_path / "none"]}, tmp_path, lambda *told: None)
    assert pl.read_parquet(tmp_path / "part=0" / "0.parquet").to_dicts() == [{"a": "x", "id": 7}]
    assert not (tmp_path / "part=1").exists()


def test_a_column_of_lists_is_refused_by_its_name(tmp_path):
    pl.DataFrame({"id": [1], "tags": [["a"]]}).write_parquet(tmp_path / "t.parquet")
    cut = fit(Plan.hash("id", 1), Table.open(tmp_path / "t.parquet"))
    with pytest.raises(DataError, match="tags: List"):
        lines.write(cut, tmp_path / "lines", lambda share, doing: None)
