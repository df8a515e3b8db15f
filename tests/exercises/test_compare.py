"""Right within rounding, wrong beyond it, and where."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from amaas_kit.exercises.compare import Precision, difference, same, unchanged

RNG = np.random.default_rng(0)
TABLE = RNG.normal(size=(3, 4))


@pytest.mark.parametrize(
    ("expected", "got"),
    [
        (0.5, np.float64(0.5)),
        (0.5, np.array(0.5)),
        (np.float32(0.5), 0.5),
        (3, 3),
        (3, 3.0),
        (3, np.int64(3)),
        (True, np.bool_(True)),
        (True, np.array(True)),
        ("a", np.str_("a")),
        (None, None),
        (TABLE, TABLE.astype("float32")),
        (TABLE, TABLE.astype("float16")),
        (np.array([1, 2]), np.array([1.0, 2.0])),
        (np.array([1.0, 0.0]), np.array([True, False])),
        ([1, 2, 3], (1, 2, 3)),
        ([1, 2, 3], np.array([1, 2, 3])),
        ((1.0, TABLE), [1.0, TABLE]),
        ({"a": 1, "b": [2]}, {"b": [2], "a": 1}),
        (np.array([np.nan, np.inf]), np.array([np.nan, np.inf])),
        (np.zeros((0, 3)), np.zeros((0, 3))),
    ],
    ids=str,
)
def test_right(expected, got):
    assert difference(expected, got) is None


@pytest.mark.parametrize(
    ("expected", "got", "said"),
    [
        (0.5, 0.6, "The result is 0.6; the definition gives 0.5."),
        (1.0, 1 + 1e-7, "The result is 1.0000001; the definition gives 1."),
        (0.5, np.nan, "The result is nan; the definition gives 0.5."),
        (3, 4, "The result is 4; the definition gives 3."),
        (3, True, "The result is True; the exercise asks for a number."),
        (True, 1, "The result is a number; the exercise asks for True or False."),
        (True, False, "The result is False; the definition gives True."),
        ("a", "b", "The result is 'b'; the definition gives 'a'."),
        ("a", 1, "The result is a number; the exercise asks for a text."),
        (1.0, "1.0", "The result is a text; the exercise asks for a number."),
        (1.0, [1.0], "The result is a list of 1; the exercise asks for a number."),
        (1.0, np.ones(1), "is an array of shape (1,); the definition gives a number. The values"),
        (None, 1, "The result is a number; the exercise asks for None."),
        (TABLE, TABLE.tolist(), "holds the right values, but in a list: return an array of shape"),
        (TABLE, [[1, 2], [3]], "is a list; the exercise asks for an array of shape (3, 4)"),
        (TABLE, TABLE.T, "transposed: rows and columns have changed places"),
        (TABLE, -TABLE.T, "is an array of shape (4, 3); the definition gives an array of shape"),
        (TABLE[:, 0], TABLE[:, :1], "an array of shape (3, 1); the definition gives an array of"),
        (TABLE[:, :1], TABLE[:, 0], "The values are right: only the shape is not."),
        (TABLE, TABLE + 0j, "is complex (complex128)"),
        (TABLE, TABLE.astype(object), "an array of Python objects"),
        (TABLE, TABLE.astype(str), "the exercise asks for numbers"),
        (TABLE[:3, :3], TABLE[:3, :3].T, "They are the right values, but transposed"),
        ((1.0, 2.0), 1.0, "asks for a tuple of 2, with commas: return a, b"),
        ((1.0, 2.0, 3.0), 1.0, "asks for a tuple of 3, with commas: return a, b, c"),
        (TABLE, (TABLE, -TABLE), "is a tuple of 2. One part of it is the right array: return that"),
        (TABLE, (-TABLE, 0), "is a tuple of 2; the exercise asks for an array of shape (3, 4) al"),
        ((1.0, 2.0), (1.0,), "has 1 part, where 2 are asked for"),
        ([1, 2], map(abs, [1, 2]), "is a map; the exercise asks for a list of 2 (list(…)"),
        ((1.0, 2.0), (1.0, 3.0), "The second result is 3; the definition gives 2."),
        ([1, 2], [1, 3], "Item 1 is 3; the definition gives 2."),
        ((TABLE, [1, 2]), (TABLE, [1, 3]), "Item 1 of the second result is 3"),
        ({"a": 1}, {}, "lacks the key 'a'"),
        ({"a": 1}, {"a": 1, "b": 2}, "has a key that nobody asked for: 'b'"),
        ({"a": 1}, [1], "is a list of 1; the exercise asks for a dict with the keys 'a'"),
        ({"a": {"b": 1}}, {"a": {"b": 2}}, "The entry 'b' of the entry 'a' is 2"),
    ],
    ids=lambda value: str(value).split(" at 0x")[0][:40],
)
def test_wrong_and_said(expected, got, said):
    assert said in difference(expected, got)


def test_the_first_differing_place_is_named():
    wrong = TABLE.copy()
    wrong[1, 2] += 0.5
    wrong[2, 3] = np.nan
    text = difference(TABLE, wrong)
    assert "at [1, 2] is" in text
    assert "2 of 12 entries differ" in text


def test_results_of_a_tuple_are_called_by_their_names():
    text = difference((1.0, 2.0), (1.0, 3.0), names=("dx", "dw"))
    assert text == "The second result, dw, is 3; the definition gives 2."
    assert "(dx, dw)" in difference((1.0, 2.0), (1.0,), names=("dx", "dw"))


@given(st.integers(0, 2**32), st.sampled_from(["float16", "float32", "float64"]))
def test_what_numpy_computes_in_any_float_is_right(seed, dtype):
    rng = np.random.default_rng(seed)
    x, w = rng.normal(size=(4, 50)), rng.normal(size=(50, 3))
    expected = (x[:, :, None] * w[None]).sum(axis=1)
    got = x.astype(dtype) @ w.astype(dtype)
    assert difference(expected, got, Precision.of([x, w])) is None


@given(st.integers(0, 2**32), st.sampled_from(["float16", "float32", "float64"]))
def test_an_error_of_one_in_twenty_is_wrong_in_every_float(seed, dtype):
    expected = np.random.default_rng(seed).normal(size=5)
    greatest = int(np.abs(expected).argmax())
    got = expected.copy()
    got[greatest] *= 1.05
    assert f"[{greatest}]" in difference(expected, got.astype(dtype))


def test_a_small_error_is_seen_in_float64():
    assert difference(1.0, 1.0 + 1e-8) is not None
    assert difference(1.0, 1.0 + 1e-12) is None


def test_cancellation_of_large_inputs_is_rounding():
    x = np.array([1e3, 1e-3])
    assert difference(0.0, 3e-13, Precision.of([x])) is None
    assert difference(0.0, 3e-13) is not None


def test_huge_inputs_do_not_excuse_a_wrong_result():
    assert difference(0.5, 0.6, Precision.of([np.array([1e300])])) is not None


def test_float32_inputs_are_compared_at_their_precision():
    x = np.array([0.1, 0.2], "float32")
    assert difference(float(x.sum()), float(x[0]) + float(x[1]), Precision.of({"x": x})) is None


def test_a_formula_that_magnifies_rounding_is_compared_with_more_leeway():
    lacking = float(np.float32(1) - np.float32(0.999))
    assert difference(0.001, np.float32(lacking)) is not None
    assert difference(0.001, np.float32(lacking), Precision(magnified=20)) is None
    assert difference(0.001, lacking, Precision(magnified=20)) is not None


def test_whole_numbers_are_exact():
    big = 2**53
    assert difference(big + 1, big) is not None
    assert difference(np.array([1000]), np.array([1000.001])) is not None


def test_truth_is_told_in_words():
    difference_told = difference(np.array([True, False]), np.array([True, True]))
    assert "False" in difference_told
    assert "True" in difference_told


def test_the_same_values_in_other_containers():
    assert same([[1.0, 2.0]], np.array([[1.0, 2.0]]), Precision())
    assert not same([[1.0, 2.0]], np.array([1.0, 2.0]), Precision())
    assert not same(None, 1.0, Precision())
    assert same([TABLE, TABLE[0]], (TABLE, TABLE[0]), Precision())


class Plain:
    def __init__(self, value):
        self.value = value


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (np.array([1.0, np.nan]), np.array([1.0, np.nan])),
        ([1, {"a": np.eye(2)}], [1, {"a": np.eye(2)}]),
        (np.random.default_rng(1), np.random.default_rng(2)),
        (Plain(np.eye(2)), Plain(np.eye(2))),
        (object(), object()),
        (float("nan"), float("nan")),
        (np.array([None, "a"]), np.array([None, "a"])),
    ],
)
def test_unchanged(before, after):
    assert unchanged(before, after)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (np.array([1.0, 2.0]), np.array([1.0, 3.0])),
        (np.array([0.0]), np.array([-0.0])),
        (np.ones(2), np.ones((2, 1))),
        (np.ones(2), np.ones(2, "float32")),
        ([1, [2]], [1, [3]]),
        ([1], [1, 2]),
        ({"a": 1}, {"a": 2}),
        ({"a": 1}, {"a": 1, "b": 2}),
        (Plain(np.eye(2)), Plain(np.ones((2, 2)))),
        ({1, 2}, {1}),
        ("a", 1),
    ],
)
def test_changed(before, after):
    assert not unchanged(before, after)
