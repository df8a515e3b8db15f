"""The exercises of lesson 05 take every right answer, and say what is wrong with the others."""

from __future__ import annotations

import math
from bisect import bisect_right
from statistics import fmean

import numpy as np
import polars as pl
import pytest

from amaas_kit.exercises import data_partitioning as ex
from amaas_kit.partition import part_sizes, share_moved

P, A, B = 2_147_483_647, 1_103_515_245, 12_345
SEEDS = range(50)


def numbers_one_by_one(keys, parts):
    return np.array([(int(key) % P * A + B) % P % parts for key in keys])


def numbers_as_java_has_them(keys, parts):
    return np.fmod(np.fmod((np.fmod(keys, P) + P) % P * A + B, P), parts)


def numbers_without_reducing_in_python(keys, parts):
    return np.array([(key * A + B) % P % parts for key in keys.tolist()])


def numbers_in_floats_in_the_end(keys, parts):
    return np.mod((np.mod(keys, P) * A + B) % P, float(parts))


def numbers_of_python_in_an_array(keys, parts):
    return (keys.astype(object) * A + B) % P % parts


def numbers_by_polars(keys, parts):
    key = pl.col("key").mod(P)
    return pl.DataFrame({"key": keys}).select((key * A + B) % P % parts).to_series().to_numpy()


def windows_by_floor(times, start, width):
    return np.floor((times - start) / width)


def windows_by_remainder(times, start, width):
    return (times - start - (times - start) % width) // width


def windows_one_by_one(times, start, width):
    return np.array([math.floor((time - start) / width) for time in times.tolist()])


def windows_by_bounds(times, start, width):
    bounds = [start + number * width for number in range(-10, 20)]
    return np.array([bisect_right(bounds, time) - 11 for time in times])


def joined_by_sorting(left, right, key):
    order = np.argsort(right[key])
    rows = order[np.searchsorted(right[key], left[key], sorter=order)]
    return left | {name: column[rows] for name, column in right.items()}


def joined_by_comparing(left, right, key):
    rows = (left[key][:, None] == right[key]).argmax(axis=1)
    return {**left, **{name: column[rows] for name, column in right.items() if name != key}}


def joined_by_polars(left, right, key):
    joined = pl.DataFrame(left).join(pl.DataFrame(right), on=key, how="left", maintain_order="left")
    return {name: joined[name].to_numpy() for name in joined.columns}


def joined_by_sorting_twice(left, right, key):
    back = np.argsort(np.argsort(left[key]))
    rows = np.argsort(right[key])[back]
    return left | {name: column[rows] for name, column in right.items()}


def skew_by_sums(sizes):
    return len(sizes) * max(sizes) / sum(sizes)


def skew_of_a_list(sizes):
    return max(sizes.tolist()) / fmean(sizes.tolist())


def skew_in_float32(sizes):
    return np.float32(sizes.max() / sizes.mean())


def skew_by_largest_share(sizes):
    return (sizes / sizes.mean()).max()


def bids_by_broadcasting(keys, parts, weight):
    return weight(keys[:, None], np.arange(parts)).argmax(axis=1)


def bids_key_by_key(keys, parts, weight):
    best = []
    for key in keys:
        offers = [weight(key, part) for part in range(parts)]
        best.append(offers.index(max(offers)))
    return np.array(best)


def bids_that_are_kept(keys, parts, weight):
    best, highest = np.zeros(len(keys), int), weight(keys, 0)
    for part in range(1, parts):
        offer = weight(keys, part)
        best[offer > highest] = part
        highest = np.maximum(highest, offer)
    return best


def bids_by_sorting(keys, parts, weight):
    return np.argsort([weight(keys, part) for part in range(parts)], axis=0)[-1]


def bids_of_python_numbers(keys, parts, weight):
    return np.array([max(range(parts), key=lambda j, k=k: weight(k, j)) for k in keys.tolist()])


RIGHT = [
    *((ex.partition_numbers, numbers_one_by_one), (ex.partition_numbers, numbers_by_polars)),
    (ex.partition_numbers, numbers_as_java_has_them),
    (ex.partition_numbers, numbers_without_reducing_in_python),
    (ex.partition_numbers, numbers_in_floats_in_the_end),
    (ex.partition_numbers, numbers_of_python_in_an_array),
    *((ex.time_windows, windows_by_floor), (ex.time_windows, windows_by_remainder)),
    *((ex.time_windows, windows_one_by_one), (ex.time_windows, windows_by_bounds)),
    *((ex.rejoined_columns, joined_by_sorting), (ex.rejoined_columns, joined_by_comparing)),
    *((ex.rejoined_columns, joined_by_polars), (ex.rejoined_columns, joined_by_sorting_twice)),
    *((ex.size_skew, skew_by_sums), (ex.size_skew, skew_of_a_list)),
    *((ex.size_skew, skew_in_float32), (ex.size_skew, skew_by_largest_share)),
    (ex.rendezvous_hashing, bids_by_broadcasting),
    (ex.rendezvous_hashing, bids_key_by_key),
    (ex.rendezvous_hashing, bids_that_are_kept),
    (ex.rendezvous_hashing, bids_by_sorting),
    (ex.rendezvous_hashing, bids_of_python_numbers),
]


def named(value):
    return getattr(value, "__name__", None) or value.name


@pytest.mark.parametrize(("exercise", "answer"), RIGHT, ids=named)
def test_every_right_answer_is_correct(exercise, answer):
    for seed in SEEDS:
        verdict = exercise.examine(answer, seed=seed)
        assert verdict.outcome == "correct", verdict.message


def drawn(exercise, seeds=SEEDS):
    return [exercise.draw(np.random.default_rng(seed)) for seed in seeds]


def test_keys_are_of_both_signs_and_some_leave_64_bits_when_multiplied():
    for case in drawn(ex.partition_numbers):
        keys = case["keys"].tolist()
        assert min(keys) < 0 < max(keys)
        assert any(abs(key) * A >= 2**63 for key in keys)
        assert any(abs(key) * A < 2**63 for key in keys)


def test_times_lie_on_boundaries_and_right_before_them_on_both_sides_of_the_start():
    for case in drawn(ex.time_windows):
        after = case["times"] - case["start"]
        assert np.count_nonzero(after % case["width"] == 0) >= 4
        assert np.count_nonzero(after % case["width"] == case["width"] - 1) >= 2
        assert case["start"] % case["width"] != 0
    befores = [np.any(case["times"] < case["start"]) for case in drawn(ex.time_windows)]
    assert np.mean(befores) > 0.8


def test_the_two_tables_share_their_keys_and_no_other_column():
    for case in drawn(ex.rejoined_columns):
        left, right, key = case.values()
        assert set(left) & set(right) == {key}
        assert sorted(left[key]) == sorted(right[key])
        assert len(set(left[key].tolist())) == len(left[key])


def test_a_join_of_columns_is_the_table_before_it_was_cut():
    table = pl.DataFrame({"id": [7, 3, 5], "a": [0.1, 0.2, 0.3], "b": [1, 2, 3]})
    left = {name: table[name].to_numpy() for name in ("id", "a")}
    shuffled = table.sort("id")
    right = {name: shuffled[name].to_numpy() for name in ("id", "b")}
    joined = pl.DataFrame(ex.rejoin_columns(left, right, "id")).select(table.columns)
    assert joined.equals(table)


def test_a_key_that_moves_goes_to_the_new_part_and_with_remainders_it_does_not():
    keys = np.arange(-3000, 3000)
    weight = ex.rendezvous_hashing.draw(np.random.default_rng(1))["weight"]
    known = {one.name: one.answer for one in ex.rendezvous_hashing.mistakes}
    before, after = (ex.rendezvous(keys, parts, weight) for parts in (4, 5))
    assert set(after[before != after]) == {4}
    assert share_moved(before, after) == pytest.approx(1 / 5, abs=0.03)
    assert part_sizes(after, 5) == pytest.approx(1200, rel=0.15)
    for name in ("remainder_of_the_key", "remainder_of_a_weight", "count_in_the_weight"):
        before, after = (known[name](keys, parts, weight) for parts in (4, 5))
        assert set(after[before != after]) > {4}, name


def test_the_lowest_bid_moves_as_little_and_is_still_not_what_is_asked():
    weight = ex.rendezvous_hashing.draw(np.random.default_rng(1))["weight"]
    [lowest] = [one for one in ex.rendezvous_hashing.mistakes if one.name == "lowest"]
    before, after = (lowest.answer(np.arange(3000), parts, weight) for parts in (4, 5))
    assert set(after[before != after]) == {4}
    assert "That works as well" in ex.rendezvous_hashing.examine(lowest.answer).message


def test_a_large_key_shows_what_numpy_did_with_it_silently():
    [wrapped] = [one for one in ex.partition_numbers.mistakes if one.name == "key_not_reduced"]
    small, large = np.array([5, -5]), np.array([2**62])
    assert np.array_equal(wrapped.answer(small, 8), ex.partition_id(small, 8))
    assert not np.array_equal(wrapped.answer(large, 8), ex.partition_id(large, 8))


def test_right_values_in_a_list_are_told_so():
    verdict = ex.time_windows.examine(lambda *given: ex.time_window(*given).tolist())
    assert "holds the right values, but in a list" in verdict.message


def test_an_answer_that_writes_into_a_table_of_the_caller_is_told_so():
    def writes(left, right, key):
        left.update(ex.rejoin_columns(left, right, key))
        return left

    verdict = ex.rejoined_columns.examine(writes)
    assert "changed its argument `left`" in verdict.message


@pytest.mark.parametrize("dtype", [int, object])
def test_a_wrong_number_is_told_with_the_right_one_whatever_array_holds_it(dtype):
    def answer(keys, parts):
        numbers = ex.partition_id(keys, parts).astype(dtype)
        numbers[1] += 1
        return numbers

    verdict = ex.partition_numbers.examine(answer, seed=3)
    assert (verdict.outcome, verdict.mistake) == ("not yet", None)
    assert "The result at [1] is " in verdict.message


def test_numbers_of_python_beyond_64_bits_are_told_as_numbers():
    verdict = ex.partition_numbers.examine(lambda keys, parts: keys.astype(object) * A, seed=3)
    assert "The result at [0] is " in verdict.message
    assert "different shapes" not in verdict.message


def abs_of_the_product(keys, parts):
    return np.abs(np.fmod(keys, P) * A + B) % P % parts


def abs_of_the_hash(keys, parts):
    return np.abs(np.fmod(np.fmod(keys, P) * A + B, P)) % parts


def abs_of_the_first_remainder(keys, parts):
    return (np.abs(np.fmod(keys, P)) * A + B) % P % parts


@pytest.mark.parametrize(
    ("answer", "mistake", "told"),
    [
        (abs_of_the_product, "sign_dropped_last", "dropped the sign after the product"),
        (abs_of_the_hash, "sign_dropped_last", "dropped the sign after the product"),
        (abs_of_the_first_remainder, "sign_dropped_first", "before you multiplied"),
    ],
)
def test_where_a_sign_was_dropped_is_told_as_it_was(answer, mistake, told):
    verdict = ex.partition_numbers.examine(answer, seed=3)
    assert verdict.mistake == mistake
    assert told in verdict.message


def kept_where_the_key_occurs(left, right, key):
    there = np.isin(right[key], left[key])
    return {**{name: column[there] for name, column in right.items()}, **left}


def test_keys_that_occur_somewhere_are_told_from_keys_whose_row_was_found():
    verdict = ex.rejoined_columns.examine(kept_where_the_key_occurs, seed=3)
    assert verdict.mistake == "keys_not_looked_at"
    assert "`np.isin`) does not say where it stands" in verdict.message
    assert "side by side" not in verdict.message


def test_the_product_has_as_many_bits_as_the_sentence_says():
    bits = ((P - 1) * A + B).bit_length()
    [floating] = [one for one in ex.partition_numbers.mistakes if one.name == "in_floating_point"]
    assert f"the product has up to {bits}:" in floating.sentence
