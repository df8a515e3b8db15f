"""What would become of a table's rows is what the plans make of them."""

from __future__ import annotations

import datetime as dt

import numpy as np
import polars as pl
import pytest

from amaas_kit.errors import DataError
from amaas_kit.partition import Plan, part_sizes, rendezvous_parts
from amaas_kit.partition.cut import fit
from amaas_kit.partition.source import Table
from amaas_kit.partition.trial import METHODS, Trial

ROWS = 500
START = dt.datetime(2026, 3, 1)


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    rng = np.random.default_rng(4)
    user = rng.integers(-40, 40, ROWS)
    frame = pl.DataFrame(
        {
            "user": pl.Series(user).replace(0, None),
            "time": [START + dt.timedelta(seconds=int(s)) for s in rng.integers(0, 10**6, ROWS)],
            "name": rng.choice(["ä", "", "b", "Zürich", "long " * 9], ROWS),
            "weight": rng.normal(size=ROWS),
            "flag": rng.choice([0, 0, 0, 1], ROWS),
        }
    )
    path = tmp_path_factory.mktemp("trial") / "rows.parquet"
    frame.write_parquet(path)
    return Table.open(path)


def by_plan(plan, table):
    cut = fit(plan, table)
    return cut.part_numbers(table.scan().collect(), np.arange(table.rows)).tolist()


@pytest.mark.parametrize("key", ["user", "time", "name"])
def test_hash_and_round_robin_are_those_of_the_plans(table, key):
    trial = Trial(table, key, ROWS)
    assert trial.numbers("hash", 7).tolist() == by_plan(Plan.hash(key, 7), table)
    assert trial.numbers("round robin", 7).tolist() == by_plan(Plan.round_robin(7), table)


@pytest.mark.parametrize("key", ["user", "name", "weight"])
def test_ranges_are_those_of_a_plan_with_the_bounds_of_the_trial(table, key):
    trial = Trial(table, key, ROWS)
    assert trial.numbers("range", 4).tolist() == by_plan(Plan.range(key, trial.bounds(4)), table)


@pytest.mark.parametrize("parts", [1, 2, 5, 16])
def test_bounds_make_parts_of_the_same_size_where_all_keys_differ(table, parts):
    sizes = part_sizes(Trial(table, "weight", ROWS).numbers("range", parts), parts)
    assert sizes.max() - sizes.min() <= 1


def test_a_key_with_more_rows_than_a_fair_share_leaves_parts_empty(table):
    trial = Trial(table, "flag", ROWS)
    assert trial.bounds(8) == (1,)
    sizes = part_sizes(trial.numbers("range", 8), 8)
    assert np.count_nonzero(sizes) == 2
    assert sizes.sum() == ROWS


def test_windows_are_of_one_width_from_the_first_time_to_the_last(table):
    numbers = Trial(table, "time", ROWS).numbers("window", 6)
    times = table.scan().collect()["time"]
    first, last = times.min(), times.max()
    width = ((last - first) // dt.timedelta(microseconds=1)) // 6 + 1
    plan = Plan.window("time", first, dt.timedelta(microseconds=width))
    assert numbers.tolist() == by_plan(plan, table)
    assert (numbers.min(), numbers.max()) == (0, 5)


def test_rendezvous_is_by_the_key_and_without_a_key_in_part_0(table):
    trial = Trial(table, "user", ROWS)
    numbers = trial.numbers("rendezvous", 5)
    users = table.scan().collect()["user"]
    missing = users.is_null().to_numpy()
    assert missing.any()
    assert set(numbers[missing]) == {0}
    known = users.drop_nulls().to_numpy()
    assert numbers[~missing].tolist() == rendezvous_parts(known, 5).tolist()


@pytest.mark.parametrize("method", METHODS)
def test_with_one_more_is_the_next_number_and_a_new_window_is_empty(table, method):
    trial = Trial(table, "user", ROWS)
    same = 5 if method == "window" else 6
    assert trial.with_one_more(method, 5).tolist() == trial.numbers(method, same).tolist()


def test_only_the_first_rows_are_looked_at(table):
    assert len(Trial(table, "user", 100).numbers("hash", 3)) == 100


@pytest.mark.parametrize(
    ("key", "method", "said"),
    [
        ("name", "window", "keys of type String"),
        ("weight", "window", "keys of type Float64"),
        ("weight", "hash", "keys with a fraction"),
        ("weight", "rendezvous", "keys with a fraction"),
        ("user", "alphabet", "there is no such method"),
    ],
)
def test_what_cannot_be_cut_so_is_refused(table, key, method, said):
    with pytest.raises(DataError, match=said):
        Trial(table, key, ROWS).numbers(method, 4)


def test_a_column_that_is_not_there_is_refused(table):
    with pytest.raises(DataError, match="there is no column 'usr'"):
        Trial(table, "usr", ROWS)
