"""Splits: each row in one part, each class in its share, blocks whole, the same seed the same."""

from itertools import chain

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from amaas_kit.data import Dataset, Split
from amaas_kit.errors import DataError

PARTS = ("train", "validation", "test")


def numbered(y, **facts):
    """A data set whose only feature is the number of the row."""
    return Dataset(np.arange(len(y))[:, None], y, **facts)


def row_numbers(part):
    return part.x[:, 0].astype(int).tolist()


shares = st.floats(0.05, 0.45)
class_sizes = st.lists(st.integers(1, 60), min_size=2, max_size=8)


def shuffled_classes(sizes, seed):
    y = np.repeat(np.arange(len(sizes)), sizes)
    return np.random.default_rng(seed).permutation(y)


@given(class_sizes, shares, shares, st.integers(0, 2**32))
@settings(max_examples=200, deadline=None)
def test_a_random_split_is_a_stratified_partition_or_names_the_rare_class(
    sizes, validation, test, seed
):
    data = numbered(shuffled_classes(sizes, seed))
    try:
        split = data.split(validation=validation, test=test, seed=seed)
    except DataError as error:
        # No division of the rarest class has a row in each part within one row of its shares.
        named = int(error.seen.split("class ")[1].split()[0])
        assert not division_exists(sizes[named], (1 - validation - test, validation, test))
        return
    drawn = [row_numbers(getattr(split, part)) for part in PARTS]
    assert sorted(chain(*drawn)) == list(range(data.rows))
    for part, share in zip(PARTS, (1 - validation - test, validation, test), strict=True):
        y = getattr(split, part).y
        for number, size in enumerate(sizes):
            count = int((y == number).sum())
            assert count >= 1
            assert abs(count - size * share) <= 1 + 1e-6


def division_exists(rows, wanted):
    """Search every division of the rows among three parts."""
    return any(
        abs(train - rows * wanted[0]) <= 1 + 1e-6
        and abs(validation - rows * wanted[1]) <= 1 + 1e-6
        and abs(rows - train - validation - rows * wanted[2]) <= 1 + 1e-6
        for train in range(1, rows - 1)
        for validation in range(1, rows - train)
    )


@given(st.integers(3, 300), st.integers(3, 40), shares, shares, st.integers(0, 2**32))
@settings(max_examples=100, deadline=None)
def test_a_block_split_keeps_blocks_whole(rows, blocks, validation, test, seed):
    blocks = min(blocks, rows)
    data = numbered(np.linspace(0.0, 1.0, rows))
    try:
        split = data.split("block", validation, test, seed, blocks=blocks)
    except DataError:
        assert max(1, round(blocks * validation)) + max(1, round(blocks * test)) >= blocks
        return
    drawn = [row_numbers(getattr(split, part)) for part in PARTS]
    assert sorted(chain(*drawn)) == list(range(rows))
    home = {row: part for part, numbers in zip(PARTS, drawn, strict=True) for row in numbers}
    changes = sum(home[row] != home[row + 1] for row in range(rows - 1))
    assert changes <= blocks - 1
    for numbers in drawn:
        assert numbers == sorted(numbers)
    for share, numbers in ((validation, drawn[1]), (test, drawn[2])):
        held = max(1, round(blocks * share))
        assert held * (rows // blocks) <= len(numbers) <= held * -(-rows // blocks)


def test_first_rows_of_blocks_are_kept_to():
    split = numbered(np.zeros(12)).split("block", 0.3, 0.3, 0, blocks=(0, 5, 6))
    drawn = sorted(row_numbers(getattr(split, part)) for part in PARTS)
    assert drawn == [list(range(5)), [5], list(range(6, 12))]


@given(st.integers(3, 200), shares, shares, st.integers(0, 1000))
@settings(max_examples=60, deadline=None)
def test_values_are_split_into_shares_of_the_rows(rows, validation, test, seed):
    data = numbered(np.linspace(-1.0, 1.0, rows))
    try:
        split = data.split(validation=validation, test=test, seed=seed)
    except DataError:
        assert not division_exists(rows, (1 - validation - test, validation, test))
        return
    assert abs(split.test.rows - rows * test) <= 1 + 1e-6
    assert abs(split.validation.rows - rows * validation) <= 1 + 1e-6


def test_parts_as_a_whole_keep_their_shares_when_every_class_rounds_alike():
    y = np.repeat(np.arange(40), 13)
    split = numbered(y).split(validation=0.2, test=0.2)
    assert abs(split.test.rows - 104) <= 1
    assert abs(split.validation.rows - 104) <= 1


def test_the_seed_decides_the_split_and_a_generator_goes_on():
    data = numbered(np.arange(100) % 4)

    def drawn(seed):
        split = data.split(seed=seed)
        return [row_numbers(getattr(split, part)) for part in PARTS]

    assert drawn(4) == drawn(4) == drawn(np.random.default_rng(4)) == drawn(np.int64(4))
    assert drawn(4) != drawn(5)
    generator = np.random.default_rng(4)
    assert drawn(generator) != drawn(generator)
    assert data.split(seed=4).seed == 4
    assert data.split(seed=generator).seed is None


def test_each_row_is_as_likely_as_another_to_be_held_out():
    data = numbered(np.repeat([0, 1], [20, 30]))
    seeds = 400
    held_out = np.zeros(50)
    for seed in range(seeds):
        held_out[row_numbers(data.split(validation=0.2, test=0.2, seed=seed).test)] += 1
    # A share of 0.2 in 400 draws deviates by 0.02 on the average; five times that is refused.
    assert np.abs(held_out / seeds - 0.2).max() < 0.1


def test_each_block_is_as_likely_as_another_to_be_held_out():
    data = numbered(np.linspace(0, 1, 50))
    seeds = 400
    held_out = np.zeros(50)
    for seed in range(seeds):
        held_out[row_numbers(data.split(by="block", seed=seed).test)] += 1
    assert np.abs(held_out / seeds - 0.2).max() < 0.1


def test_training_rows_do_not_come_class_by_class():
    y = np.repeat([0, 1], 200)
    train = numbered(y).split().train.y
    assert 20 < np.count_nonzero(np.diff(train)) < 200


def test_facts_travel_into_each_part():
    data = numbered(
        np.arange(30) % 3, name="trial", columns=("row",), labels=("a", "b", "c"), bounds=(0, 29)
    )
    split = data.split(by="block", blocks=6)
    assert (split.by, split.name) == ("block", "trial")
    for part in (split.train, split.validation, split.test):
        assert part.columns == ("row",)
        assert part.labels == ("a", "b", "c")
        assert part.bounds == (0.0, 29.0)
    assert repr(split) == "Split('trial' by block, seed 0: train 20, validation 5, test 5 rows)"


def test_a_class_missing_from_a_block_part_is_named_with_the_part():
    iris_like = numbered(np.repeat([0, 1, 2], 50), labels=("setosa", "versicolor", "virginica"))
    with pytest.raises(DataError) as caught:
        iris_like.split(by="block")
    assert "setosa" in caught.value.seen
    assert any(f"rows of {part}" in caught.value.seen for part in PARTS)
    assert 'by="random"' in caught.value.fix


def test_a_class_without_rows_is_named_by_a_random_split():
    data = numbered(np.repeat([0, 2], 50), labels=("cat", "dog", "hare"))
    with pytest.raises(DataError, match="0 rows of class 'dog'"):
        data.split()


def test_a_split_of_ones_own_parts_is_checked():
    part = numbered(np.arange(10) % 2)
    with pytest.raises(DataError, match="no row of class 1"):
        Split(part, numbered(np.zeros(4, int), labels=(0, 1)), part, "published", None, "own")
    with pytest.raises(DataError, match="no row of class 0 among the 4 rows of test"):
        Split(part, part, numbered(np.ones(4, int), labels=(0, 1)), "published", None, "own")
    with pytest.raises(DataError, match="features of shape"):
        Split(part, part, Dataset(np.zeros((4, 2)), [0, 1, 0, 1]), "published", None, "own")
    with pytest.raises(DataError, match="labels"):
        Split(part, part, numbered(np.linspace(0, 1, 4)), "published", None, "own")


@pytest.mark.parametrize(
    ("arguments", "quoted"),
    [
        ({"by": "writer"}, "by='writer'"),
        ({"validation": 0}, "validation=0,"),
        ({"test": 1.0}, "test=1.0"),
        ({"test": -0.1}, "test=-0.1"),
        ({"validation": 0.5, "test": 0.5}, "validation=0.5"),
        ({"test": "0.2"}, "test='0.2'"),
        ({"test": float("nan")}, "test=nan"),
        ({"seed": -1}, "seed=-1"),
        ({"seed": None}, "seed=None"),
        ({"seed": True}, "seed=True"),
        ({"seed": 1.5}, "seed=1.5"),
        ({"by": "block", "blocks": 0}, "blocks=0"),
        ({"by": "block", "blocks": 101}, "blocks=101"),
        ({"by": "block", "blocks": 2}, "2 blocks"),
        ({"by": "block", "blocks": (1, 50)}, "blocks=(1, 50)"),
        ({"by": "block", "blocks": (0, 50, 50)}, "blocks=(0, 50, 50)"),
        ({"by": "block", "blocks": (0, 50, 100)}, "blocks=(0, 50, 100)"),
        ({"by": "block", "blocks": "many"}, "blocks='many'"),
        ({"by": "block", "blocks": 3.0}, "blocks=3.0"),
        ({"by": "block", "blocks": True}, "blocks=True"),
        ({"by": "block", "blocks": (0, 50.5)}, "blocks=(0, 50.5)"),
        ({"by": "block", "blocks": ()}, "blocks=()"),
    ],
)
def test_an_argument_without_sense_is_quoted(arguments, quoted):
    with pytest.raises(DataError) as caught:
        numbered(np.arange(100) % 4).split(**arguments)
    assert quoted in caught.value.seen
    assert caught.value.fix
