"""Activations against SciPy, against the calculus of small steps, and at the edges of float32."""

import numpy as np
import pytest
import scipy.special
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from amaas_kit.errors import NetworkError
from amaas_kit.network import ACTIVATIONS, Elementwise, find_activation

ELEMENTWISE = sorted(set(ACTIVATIONS) - {"softmax"})

ORACLES = {
    "identity": lambda z: 1.0 * z,
    "relu": lambda z: (np.abs(z) + z) / 2,
    "leaky_relu": lambda z: 0.6 * z + 0.4 * np.abs(z),
    "sigmoid": scipy.special.expit,
    "tanh": lambda z: 2 * scipy.special.expit(2 * z) - 1,
    "softplus": lambda z: -scipy.special.log_expit(-z),
    "gelu": lambda z: z * scipy.special.ndtr(z),
    "softmax": lambda z: scipy.special.softmax(z, axis=-1),
}


def numbers(low: float, high: float, dtype: str = "float64", min_dims: int = 1):
    width = int(dtype.removeprefix("float"))
    return arrays(
        dtype,
        array_shapes(min_dims=min_dims, max_dims=min_dims + 1, max_side=5),
        elements=st.floats(low, high, width=width),
    )


def test_these_are_the_activations_that_the_kit_promises():
    assert set(ACTIVATIONS) == set(ORACLES)
    assert all(ACTIVATIONS[name].name == name for name in ACTIVATIONS)


@pytest.mark.parametrize("name", ACTIVATIONS)
@given(z=numbers(-30, 30))
@settings(deadline=None)
def test_value_is_scipys(name, z):
    np.testing.assert_allclose(ACTIVATIONS[name].value(z), ORACLES[name](z), rtol=1e-13, atol=1e-15)


@pytest.mark.parametrize("name", ELEMENTWISE)
@given(z=numbers(-30, 30))
@settings(deadline=None)
def test_derivative_is_the_slope_of_the_oracle(name, z):
    h = 1e-5
    z = np.where(np.abs(z) < 2 * h, 0.1, z)
    slope = (ORACLES[name](z + h) - ORACLES[name](z - h)) / (2 * h)
    np.testing.assert_allclose(ACTIVATIONS[name].derivative(z), slope, rtol=0, atol=1e-8)


@pytest.mark.parametrize("name", ELEMENTWISE)
def test_elementwise_vjp_multiplies_by_the_derivative(name):
    z, upstream = np.random.default_rng(0).normal(size=(2, 4, 3))
    expected = [
        [u * ACTIVATIONS[name].derivative(np.array([v]))[0] for u, v in zip(us, vs, strict=True)]
        for us, vs in zip(upstream, z, strict=True)
    ]
    np.testing.assert_allclose(ACTIVATIONS[name].vjp(z, upstream), expected, rtol=1e-15)


@given(data=st.data(), z=numbers(-20, 20, min_dims=2))
@settings(deadline=None)
def test_softmax_vjp_is_upstream_times_the_jacobian_of_each_row(data, z):
    upstream = data.draw(arrays("float64", z.shape, elements=st.floats(-5, 5)))
    got = ACTIVATIONS["softmax"].vjp(z, upstream)
    for place in np.ndindex(z.shape[:-1]):
        a = scipy.special.softmax(z[place])
        jacobian = np.diag(a) - np.outer(a, a)
        np.testing.assert_allclose(got[place], upstream[place] @ jacobian, rtol=0, atol=1e-13)


def test_softmax_has_no_elementwise_derivative():
    assert not isinstance(ACTIVATIONS["softmax"], Elementwise)
    assert not hasattr(ACTIVATIONS["softmax"], "derivative")


@pytest.mark.parametrize("name", ACTIVATIONS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_dtype_is_kept(name, dtype):
    z = np.linspace(-3, 3, 12, dtype=dtype).reshape(3, 4)
    activation = ACTIVATIONS[name]
    assert activation.value(z).dtype == dtype
    assert activation.vjp(z, np.ones_like(z)).dtype == dtype
    if isinstance(activation, Elementwise):
        assert activation.derivative(z).dtype == dtype


@pytest.mark.parametrize("name", ACTIVATIONS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_huge_and_tiny_sums_give_finite_values_without_a_warning(name, dtype):
    z = np.array([[-1e30, -1e4, -100, -1e-30, 0, 1e-30, 100, 1e4, 1e30]], dtype)
    activation = ACTIVATIONS[name]
    assert np.isfinite(activation.value(z)).all()
    assert np.isfinite(activation.vjp(z, np.ones_like(z))).all()


@given(z=numbers(np.float32(-1e30), np.float32(1e30), "float32", min_dims=2))
@settings(deadline=None)
def test_softmax_gives_probabilities_for_any_logits(z):
    a = ACTIVATIONS["softmax"].value(z)
    assert (a >= 0).all()
    np.testing.assert_allclose(a.sum(axis=-1), 1, rtol=1e-6)


def test_gelu_keeps_its_digits_in_the_tails():
    z = np.linspace(-37, 37, 1000)
    exact = z * scipy.special.ndtr(z)
    error = np.abs(ACTIVATIONS["gelu"].value(z) / exact - 1)
    assert (error < 1e-15 * np.maximum(1, z**2)).all()


def test_sigmoid_derivative_keeps_its_digits_where_the_sigmoid_is_nearly_one():
    slope = ACTIVATIONS["sigmoid"].derivative(np.array([-40.0, 40.0]))
    np.testing.assert_allclose(slope, np.exp(-40.0), rtol=1e-12)


def test_at_the_kink_the_derivative_is_the_one_from_the_left():
    zero = np.zeros(1)
    assert ACTIVATIONS["relu"].derivative(zero) == 0
    assert ACTIVATIONS["leaky_relu"].derivative(zero) == 0.2
    assert {name for name, f in ACTIVATIONS.items() if f.kink is not None} == {
        "relu",
        "leaky_relu",
    }


def test_the_argument_is_left_as_it_was():
    z = np.random.default_rng(0).normal(size=(3, 4))
    before = z.copy()
    for activation in ACTIVATIONS.values():
        activation.value(z)
        activation.vjp(z, z)
    np.testing.assert_array_equal(z, before)


def test_an_unknown_name_is_answered_with_the_known_ones(says):
    with pytest.raises(NetworkError) as error:
        find_activation("swish")
    says(error, "'swish'", *ACTIVATIONS)
