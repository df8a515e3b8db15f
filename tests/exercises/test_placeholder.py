"""The blank `____`: it lets unfinished code run as far as that is possible."""

from __future__ import annotations

import copy
import math
import operator
import pickle

import numpy as np
import pytest

from amaas_kit.errors import NotAttempted
from amaas_kit.exercises import ____
from amaas_kit.exercises.placeholder import holds_blank

BINARY = [
    *(operator.add, operator.sub, operator.mul, operator.truediv, operator.floordiv),
    *(operator.mod, operator.pow, operator.matmul, operator.and_, operator.or_, operator.xor),
    *(operator.lshift, operator.rshift, divmod),
    *(operator.eq, operator.ne, operator.lt, operator.le, operator.gt, operator.ge),
]
ARRAY = np.arange(6.0).reshape(2, 3)


@pytest.mark.parametrize("operation", BINARY)
@pytest.mark.parametrize(
    "other", [2, 2.5, ARRAY, np.float32(3)], ids=["int", "float", "array", "f4"]
)
def test_whatever_is_computed_with_it_is_a_blank_again(operation, other):
    assert operation(____, other) is ____
    assert operation(other, ____) is ____


def test_so_is_what_is_taken_from_it_or_called():
    assert -____ is +____ is abs(____) is ~____ is round(____, 2) is ____
    assert ____[0] is ____[1:, None] is ____.T is ____.mean(axis=0) is ____(1, x=2) is ____
    total = 1.0
    total += ____
    assert total is ____


def test_so_is_what_numpy_computes_with_it():
    assert np.exp(____) is np.maximum(0, ____) is np.add.reduce(____) is ____
    assert np.sum(____) is np.where(____, 1, 0) is np.concatenate([ARRAY, ____]) is ____
    assert np.dot(ARRAY, ____) is np.mean(____, axis=1) is ____
    changed = ARRAY.copy()
    changed += ____
    assert changed is ____


@pytest.mark.parametrize(
    "use",
    [
        lambda: bool(____),
        lambda: 1 if ____ > 0 else 2,
        lambda: float(____),
        lambda: int(____),
        lambda: range(____),
        lambda: [1, 2][____],
        lambda: list(____),
        lambda: len(____),
        lambda: 3 in ____,
        lambda: math.sqrt(____),
        lambda: ____.__setitem__(0, 1),
        lambda: [2 * part for part in ____],
    ],
)
def test_where_python_needs_a_value_it_says_what_to_do(use):
    with pytest.raises(NotAttempted) as error:
        use()
    assert "____ where Python needs" in error.value.seen
    assert "in place of every ____" in error.value.fix
    assert all((error.value.situation, error.value.wrong))


def test_it_stays_itself():
    assert repr(____) == str(____) == f"{____}" == f"{____:.2f}" == "____"
    assert copy.copy(____) is copy.deepcopy(____) is pickle.loads(pickle.dumps(____)) is ____
    assert copy.deepcopy({"a": [____]})["a"][0] is ____
    assert {____: 1}[____] == 1


def test_nothing_asks_it_for_hidden_attributes_in_vain():
    for name in ("__array__", "__array_interface__", "_repr_html_", "_ipython_display_"):
        assert not hasattr(____, name)


@pytest.mark.parametrize(
    "result",
    [
        ____,
        [1, (2, {"a": [____]})],
        {____: 1},
        np.array([____]),
        np.array([[1.0, ____], [2.0, 3.0]], dtype=object),
        "the answer is ____",
        f"{____} rows",
        ...,
        (1, ...),
    ],
    ids=str,
)
def test_it_is_found_wherever_it_stands(result):
    assert holds_blank(result)


def test_it_is_found_nowhere_else():
    round_about: list = [1, "text", None, ARRAY, {"key": {3}}, np.array(["a", "b"])]
    round_about.append(round_about)
    round_about.extend([round_about] * 20)
    assert not holds_blank(round_about)
