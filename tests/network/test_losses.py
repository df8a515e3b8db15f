"""Losses against SciPy and plain Python, gradients against small steps, and what y may be."""

import math

import numpy as np
import pytest
import scipy.special
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from amaas_kit.errors import NetworkError
from amaas_kit.network import LOSSES, choose_loss, find_loss

MSE, CROSS, BINARY = (LOSSES[n] for n in ("mse", "cross_entropy", "binary_cross_entropy"))


def outputs_of(rows, columns, low=-20, high=20):
    return st.tuples(rows, columns).flatmap(
        lambda shape: arrays("float64", shape, elements=st.floats(low, high))
    )


def slopes(loss, outputs, y, h=1e-6):
    """dL/d(outputs) by central differences."""
    slope = np.empty_like(outputs)
    for place in np.ndindex(outputs.shape):
        up, down = outputs.copy(), outputs.copy()
        up[place] += h
        down[place] -= h
        slope[place] = (loss.value(up, y) - loss.value(down, y)) / (2 * h)
    return slope


@given(data=st.data(), outputs=outputs_of(st.integers(1, 6), st.integers(1, 4)))
@settings(deadline=None)
def test_mse_is_the_mean_over_all_numbers(data, outputs):
    y = data.draw(arrays("float64", outputs.shape, elements=st.floats(-20, 20)))
    squares = [(o - t) ** 2 for o, t in zip(outputs.flat, y.flat, strict=True)]
    assert MSE.value(outputs, y) == pytest.approx(math.fsum(squares) / len(squares), rel=1e-12)
    np.testing.assert_allclose(MSE.gradient(outputs, y), slopes(MSE, outputs, y), atol=1e-6)


@given(data=st.data(), outputs=outputs_of(st.integers(1, 6), st.integers(2, 5)))
@settings(deadline=None)
def test_cross_entropy_is_minus_the_log_of_the_right_ones_probability(data, outputs):
    n, k = outputs.shape
    y = data.draw(arrays("int64", n, elements=st.integers(0, k - 1)))
    log_p = scipy.special.log_softmax(outputs, axis=1)
    expected = -np.mean([log_p[row, y[row]] for row in range(n)])
    assert CROSS.value(outputs, y) == pytest.approx(expected, rel=1e-12, abs=1e-14)
    np.testing.assert_allclose(CROSS.gradient(outputs, y), slopes(CROSS, outputs, y), atol=1e-8)


@given(data=st.data(), outputs=outputs_of(st.integers(1, 6), st.just(1)))
@settings(deadline=None)
def test_binary_cross_entropy_is_minus_the_log_of_the_right_sides_probability(data, outputs):
    y = data.draw(arrays("int64", len(outputs), elements=st.integers(0, 1)))
    z = outputs[:, 0]
    expected = -np.mean(np.where(y == 1, scipy.special.log_expit(z), scipy.special.log_expit(-z)))
    assert BINARY.value(outputs, y) == pytest.approx(expected, rel=1e-12)
    assert BINARY.value(outputs, y[:, None].astype(float)) == BINARY.value(outputs, y)
    np.testing.assert_allclose(BINARY.gradient(outputs, y), slopes(BINARY, outputs, y), atol=1e-8)


def test_two_logits_of_which_one_is_zero_say_the_same_as_one():
    z = np.random.default_rng(0).normal(size=(9, 1))
    y = np.arange(9) % 2
    two = np.hstack([np.zeros_like(z), z])
    assert CROSS.value(two, y) == pytest.approx(BINARY.value(z, y), rel=1e-14)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_huge_logits_cost_what_they_must_without_a_warning(dtype):
    logits = np.array([[1e30, -1e30, 0.0], [-1e30, 1e30, 1e4]], dtype)
    assert CROSS.value(logits, [0, 1]) == 0
    assert CROSS.value(logits, [1, 1]) == pytest.approx(1e30, rel=1e-6)
    np.testing.assert_allclose(CROSS.gradient(logits, [1, 1]), [[0.5, -0.5, 0], [0, 0, 0]])
    z = np.array([[-1e30], [1e30]], dtype)
    assert BINARY.value(z, [0, 1]) == 0
    assert BINARY.value(z, [1, 1]) == pytest.approx(5e29, rel=1e-6)
    np.testing.assert_allclose(BINARY.gradient(z, [1, 1]), [[-0.5], [0]])


def test_a_confident_right_answer_still_costs_something():
    assert BINARY.value(np.array([[40.0]]), [1]) == pytest.approx(math.exp(-40), rel=1e-12)


@pytest.mark.parametrize("loss", LOSSES.values(), ids=LOSSES)
def test_gradient_keeps_dtype_and_shape_of_the_outputs(loss):
    outputs = np.ones((3, 2 if loss is CROSS else 1), "float32")
    gradient = loss.gradient(outputs, np.array([0, 1, 1]))
    assert gradient.dtype == "float32"
    assert gradient.shape == outputs.shape
    assert isinstance(loss.value(outputs, np.array([0, 1, 1])), float)


@pytest.mark.parametrize("loss", LOSSES.values(), ids=LOSSES)
def test_outputs_and_truth_are_left_as_they_were(loss):
    outputs = np.linspace(-1, 1, 6).reshape(3, 2)[:, : 2 if loss is CROSS else 1]
    y = np.array([0, 1, 1])
    kept = outputs.copy(), y.copy()
    loss.value(outputs, y)
    loss.gradient(outputs, y)
    np.testing.assert_array_equal(outputs, kept[0])
    np.testing.assert_array_equal(y, kept[1])


def test_a_flat_truth_against_one_column_never_becomes_a_table():
    outputs, y = np.array([[1.0], [2.0], [4.0]]), np.array([1.0, 2.0, 3.0])
    assert MSE.value(outputs, y) == pytest.approx(1 / 3)
    np.testing.assert_allclose(MSE.gradient(outputs, y), [[0], [0], [2 / 3]])
    assert MSE.value(outputs, y[:, None]) == MSE.value(outputs, y)


@pytest.mark.parametrize(
    ("outputs", "y"),
    [((3,), (3, 1)), ((3, 2), (3,)), ((3, 2), (3, 1)), ((3, 1), (3, 3)), ((3, 1), (1, 3))],
)
def test_mse_refuses_shapes_that_numpy_would_stretch(outputs, y, says):
    with pytest.raises(NetworkError) as error:
        MSE.value(np.zeros(outputs), np.zeros(y))
    says(error, "mse", str(y))


def test_predictions_are_classes_yes_or_no_or_values():
    logits = np.array([[0.1, 3.0, 2.0], [-1.0, -3.0, -2.0]])
    np.testing.assert_array_equal(CROSS.predict(logits), [1, 0])
    np.testing.assert_array_equal(BINARY.predict(np.array([[0.1], [-0.1], [0.0]])), [1, 0, 0])
    np.testing.assert_array_equal(MSE.predict(np.array([[0.1], [-0.1]])), [0.1, -0.1])
    np.testing.assert_array_equal(MSE.predict(logits), logits)


class TestChoosing:
    def test_integers_are_classes_and_floats_are_values(self):
        assert choose_loss(np.array([0, 1])) is CROSS
        assert choose_loss(np.array([0, 1], "uint8")) is CROSS
        assert choose_loss([0.0, 1.0]) is MSE

    def test_what_is_asked_for_comes_before_what_suits(self):
        assert choose_loss([0, 1], "binary_cross_entropy") is BINARY
        assert choose_loss([0, 1], MSE) is MSE

    @pytest.mark.parametrize("y", [["three", "four"], [True, False], [1j], [None]])
    def test_anything_else_is_refused(self, y, says):
        with pytest.raises(NetworkError) as error:
            choose_loss(y)
        says(error, "dtype", "class numbers", "np.unique")

    def test_an_unknown_name_is_answered_with_the_known_ones(self, says):
        with pytest.raises(NetworkError) as error:
            find_loss("hinge")
        says(error, "'hinge'", *LOSSES)


class TestBadTruth:
    def test_label_out_of_range(self, says):
        for label in (3, -1):
            with pytest.raises(NetworkError) as error:
                CROSS.value(np.zeros((4, 3)), np.array([0, 1, label, 2]))
            says(error, f"y[2] = {label}", "classes 0 to 2", "np.unique")

    def test_one_hot_labels(self, says):
        with pytest.raises(NetworkError) as error:
            CROSS.value(np.zeros((4, 3)), np.eye(4, 3, dtype=int))
        says(error, "(4, 3)", "argmax(axis=1)")

    def test_labels_in_a_column(self, says):
        with pytest.raises(NetworkError) as error:
            CROSS.value(np.zeros((4, 3)), np.zeros((4, 1), int))
        says(error, "(4, 1)", "y.ravel()")

    def test_float_labels(self, says):
        with pytest.raises(NetworkError) as error:
            CROSS.value(np.zeros((2, 3)), np.array([0.0, 1.0]))
        says(error, "float64", "integers", "y.astype(int)")

    def test_classes_from_a_single_output(self, says):
        with pytest.raises(NetworkError) as error:
            CROSS.value(np.zeros((2, 1)), np.array([0, 1]))
        says(error, "(2, 1)", "binary_cross_entropy")

    @pytest.mark.parametrize("loss", LOSSES.values(), ids=LOSSES)
    def test_another_number_of_rows(self, loss, says):
        outputs = np.zeros((4, 2 if loss is CROSS else 1))
        with pytest.raises(NetworkError) as error:
            loss.gradient(outputs, np.array([0, 1, 1]))
        says(error, "(3,)", "4 rows")

    @pytest.mark.parametrize("loss", LOSSES.values(), ids=LOSSES)
    def test_one_truth_for_all_rows(self, loss, says):
        outputs = np.zeros((4, 2 if loss is CROSS else 1))
        with pytest.raises(NetworkError) as error:
            loss.value(outputs, 1)
        says(error, "()", "4 rows")

    @pytest.mark.parametrize("bad", [math.nan, math.inf])
    def test_values_that_are_not_finite(self, bad, says):
        with pytest.raises(NetworkError) as error:
            MSE.value(np.zeros((3, 1)), np.array([0, bad, 1]))
        says(error, f"y[1] = {bad}", "finite")

    def test_values_that_are_no_numbers(self, says):
        with pytest.raises(NetworkError) as error:
            MSE.value(np.zeros((2, 1)), np.array(["1", "2"]))
        says(error, "y has dtype <U1", "real numbers")

    def test_a_third_answer_to_yes_or_no(self, says):
        with pytest.raises(NetworkError) as error:
            BINARY.value(np.zeros((3, 1)), np.array([0, 1, 2]))
        says(error, "y[2] = 2", "0 (no) or 1 (yes)")

    def test_yes_or_no_from_two_outputs(self, says):
        with pytest.raises(NetworkError) as error:
            BINARY.value(np.zeros((3, 2)), np.array([0, 1, 1]))
        says(error, "(3, 2)", "cross_entropy")
