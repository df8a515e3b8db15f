"""What a network refuses, and whether a learner can tell from the message what to do."""

import numpy as np
import pytest

from amaas_kit.errors import NetworkError
from amaas_kit.network import Network

NET = Network(seed=0)
GOOD = np.ones((3, 64), "float32")


def with_entry(value, dtype="float64"):
    x = GOOD.astype(dtype)
    x[1, 5] = value
    return x


REFUSED = {
    "8 columns": (np.zeros((3, 8)), ["(3, 8)", "(rows, 64)", "sizes=[8, …]"]),
    "128 columns": (np.zeros((3, 128)), ["(3, 128)", "(rows, 64)", "sizes=[128, …]"]),
    "one flat row": (np.zeros(64), ["(64,)", "even for a single row", "x[None, :]"]),
    "images": (np.zeros((3, 8, 8)), ["(3, 8, 8)", "x.reshape(len(x), -1)"]),
    "one number": (3.0, ["shape ()", "(rows, 64)"]),
    "no rows": (np.zeros((0, 64)), ["(0, 64)", "not one row"]),
    "nothing": ([], ["(0,)", "(rows, 64)"]),
    "ragged rows": ([[1.0, 2.0], [3.0]], ["x is a list", "same length"]),
    "text": (np.full((3, 64), "7"), ["x has dtype <U1", "real numbers"]),
    "objects": (np.full((3, 64), None), ["x has dtype object", "real numbers"]),
    "complex": (np.zeros((3, 64), complex), ["complex128", "real numbers"]),
    "dates": (np.zeros((3, 64), "datetime64[s]"), ["datetime64[s]", "real numbers"]),
    "NaN": (with_entry(np.nan), ["x[1, 5] = nan", "finite"]),
    "infinity": (with_entry(-np.inf, "float32"), ["x[1, 5] = -inf", "finite"]),
    "too large for float32": (
        with_entry(1e300),
        ["x[1, 5] = 1e+300", "float32 ends at 3.4e+38", "float64"],
    ),
    "many NaN": (np.full((3, 64), np.nan), ["x[0, 0] = nan, and 191 more"]),
}


@pytest.mark.parametrize(("x", "words"), REFUSED.values(), ids=REFUSED)
@pytest.mark.parametrize(
    "use",
    [
        NET.forward,
        NET.trace,
        NET.predict,
        lambda x: NET.loss_and_gradients(x, np.zeros(3, int)),
    ],
    ids=["forward", "trace", "predict", "loss_and_gradients"],
)
def test_bad_rows_are_refused_wherever_they_come_in(use, x, words, says):
    with pytest.raises(NetworkError) as error:
        use(x)
    says(error, "64-128-64-10", *words)


def test_a_number_too_large_for_float32_suits_a_float64_network():
    assert np.isfinite(NET.copy("float64").forward(with_entry(1e300))).all()


@pytest.mark.parametrize(
    ("y", "words"),
    [
        (np.array([0, 10, 1]), ["y[1] = 10", "classes 0 to 9"]),
        (np.array([0, 1]), ["(2,)", "3 rows"]),
        (np.array(["a", "b", "c"]), ["<U1", "np.unique"]),
        (np.zeros(3), ["(3,)", "(3, 10)", "cross_entropy"]),
        ([[0], [0, 1], [2]], ["y is a list", "same length"]),
    ],
    ids=["label out of range", "rows missing", "text", "values for ten units", "ragged"],
)
def test_bad_truth_is_refused(y, words, says):
    with pytest.raises(NetworkError) as error:
        NET.loss_and_gradients(GOOD, y)
    says(error, *words)


@pytest.mark.parametrize(
    ("last", "units", "loss"),
    [("softmax", 3, "cross_entropy"), ("sigmoid", 1, "binary_cross_entropy")],
)
def test_what_the_loss_applies_itself_must_not_be_in_the_last_layer(last, units, loss, says):
    net = Network([64, units], [last])
    with pytest.raises(NetworkError) as error:
        net.loss_and_gradients(GOOD, np.array([0, 1, 1]), loss)
    says(error, last, loss, "twice", "'identity'")


def test_softmax_may_end_a_network_that_is_trained_on_squared_errors():
    net = Network([64, 3], ["softmax"])
    loss, _ = net.loss_and_gradients(GOOD, np.eye(3), "mse")
    assert 0 < loss < 1


def test_the_network_is_untouched_by_what_it_refuses():
    net = Network(seed=0)
    for x, _ in REFUSED.values():
        with pytest.raises(NetworkError):
            net.loss_and_gradients(x, np.zeros(3, int))
    for p, q in zip(net.parameters, NET.parameters, strict=True):
        np.testing.assert_array_equal(p, q)
