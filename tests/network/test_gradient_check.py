"""The checker passes what is right, and catches what is wrong by the parameter it is in."""

import numpy as np
import pytest

from amaas_kit.errors import MissingError, NetworkError
from amaas_kit.network import (
    ACTIVATIONS,
    LOSSES,
    Dense,
    Elementwise,
    Network,
    check_gradients,
    gradient_check,
)

X = np.random.default_rng(0).normal(size=(8, 5))
TRUTH = {
    "mse": np.random.default_rng(1).normal(size=(8, 3)),
    "cross_entropy": np.arange(8) % 3,
    "binary_cross_entropy": np.arange(8) % 2,
}


def network(loss="cross_entropy", name="tanh", seed=0):
    return Network([5, 7, 1 if loss == "binary_cross_entropy" else 3], name, seed)


class Faulty(Dense):
    """A layer whose backward pass has one of the usual mistakes."""

    fault = ""

    def backward(self, x, z, upstream):
        delta = self.activation.vjp(z, upstream)
        if self.fault == "derivative left out":
            delta = upstream
        dx, dw, db = delta @ self.w.T, x.T @ delta, delta.sum(axis=0)
        if self.fault == "db is a mean":
            db = delta.mean(axis=0)
        if self.fault == "dw has the wrong sign":
            dw = -dw
        if self.fault == "dx has the wrong size":
            dx = 2 * dx
        return dx, dw, db


@pytest.mark.parametrize("name", sorted(ACTIVATIONS))
@pytest.mark.parametrize("loss", sorted(LOSSES))
def test_the_kits_own_gradients_agree_with_differences(name, loss):
    result = check_gradients(network(loss, name), X, TRUTH[loss], loss, tape=False)
    assert result.ok
    assert result.worst < 1e-6
    assert [p.name for p in result.parameters] == ["w0", "b0", "w1", "b1"]


@pytest.mark.parametrize(
    ("fault", "wrong"),
    [
        ("", set()),
        ("derivative left out", {"w0", "b0"}),
        ("db is a mean", {"b0", "b1"}),
        ("dw has the wrong sign", {"w0", "w1"}),
        ("dx has the wrong size", {"w0", "b0"}),
    ],
)
def test_a_mistake_is_caught_where_it_is(fault, wrong, monkeypatch):
    monkeypatch.setattr(Faulty, "fault", fault)
    layers = [Faulty(layer.w, layer.b, layer.activation) for layer in network().layers]
    result = check_gradients(Network.from_layers(layers), X, TRUTH["cross_entropy"], tape=False)
    assert {p.name for p in result.parameters if p.differences > result.tolerance} == wrong
    assert result.ok == (not wrong)
    assert ("DISAGREE" in str(result)) == bool(wrong)


def test_a_derivative_off_by_a_thousandth_is_caught():
    class Almost(Elementwise):
        name = "almost"

        def value(self, z):
            return np.tanh(z)

        def derivative(self, z):
            return 1.001 * (1 - np.tanh(z) ** 2)

    first, last = network().layers
    net = Network.from_layers([Dense(first.w, first.b, Almost()), last])
    result = check_gradients(net, X, TRUTH["cross_entropy"])
    assert not result.ok
    assert result.worst == pytest.approx(1e-3, rel=0.1)
    assert "GradientTape was left out: TensorFlow has no almost" in str(result)


def test_a_gradient_that_is_not_a_number_is_not_ok():
    class Broken(Elementwise):
        name = "broken"

        def value(self, z):
            return z

        def derivative(self, z):
            return z * np.nan

    first, last = network().layers
    net = Network.from_layers([Dense(first.w, first.b, Broken()), last])
    assert not check_gradients(net, X, TRUTH["cross_entropy"], tape=False).ok


def test_units_on_their_kink_are_left_out_and_counted():
    net = Network([5, 4, 3], "relu", seed=0)
    result = check_gradients(net, np.zeros((2, 5)), np.array([0, 1]), tape=False)
    assert result.ok
    b0 = result.parameters[1]
    assert (b0.name, b0.compared, b0.kinks) == ("b0", 0, 4)
    assert "4 differences were left out" in str(result)
    assert "kink" in str(result)


def test_a_smooth_network_has_no_kinks():
    result = check_gradients(network(), X, TRUTH["cross_entropy"], tape=False)
    assert not any(p.kinks for p in result.parameters)
    assert result.notes == ()


def test_the_network_is_left_as_it_was():
    net = network()
    before = [p.copy() for p in net.parameters]
    check_gradients(net, X, TRUTH["cross_entropy"], tape=False)
    assert net.dtype == "float32"
    for p, q in zip(net.parameters, before, strict=True):
        np.testing.assert_array_equal(p, q)


def test_large_parameters_are_sampled_and_the_table_says_so():
    net = Network([40, 50, 3], seed=0)
    x = np.random.default_rng(0).normal(size=(4, 40))
    result = check_gradients(net, x, np.arange(4) % 3, tape=False, entries=30)
    assert [p.compared + p.kinks for p in result.parameters] == [30, 30, 30, 3]
    assert "40 x 50" in str(result)


def test_a_step_that_is_too_small_drowns_in_rounding():
    result = check_gradients(network(), X, TRUTH["cross_entropy"], tape=False, step=1e-14)
    assert not result.ok


def test_it_prints_as_a_table():
    text = str(check_gradients(network(), X, TRUTH["cross_entropy"], tape=False))
    lines = text.splitlines()
    assert "cross_entropy" in lines[0]
    assert lines[1].split() == ["shape", "entries", "by", "differences", "by", "GradientTape"]
    assert lines[2].split()[:5] == ["w0", "5", "x", "7", "35"]
    assert "agree" in lines[-1]
    assert len({len(line) for line in lines[1:6]}) == 1


def test_without_tensorflow_it_says_so_and_compares_the_rest(monkeypatch):
    def missing():
        raise MissingError("While loading TensorFlow", "no module", "it is not here", "install it")

    monkeypatch.setattr(gradient_check, "tensorflow", missing)
    result = check_gradients(network(), X, TRUTH["cross_entropy"])
    assert result.ok
    assert all(p.tape is None for p in result.parameters)
    assert "GradientTape was left out: it is not here; install it." in str(result)


def test_rows_that_do_not_fit_are_refused(says):
    with pytest.raises(NetworkError) as error:
        check_gradients(network(), X[:, :4], TRUTH["cross_entropy"], tape=False)
    says(error, "(8, 4)", "(rows, 5)")
