"""A layer against sums written out, and its gradients against small steps."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from amaas_kit.errors import NetworkError
from amaas_kit.network import ACTIVATIONS, Dense, Elementwise


def drawn_layer(seed, d, h, activation="tanh"):
    rng = np.random.default_rng(seed)
    return Dense(rng.normal(size=(d, h)), rng.normal(size=h), activation)


@given(st.integers(0, 2**32), *[st.integers(1, 5)] * 3)
@settings(deadline=None)
def test_forward_is_the_sum_over_the_inputs_of_each_unit(seed, n, d, h):
    layer = drawn_layer(seed, d, h)
    x = np.random.default_rng(seed).normal(size=(n, d))
    expected = [
        [np.tanh(sum(x[i, k] * layer.w[k, j] for k in range(d)) + layer.b[j]) for j in range(h)]
        for i in range(n)
    ]
    np.testing.assert_allclose(layer.forward(x), expected, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("name", ACTIVATIONS)
@given(st.integers(0, 2**32), *[st.integers(1, 4)] * 3)
@settings(deadline=None, max_examples=20)
def test_backward_gives_the_slope_by_x_and_w_and_b(name, seed, n, d, h):
    layer = drawn_layer(seed, d, h, name)
    rng = np.random.default_rng(seed + 1)
    x, upstream = rng.normal(size=(n, d)), rng.normal(size=(n, h))
    gradients = layer.backward(x, layer.weighted_sums(x), upstream)

    def slope(array, place):
        kept, sides = array[place], []
        for step in (1e-6, -1e-6):
            array[place] = kept + step
            sides.append(((upstream * layer.forward(x)).sum(), layer.weighted_sums(x) > 0))
            array[place] = kept
        (above, signs_above), (below, signs_below) = sides
        return (above - below) / 2e-6 if (signs_above == signs_below).all() else None

    for array, gradient in zip((x, layer.w, layer.b), gradients, strict=True):
        assert gradient.shape == array.shape
        for place in np.ndindex(array.shape):
            expected = slope(array, place)
            if expected is not None:
                assert gradient[place] == pytest.approx(expected, abs=2e-8)


def test_the_arrays_are_kept_not_copied():
    w, b = np.ones((2, 1)), np.zeros(1)
    layer = Dense(w, b)
    w[:] = 3
    assert layer.forward(np.ones((1, 2))) == 6


def test_nested_lists_will_do():
    assert Dense([[1.0], [2.0]], [3.0]).forward(np.ones((1, 2))) == 6


def test_an_activation_of_ones_own_works():
    class Square(Elementwise):
        name = "square"

        def value(self, z):
            return z**2

        def derivative(self, z):
            return 2 * z

    layer = Dense(np.array([[3.0]]), np.zeros(1), Square())
    x = np.array([[2.0]])
    assert layer.forward(x) == 36
    dx, dw, db = layer.backward(x, layer.weighted_sums(x), np.ones((1, 1)))
    assert (dx, dw, db) == (36, 24, 12)
    assert repr(layer) == "Dense(1 -> 1, square)"


@pytest.mark.parametrize(
    ("w", "b", "words"),
    [
        (np.zeros((3, 2)), np.zeros(3), ["(3, 2)", "(3,)", "one bias a unit"]),
        (np.zeros((3, 2)), np.zeros((1, 2)), ["(1, 2)"]),
        (np.zeros(3), np.zeros(3), ["w of shape (3,)"]),
        (np.zeros((3, 2)), np.zeros(2, "float32"), ["float64", "float32", "same dtype"]),
        (np.zeros((3, 2), int), np.zeros(2, int), ["int64", "astype('float32')"]),
    ],
)
def test_parts_that_do_not_fit_are_refused(w, b, words, says):
    with pytest.raises(NetworkError) as error:
        Dense(w, b)
    says(error, *words)


@pytest.mark.parametrize("shape", [(4, 2), (3,), (1, 1, 3)])
def test_rows_of_another_width_are_refused(shape, says):
    with pytest.raises(NetworkError) as error:
        drawn_layer(0, 3, 2).forward(np.zeros(shape))
    says(error, str(shape), "(3, 2)", "(rows, 3)")


@pytest.mark.parametrize(("z", "upstream"), [((4, 2), (4, 1)), ((4, 1), (4, 2)), ((3, 2), (3, 2))])
def test_gradients_that_numpy_would_stretch_are_refused(z, upstream, says):
    with pytest.raises(NetworkError) as error:
        drawn_layer(0, 3, 2).backward(np.zeros((4, 3)), np.zeros(z), np.zeros(upstream))
    says(error, f"z of shape {z}", str(upstream), "(4, 2)")
