"""Parquet files: what Polars wrote is read back, and what is wrong is named."""

import contextlib
import sys
from datetime import date

import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from amaas_kit.data import Dataset
from amaas_kit.errors import DataError, MissingError


@pytest.fixture
def table(tmp_path):
    def write(**columns):
        path = tmp_path / "table.parquet"
        pl.DataFrame(columns).write_parquet(path)
        return path

    return write


def test_numbers_and_booleans_are_features_and_text_names_classes(table):
    path = table(a=[1, 2, 3], b=[True, False, True], c=[0.5, 1.5, 2.5], kind=["y", "x", "y"])
    data = Dataset.from_parquet(path, "kind")
    assert data.x.tolist() == [[1, 1, 0.5], [2, 0, 1.5], [3, 1, 2.5]]
    assert (data.y.tolist(), data.labels) == ([1, 0, 1], ("x", "y"))
    assert (data.columns, data.name) == (("a", "b", "c"), "table.parquet")


@given(st.integers(0, 2**32), st.sampled_from([pl.Int8, pl.UInt64, pl.Float32, pl.Float64]))
@settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_polars_reads_the_same_numbers(tmp_path, seed, dtype):
    generator = np.random.default_rng(seed)
    frame = pl.DataFrame(
        {
            "a": pl.Series(generator.integers(0, 100, 40), dtype=dtype),
            "t": generator.normal(size=40),
        }
    )
    frame.write_parquet(tmp_path / "t.parquet")
    data = Dataset.from_parquet(tmp_path / "t.parquet", "t")
    assert data.x[:, 0].tolist() == frame["a"].to_list()
    assert (data.y == frame["t"].to_numpy().astype(np.float32)).all()


def test_the_rule_and_its_override_are_those_of_csv(table):
    path = table(a=[1, 2, 3, 4], few=[0, 1, 0, 1], many=[1, 2, 3, 4], flag=[True, False] * 2)
    assert Dataset.from_parquet(path, "few").labels == (0, 1)
    assert Dataset.from_parquet(path, "many").task == "regression"
    assert Dataset.from_parquet(path, "flag").labels == (0, 1)
    assert Dataset.from_parquet(path, "many", task="classification").classes == 4


def test_categories_and_decimals_are_understood(table):
    path = table(
        a=pl.Series(["1.5", "2.5"]).cast(pl.Decimal(10, 2)),
        kind=pl.Series(["u", "v"], dtype=pl.Categorical),
    )
    data = Dataset.from_parquet(path, "kind")
    assert data.x[:, 0].tolist() == [1.5, 2.5]
    assert data.labels == ("u", "v")


@pytest.mark.parametrize(
    ("columns", "quoted"),
    [
        ({"a": [1, None, None], "t": [0, 1, 0]}, "null in row 2, column 'a'; 2 in all"),
        ({"a": [1, 2, 3], "t": ["x", "y", None]}, "null in row 3, column 't'"),
        ({"a": [1, 2, 3], "t": [0, None, 1]}, "null in row 2, column 't'"),
        ({"a": [1.0, float("nan"), 3.0], "t": [0, 1, 0]}, "nan in row 2, column 'a'"),
        ({"a": [1.0, 2.0, float("inf")], "t": [0, 1, 0]}, "inf in row 3, column 'a'"),
        ({"a": [1.0, 2.0, 1e39], "t": [0, 1, 0]}, "1e+39 in row 3, column 'a'"),
        ({"a": [1, 2, 3], "t": [0.5, float("nan"), 1]}, "nan in row 2, column 't'"),
        ({"a": ["red", "blue", "red"], "t": [0, 1, 0]}, "'a' of type String, such as 'red'"),
        ({"a": [date(2026, 1, 1)] * 2, "t": [0, 1]}, "'a' of type Date"),
        ({"a": [1, 2], "t": [date(2026, 1, 1)] * 2}, "'t' of type Date"),
        ({"a": [[1], [2]], "t": [0, 1]}, "'a' of type List"),
        ({"a": [1, 2], "b": [0, 1]}, "no column 't'; the file has 'a', 'b'"),
        ({"t": [0, 1]}, "features none"),
        ({"a": pl.Series([], dtype=pl.Float64), "t": pl.Series([], dtype=pl.Int64)}, "no row"),
        ({"a": [1, 2], "t": ["x", "x"]}, "one class"),
    ],
)
def test_a_wrong_table_is_refused_with_its_place(table, columns, quoted):
    with pytest.raises(DataError) as caught:
        Dataset.from_parquet(table(**columns), "t")
    assert "table.parquet" in caught.value.situation
    assert quoted in caught.value.seen


def test_columns_that_were_not_asked_for_may_be_anything(table):
    path = table(id=["x", None], a=[1, 2], t=[0.5, 1.5])
    assert Dataset.from_parquet(path, "t", columns=["a"]).columns == ("a",)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(DataError, match="nothing of this name"):
        Dataset.from_parquet(tmp_path / "absent.parquet", "t")


def test_a_file_cut_anywhere_is_refused(table):
    path = table(a=[1, 2, 3], t=["x", "y", "x"])
    whole = path.read_bytes()
    for length in range(0, len(whole), 7):
        path.write_bytes(whole[:length])
        with pytest.raises(DataError, match="cut short"):
            Dataset.from_parquet(path, "t")


@pytest.mark.parametrize("place", range(7))
def test_a_changed_byte_never_shows_another_kind_of_error(table, place):
    path = table(a=[1, 2, 3], t=["x", "y", "x"])
    whole = path.read_bytes()
    for at in range(place, len(whole), 7):
        damaged = bytearray(whole)
        damaged[at] ^= 0xA5
        path.write_bytes(damaged)
        with contextlib.suppress(DataError):
            Dataset.from_parquet(path, "t")


def test_without_polars_the_error_says_what_to_do(table, monkeypatch):
    path = table(a=[1, 2], t=[0, 1])
    monkeypatch.setitem(sys.modules, "polars", None)
    with pytest.raises(MissingError, match="pip install polars"):
        Dataset.from_parquet(path, "t")
