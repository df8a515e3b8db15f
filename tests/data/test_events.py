"""The generated table of events: the same rows for the same seed, skewed, and worth learning."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from amaas_kit.data import load_events, write_events
from amaas_kit.errors import DataError

HOUR_MS = 3_600_000


@pytest.fixture(scope="module")
def events() -> pl.DataFrame:
    return load_events(150_000)


def test_columns_and_types(events):
    features = {f"f{i}": pl.Float64 for i in range(10)}
    whole = {"row_id": pl.Int64, "user_id": pl.Int64, "ts_ms": pl.Int64}
    assert events.schema == {**whole, **features, "label": pl.Int64}
    assert events.height == 150_000
    assert events.null_count().sum_horizontal().item() == 0
    assert events["row_id"].to_list() == list(range(150_000))


def test_the_same_seed_gives_the_same_rows_and_another_seed_others(events):
    assert_frame_equal(load_events(150_000, seed=7), events)
    other = load_events(1_000, seed=8)
    assert other["row_id"].equals(events["row_id"][:1_000])
    assert not other["f0"].equals(events["f0"][:1_000])


@pytest.mark.parametrize("rows", [1, 65_535, 65_536, 65_537])
def test_a_longer_table_begins_with_the_rows_of_a_shorter_one(events, rows):
    assert_frame_equal(load_events(rows), events[:rows])


def test_what_is_written_is_what_is_loaded(events, tmp_path):
    assert write_events(tmp_path / "events.parquet", 150_000) == tmp_path / "events.parquet"
    assert_frame_equal(pl.read_parquet(tmp_path / "events.parquet"), events)
    assert [path.name for path in tmp_path.iterdir()] == ["events.parquet"]


def test_few_users_make_most_events_and_guests_are_negative(events):
    counts = events["user_id"].value_counts(sort=True)["count"]
    assert counts[:50].sum() > events.height / 2 > 50 * counts[50]
    assert 0.09 < (events["user_id"] < 0).mean() < 0.11
    assert (events["user_id"] == 0).sum() == 0


def test_times_go_forward_by_a_second_a_row_and_meet_full_hours(events):
    start = 1_767_225_600_000
    late = events["ts_ms"] - start - events["row_id"] * 1_000
    ordinary = late.filter(events["row_id"] % 997 != 0)
    assert ordinary.min() >= 0
    assert ordinary.max() < 60_000
    assert (events["ts_ms"] >= start).all()
    assert (events["ts_ms"] % HOUR_MS == 0).sum() >= 150_000 // 997


def test_the_label_can_be_learned_and_not_without_the_features(events):
    x = events.select(pl.selectors.starts_with("f")).to_numpy()
    y = events["label"].to_numpy()
    half = len(y) // 2
    weights, *_ = np.linalg.lstsq(x[:half], y[:half] - 0.5, rcond=None)
    right = ((x[half:] @ weights > 0) == y[half:]).mean()
    assert max(y.mean(), 1 - y.mean()) < 0.51
    assert 0.83 < right < 0.87


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"rows": 0}, "rows=0"),
        ({"rows": -5}, "rows=-5"),
        ({"rows": 2.5}, r"rows=2\.5"),
        ({"rows": True}, "rows=True"),
        ({"seed": -1}, "seed=-1"),
        ({"seed": "x"}, "seed='x'"),
    ],
)
def test_senseless_arguments_are_named(arguments, words):
    with pytest.raises(DataError, match=words):
        load_events(**arguments)


def test_numbers_of_numpy_are_numbers(tmp_path):
    assert_frame_equal(load_events(np.int64(3), seed=np.uint8(7)), load_events(3))


def test_a_place_that_cannot_be_written_is_named(tmp_path):
    for place in (tmp_path / "no" / "such" / "x.parquet", tmp_path):
        with pytest.raises(DataError, match="a folder that exists") as caught:
            write_events(place, rows=3)
        assert str(place) in caught.value.situation
    assert list(tmp_path.iterdir()) == []
