"""The network against Keras and GradientTape, which were written by others."""

import numpy as np
import pytest

from amaas_kit import tensorflow
from amaas_kit.errors import NetworkError
from amaas_kit.network import (
    ACTIVATIONS,
    LOSSES,
    Dense,
    Elementwise,
    Network,
    check_gradients,
)


@pytest.fixture(scope="module")
def tf():
    return tensorflow()


def keras_loss(tf, name):
    return {
        "mse": tf.keras.losses.MeanSquaredError(),
        "cross_entropy": tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        "binary_cross_entropy": tf.keras.losses.BinaryCrossentropy(from_logits=True),
    }[name]


def drawn(seed):
    """A network, rows, their truth and a loss, all drawn."""
    rng = np.random.default_rng(seed)
    loss = sorted(LOSSES)[seed % 3]
    units = {"mse": rng.integers(1, 4), "cross_entropy": rng.integers(2, 6)}.get(loss, 1)
    sizes = [*rng.integers(1, 12, size=rng.integers(1, 5)), units]
    names = [*rng.choice(sorted(ACTIVATIONS), size=len(sizes) - 2), "identity"]
    net = Network(sizes, [str(name) for name in names], rng, dtype="float64")
    for b in net.parameters[1::2]:
        b[:] = rng.normal(size=b.shape)
    n = rng.integers(1, 20)
    x = rng.normal(size=(n, sizes[0]))
    y = rng.normal(size=(n, units)) if loss == "mse" else rng.integers(0, max(2, units), size=n)
    return net, x, y, loss


@pytest.mark.parametrize("seed", range(10))
def test_gradients_of_drawn_networks_are_gradient_tapes(tf, seed):
    net, x, y, loss = drawn(seed)
    result = check_gradients(net, x, y, loss)
    assert result.ok, result
    assert max(p.tape for p in result.parameters) < 1e-9, result


@pytest.mark.parametrize("seed", range(10))
def test_loss_and_gradients_of_drawn_networks_are_keras(tf, seed):
    net, x, y, loss = drawn(seed)
    model = net.to_keras()
    truth = y.reshape(-1, 1) if loss == "binary_cross_entropy" else y
    with tf.GradientTape() as tape:
        value = keras_loss(tf, loss)(truth, model(x))
    expected = [g.numpy() for g in tape.gradient(value, model.trainable_variables)]

    ours, gradients = net.loss_and_gradients(x, y, loss)
    flat = [g for pair in gradients for g in pair]
    # Keras rounds the constants of leaky_relu and gelu, and the loss's mean, to float32.
    assert ours == pytest.approx(float(value), rel=1e-6)
    for got, wanted in zip(flat, expected, strict=True):
        scale = max(np.abs(wanted).max(), 1e-6)
        np.testing.assert_allclose(got, wanted, rtol=0, atol=1e-5 * scale)


def test_the_ten_drawn_networks_use_every_activation_and_loss():
    nets, _, _, losses = zip(*map(drawn, range(10)), strict=True)
    assert set(losses) == set(LOSSES)
    assert {name for net in nets for name in net.activations} == set(ACTIVATIONS)
    assert max(len(net.layers) for net in nets) >= 3


def test_the_checker_catches_a_mistake_by_the_tape(tf):
    class Doubled(Dense):
        def backward(self, x, z, upstream):
            dx, dw, db = super().backward(x, z, upstream)
            return dx, 2 * dw, db

    net, x, y, loss = drawn(1)
    layers = [Doubled(layer.w, layer.b, layer.activation) for layer in net.layers]
    result = check_gradients(Network.from_layers(layers), x, y, loss)
    assert not result.ok
    for p in result.parameters:
        assert (p.tape > 0.1) == p.name.startswith("w"), result


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", ACTIVATIONS)
def test_a_keras_model_has_the_same_weights_activations_dtype_and_outputs(tf, name, dtype):
    net = Network([4, 5, 3], [name, "identity"], seed=0, dtype=dtype)
    x = np.random.default_rng(0).normal(size=(6, 4)).astype(dtype)
    model = net.to_keras()
    assert isinstance(model, tf.keras.Sequential)
    for weight, p in zip(model.get_weights(), net.parameters, strict=True):
        assert weight.dtype == dtype
        np.testing.assert_array_equal(weight, p)
    assert {layer.compute_dtype for layer in model.layers} == {dtype}
    outputs = model(x).numpy()
    assert outputs.dtype == dtype
    single = dtype == "float32" or name in {"leaky_relu", "gelu"}  # their constants are float32
    np.testing.assert_allclose(outputs, net.forward(x), rtol=0, atol=1e-6 if single else 1e-14)


def test_a_keras_model_ends_in_logits(tf):
    model = Network().to_keras()
    assert model.layers[-1].activation is tf.keras.activations.linear
    assert model.input_shape == (None, 64)
    assert model.count_params() == Network().count_parameters()


def test_training_the_keras_model_leaves_the_network_alone(tf):
    net = Network([4, 3], seed=0)
    before = net.layers[0].w.copy()
    model = net.to_keras()
    model.layers[0].kernel.assign_add(tf.ones((4, 3)))
    np.testing.assert_array_equal(net.layers[0].w, before)


def test_an_activation_of_ones_own_has_no_keras_model(says):
    class Square(Elementwise):
        name = "square"

        def value(self, z):
            return z**2

        def derivative(self, z):
            return 2 * z

    with pytest.raises(NetworkError) as error:
        Network.from_layers([Dense(np.ones((2, 1)), np.zeros(1), Square())]).to_keras()
    says(error, "'square'", "leaky_relu")
