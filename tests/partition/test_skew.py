"""Sizes, skew and Gini are what their definitions say, by sums over all pairs."""

from __future__ import annotations

import itertools
from collections import Counter
from fractions import Fraction

import numpy as np
import pytest

from amaas_kit.errors import DataError
from amaas_kit.partition import gini_of, part_sizes, skew_of

CASES = [[5, 5, 5], [0, 0, 9], [1], [7, 0], [3, 1, 4, 1, 5], [10**15, 1], [0.5, 0.25]]


def gini_by_pairs(sizes):
    """Half the mean absolute difference of all ordered pairs, over the mean."""
    exact = [Fraction(size) for size in sizes]
    differences = sum(abs(one - other) for one, other in itertools.product(exact, exact))
    return differences / (2 * len(exact) * sum(exact))


@pytest.mark.parametrize("sizes", CASES, ids=str)
def test_skew_and_gini_follow_their_definitions(sizes):
    mean = sum(map(Fraction, sizes)) / len(sizes)
    assert skew_of(sizes) == pytest.approx(float(max(sizes) / mean))
    assert gini_of(sizes) == pytest.approx(float(gini_by_pairs(sizes)), abs=1e-12)


def test_they_follow_them_on_drawn_sizes_in_any_order():
    rng = np.random.default_rng(3)
    for parts in range(1, 40):
        sizes = rng.integers(0, 1000, parts) * rng.integers(0, 2, parts) + (parts == 1)
        if sizes.any():
            assert gini_of(sizes) == pytest.approx(float(gini_by_pairs(sizes.tolist())), abs=1e-12)
        assert gini_of(rng.permutation(sizes)) == gini_of(sizes)
        assert skew_of(rng.permutation(sizes)) == skew_of(sizes)


@pytest.mark.parametrize("parts", [1, 2, 9])
def test_the_extremes_are_even_parts_and_one_that_has_all(parts):
    assert (skew_of([4] * parts), gini_of([4] * parts)) == (1, pytest.approx(0, abs=1e-12))
    all_in_one = [0] * (parts - 1) + [4]
    assert skew_of(all_in_one) == parts
    assert gini_of(all_in_one) == pytest.approx((parts - 1) / parts)


def test_without_a_row_all_parts_are_equal():
    assert part_sizes([], 3).tolist() == [0, 0, 0]
    assert (skew_of([0, 0, 0]), gini_of([0, 0, 0])) == (1.0, 0.0)


def test_empty_parts_are_counted_too():
    numbers = np.random.default_rng(1).choice([0, 2, 5], size=100)
    counted = Counter(numbers.tolist())
    assert part_sizes(numbers, 7).tolist() == [counted[part] for part in range(7)]


@pytest.mark.parametrize("numbers", [[0, 3], [-1, 0]])
def test_a_number_that_is_no_part_is_refused(numbers):
    with pytest.raises(DataError, match="3 parts are numbered 0 to 2"):
        part_sizes(numbers, 3)


@pytest.mark.parametrize(
    "numbers", [[0.9, 1.9], ["a"], [None], [float("nan")], [2**63], [[0], [1, 0]]]
)
def test_a_number_that_is_not_whole_is_not_rounded(numbers):
    with pytest.raises(DataError, match="whole number"):
        part_sizes(numbers, 2)


def test_whole_numbers_may_be_written_as_real_ones():
    assert part_sizes([0.0, 1.0, 1.0], 2).tolist() == [1, 2]


def test_one_number_a_row_is_counted():
    with pytest.raises(DataError, match="one number for each row"):
        part_sizes([[0, 1]], 2)


@pytest.mark.parametrize("parts", [-1, 0, 2.0, None, True])
def test_a_number_of_parts_that_makes_no_sense_is_refused(parts):
    with pytest.raises(DataError, match="whole number of parts"):
        part_sizes([], parts)


NO_SIZES = [
    [],
    [[1, 2]],
    [1, -1],
    [1, float("nan")],
    [1, float("inf")],
    ["a"],
    [None],
    [[1], [1, 2]],
]


@pytest.mark.parametrize("sizes", NO_SIZES)
@pytest.mark.parametrize("measure", [skew_of, gini_of])
def test_what_are_no_sizes_is_refused(measure, sizes):
    with pytest.raises(DataError, match="the size of each part"):
        measure(sizes)
