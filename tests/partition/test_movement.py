"""Rendezvous hashing against Python's own whole numbers, and what a new part moves."""

from __future__ import annotations

import numpy as np
import pytest

from amaas_kit.errors import DataError
from amaas_kit.partition import (
    moved_by_modulo,
    moved_by_rendezvous,
    rendezvous_parts,
    share_moved,
)
from amaas_kit.partition.movement import rendezvous_weights
from amaas_kit.partition.reference import hash_parts

EXTREMES = np.array([0, 1, -1, 2**31 - 2, 2**31 - 1, 2**31, 2**63 - 1, -(2**63), -(2**31)])
ROWS = 60_000

KEYS = {
    "in a row": np.arange(ROWS),
    "negative": -np.arange(1, ROWS + 1),
    "in thousands": 1000 * np.arange(ROWS),
    "anywhere": np.random.default_rng(8).integers(-(2**62), 2**62, ROWS),
}


def weight(number: int, part: int) -> int:
    """Wrand, with whole numbers that cannot overflow."""
    digest = (number % 2147483647 * 1103515245 + 12345) % 2147483647
    return (1103515245 * ((1103515245 * part + 12345) % 2**31 ^ digest) + 12345) % 2**31


def test_weights_and_parts_are_those_of_plain_python():
    numbers = [*EXTREMES.tolist(), *KEYS["anywhere"][:200].tolist()]
    for part in (0, 1, 7, 9_999):
        expected = [weight(number, part) for number in numbers]
        assert rendezvous_weights(numbers, part).tolist() == expected
    columns, rows = np.arange(5), EXTREMES[:, None]
    expected = [[weight(number, part) for part in range(5)] for number in EXTREMES.tolist()]
    assert rendezvous_weights(rows, columns).tolist() == expected
    for parts in (1, 2, 3, 16):
        expected = [max(range(parts), key=lambda j, k=k: weight(k, j)) for k in numbers]
        found = rendezvous_parts(numbers, parts)
        assert found.tolist() == expected
        assert found.dtype == np.int64


@pytest.mark.parametrize("numbers", KEYS.values(), ids=KEYS)
@pytest.mark.parametrize("parts", [1, 2, 3, 7, 12])
def test_a_row_that_moves_goes_to_the_new_part(numbers, parts):
    before, after = rendezvous_parts(numbers, parts), rendezvous_parts(numbers, parts + 1)
    moved = before != after
    assert moved.any()
    assert set(after[moved].tolist()) == {parts}


@pytest.mark.parametrize("numbers", KEYS.values(), ids=KEYS)
@pytest.mark.parametrize("parts", [1, 2, 3, 7, 12])
def test_the_shares_that_move_are_as_expected(numbers, parts):
    """Within five standard deviations of rows that move by chance."""
    for assign, expected in (
        (rendezvous_parts, moved_by_rendezvous(parts)),
        (hash_parts, moved_by_modulo(parts)),
    ):
        share = share_moved(assign(numbers, parts), assign(numbers, parts + 1))
        allowed = 5 * np.sqrt(expected * (1 - expected) / ROWS)
        assert share == pytest.approx(expected, abs=allowed), assign.__name__


@pytest.mark.parametrize("parts", range(1, 13))
def test_the_expected_shares_are_counted_over_all_pairs_of_remainders(parts):
    numbers = np.arange(parts * (parts + 1))
    moved = np.count_nonzero(numbers % parts != numbers % (parts + 1))
    assert moved_by_modulo(parts) == pytest.approx(moved / len(numbers))
    assert moved_by_rendezvous(parts) == pytest.approx(1 - moved / len(numbers))


@pytest.mark.parametrize("numbers", KEYS.values(), ids=KEYS)
def test_rows_are_spread_evenly(numbers):
    parts = 12
    sizes = np.bincount(rendezvous_parts(numbers, parts), minlength=parts)
    assert sizes == pytest.approx(ROWS / parts, rel=0.08)


def test_without_rows_nothing_moves():
    assert rendezvous_parts([], 4).tolist() == []
    assert share_moved([], []) == 0.0
    assert share_moved([0, 1, 1, 2], [0, 1, 3, 3]) == 0.5


@pytest.mark.parametrize("parts", [0, -1, 2.0, "2", True, 10_001])
def test_a_number_of_parts_that_makes_no_sense_is_refused(parts):
    with pytest.raises(DataError, match="whole number of parts"):
        rendezvous_parts([1, 2], parts)
    for expected in (moved_by_modulo, moved_by_rendezvous):
        with pytest.raises(DataError, match="whole number of parts"):
            expected(parts)


@pytest.mark.parametrize("numbers", [[1.7, 2.2], ["a"], [2**63]])
def test_a_number_that_is_not_whole_is_not_rounded(numbers):
    with pytest.raises(DataError, match="whole number"):
        rendezvous_parts(numbers, 3)
    with pytest.raises(DataError, match="whole number"):
        rendezvous_weights(numbers, 3)
    with pytest.raises(DataError, match="whole number"):
        share_moved(numbers, [1] * len(numbers))


def test_one_number_a_row_is_given_to_a_part():
    with pytest.raises(DataError, match="one number for each row"):
        rendezvous_parts([[1, 2]], 3)


@pytest.mark.parametrize("after", [[1, 2], [1], 1, [[1, 2, 3]], []])
def test_parts_of_other_rows_are_not_compared(after):
    with pytest.raises(DataError, match="same rows"):
        share_moved([1, 2, 3], after)
