"""`fit` and `keras.Model.fit` compute the same: weights after three epochs without shuffling."""

from __future__ import annotations

import numpy as np
import pytest

from amaas_kit.data import Dataset
from amaas_kit.network import Network
from amaas_kit.session import tensorflow
from amaas_kit.training import SGD, Adam, AdamW, Momentum, Nesterov, RMSProp, fit

ROWS, BATCH = 150, 32  # four whole batches and one of 22


def digits_like(rows=ROWS, features=16, classes=5, seed=0):
    rng = np.random.default_rng(seed)
    centres = rng.normal(size=(classes, features))
    y = np.arange(rows) % classes
    x = centres[y] + rng.normal(scale=0.8, size=(rows, features))
    return Dataset(x.astype("float32"), y)


def train_with_keras(model, optimizer, data, validation=None, loss=None, shape=None):
    keras = tensorflow().keras
    model.compile(
        optimizer=optimizer,
        loss=loss or keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"] if np.issubdtype(data.y.dtype, np.integer) else [],
    )
    x = data.x if shape is None else data.x.reshape(-1, *shape)
    held_out = None if validation is None else (validation.x, validation.y)
    return model.fit(
        x, data.y, batch_size=BATCH, epochs=3, shuffle=False, verbose=0, validation_data=held_out
    ).history


def optimizers():
    keras = tensorflow().keras.optimizers
    return {
        "SGD": (SGD(0.05), keras.SGD(0.05)),
        "Momentum": (Momentum(0.02), keras.SGD(0.02, momentum=0.9)),
        "Nesterov": (Nesterov(0.02), keras.SGD(0.02, momentum=0.9, nesterov=True)),
        "RMSProp": (RMSProp(0.003), keras.RMSprop(0.003)),
        "Adam": (Adam(0.003), keras.Adam(0.003)),
        "AdamW": (AdamW(0.003, weight_decay=0.1), keras.AdamW(0.003, weight_decay=0.1)),
    }


@pytest.mark.parametrize("name", ["SGD", "Momentum", "Nesterov", "RMSProp", "Adam", "AdamW"])
def test_a_network_ends_with_the_weights_of_keras(name):
    rule, optimizer = optimizers()[name]
    data, held_out = digits_like(), digits_like(61, seed=1)
    network = Network(sizes=[16, 24, 5], seed=3)
    model = network.to_keras()

    history = fit(network, data, rule, 3, BATCH, shuffle=False, validation=held_out)
    theirs = train_with_keras(model, optimizer, data, held_out)

    for mine, other in zip(network.parameters, model.get_weights(), strict=True):
        np.testing.assert_allclose(mine, other, rtol=2e-4, atol=2e-5)
    np.testing.assert_allclose(history.loss, theirs["loss"], rtol=1e-4)
    np.testing.assert_allclose(history.val_loss, theirs["val_loss"], rtol=1e-4)
    np.testing.assert_allclose(history.accuracy, theirs["accuracy"], atol=1e-6)
    np.testing.assert_allclose(history.val_accuracy, theirs["val_accuracy"], atol=1e-6)


@pytest.mark.parametrize(
    "activation", ["identity", "leaky_relu", "sigmoid", "tanh", "softplus", "gelu", "softmax"]
)
def test_each_activation_trains_as_in_keras(activation):
    data = digits_like()
    network = Network(sizes=[16, 12, 5], activations=activation, seed=3)
    model = network.to_keras()
    fit(network, data, SGD(0.1), 3, BATCH, shuffle=False)
    train_with_keras(model, tensorflow().keras.optimizers.SGD(0.1), data)
    for mine, other in zip(network.parameters, model.get_weights(), strict=True):
        np.testing.assert_allclose(mine, other, rtol=2e-4, atol=2e-5)


def keras_model(kind):
    keras = tensorflow().keras
    layers, regularizers = keras.layers, keras.regularizers
    keras.utils.set_random_seed(11)
    body = {
        "dense": [layers.Dense(20, activation="relu")],
        # No bias before the normalisation: its gradient is rounding alone, which Adam scales up.
        "batch norm": [
            layers.Dense(20, use_bias=False),
            layers.BatchNormalization(),
            layers.ReLU(),
        ],
        "regularised": [
            layers.Dense(20, activation="relu", kernel_regularizer=regularizers.L2(0.01)),
            layers.ActivityRegularization(l2=0.001),
        ],
        "constrained": [
            layers.Dense(20, activation="relu", kernel_constraint=keras.constraints.MaxNorm(0.7))
        ],
        "frozen": [layers.Dense(20, trainable=False), layers.ReLU()],
        "convolution": [
            layers.Reshape((4, 4, 1)),
            layers.Conv2D(6, 3, padding="same", activation="relu"),
            layers.MaxPooling2D(),
            layers.Flatten(),
        ],
        "recurrent": [layers.Reshape((4, 4)), layers.LSTM(8)],
    }[kind]
    return keras.Sequential([keras.Input((16,)), *body, layers.Dense(5)])


@pytest.mark.parametrize("name", ["SGD", "Adam"])
@pytest.mark.parametrize(
    "kind",
    ["dense", "batch norm", "regularised", "constrained", "frozen", "convolution", "recurrent"],
)
def test_a_keras_model_ends_with_the_weights_of_keras(kind, name):
    rule, optimizer = optimizers()[name]
    data, held_out = digits_like(), digits_like(61, seed=1)
    mine, other = keras_model(kind), keras_model(kind)

    history = fit(mine, data, rule, 3, BATCH, shuffle=False, validation=held_out)
    theirs = train_with_keras(other, optimizer, data, held_out)

    for a, b in zip(mine.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, rtol=5e-4, atol=5e-5)
    np.testing.assert_allclose(history.loss, theirs["loss"], rtol=2e-4)
    np.testing.assert_allclose(history.val_loss, theirs["val_loss"], rtol=2e-4)


def unusual_model(kind):
    """Models on which a loop that is nearly Keras's computes something else."""
    keras = tensorflow().keras
    layers, ops = keras.layers, keras.ops
    keras.utils.set_random_seed(11)

    class AddsLoss(keras.Layer):
        """A loss for each row, and one that depends on the size of the batch."""

        def call(self, x):
            self.add_loss(0.001 * ops.mean(ops.square(x), axis=-1))
            self.add_loss(0.0001 * ops.sum(ops.square(x)))
            return x

    class Counts(keras.Layer):
        """Answers otherwise at each call, in validation too."""

        def build(self, shape):
            self.calls = self.add_weight(shape=(), initializer="zeros", trainable=False)
            self.mean = keras.metrics.Mean()

        def call(self, x):
            self.calls.assign_add(1.0)
            self.mean.update_state(x)
            return x / (1 + 0.01 * self.calls)

    class Idle(keras.Layer):
        """Holds a weight that the loss does not depend on; its constraint would change it."""

        def build(self, shape):
            norm = keras.constraints.MaxNorm(0.5)
            self.idle = self.add_weight(shape=(3,), initializer="ones", constraint=norm)

        def call(self, x):
            return x

    class Subclassed(keras.Model):
        """Tells no shapes, and no layer that it is training."""

        def __init__(self):
            super().__init__()
            self.hidden = layers.Dense(8, activation="relu", activity_regularizer="l2")
            self.drop, self.out = layers.Dropout(0.5), layers.Dense(5)

        def call(self, x):
            return self.out(self.drop(self.hidden(x)))

    if kind == "subclassed":
        model = Subclassed()
        model(np.ones((2, 16), "float32"))
        return model
    if kind == "used twice":
        inputs = keras.Input((16,))
        twice = layers.Dense(16, activation="tanh", activity_regularizer="l2")
        return keras.Model(inputs, layers.Dense(5)(twice(twice(inputs))))
    if kind in ("mixed_bfloat16", "float64"):
        body = [layers.Dense(8, activation="relu", dtype=kind), layers.Dense(5, dtype=kind)]
        return keras.Sequential([keras.Input((16,)), *body])
    inner = [keras.Input((16,)), layers.Dense(8, kernel_regularizer="l2"), layers.ReLU()]
    body = {
        "adds losses": [layers.Dense(8), AddsLoss()],
        "counts its calls": [layers.Dense(8), Counts()],
        "idle weight": [layers.Dense(8), Idle()],
        "a seed of its own": [layers.Dense(32, activation="relu"), layers.Dropout(0.5, seed=3)],
        "nested": [keras.Sequential(inner), layers.LayerNormalization()],
        "masked sequence": [layers.Reshape((4, 4)), layers.Masking(), layers.GRU(6)],
    }[kind]
    return keras.Sequential([keras.Input((16,)), *body, layers.Dense(5)])


@pytest.mark.parametrize(
    "kind",
    [
        "adds losses",
        "counts its calls",
        "idle weight",
        "a seed of its own",
        "subclassed",
        "used twice",
        "mixed_bfloat16",
        "float64",
        "nested",
        "masked sequence",
    ],
)
def test_unusual_keras_models_end_with_the_weights_of_keras(kind):
    rule, optimizer = optimizers()["Adam"]
    data, held_out = digits_like(), digits_like(61, seed=1)
    if kind == "masked sequence":
        x = data.x.copy()
        x[::2, 8:] = 0
        data = Dataset(x, data.y)
    mine, other = unusual_model(kind), unusual_model(kind)
    loss = tensorflow().keras.losses.SparseCategoricalCrossentropy(from_logits=True)

    history = fit(mine, data, rule, 3, BATCH, loss, shuffle=False, validation=held_out)
    theirs = train_with_keras(other, optimizer, data, held_out)

    for a, b in zip(mine.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, rtol=5e-5, atol=5e-6)
    np.testing.assert_allclose(history.loss, theirs["loss"], rtol=1e-5)
    np.testing.assert_allclose(history.val_loss, theirs["val_loss"], rtol=1e-5)


@pytest.mark.parametrize("name", ["SGD", "Momentum", "Nesterov"])
def test_a_table_that_is_looked_up_trains_as_in_keras(name):
    keras = tensorflow().keras
    rule, optimizer = optimizers()[name]
    rng = np.random.default_rng(0)
    data = Dataset(rng.integers(0, 9, size=(ROWS, 6)), np.arange(ROWS) % 5)
    models = []
    for _ in range(2):
        keras.utils.set_random_seed(1)
        layers = [keras.layers.Embedding(9, 4), keras.layers.Flatten(), keras.layers.Dense(5)]
        models.append(keras.Sequential([keras.Input((6,), dtype="int32"), *layers]))
    fit(models[0], data, rule, 3, BATCH, shuffle=False)
    train_with_keras(models[1], optimizer, data)
    for a, b in zip(models[0].get_weights(), models[1].get_weights(), strict=True):
        np.testing.assert_allclose(a, b, rtol=5e-5, atol=5e-6)


def test_a_last_batch_of_one_row_and_a_validation_of_one_row():
    rule, optimizer = optimizers()["SGD"]
    data = digits_like(2 * BATCH + 1)
    one = data.take([3])
    mine, other = keras_model("batch norm"), keras_model("batch norm")
    history = fit(mine, data, rule, 3, BATCH, shuffle=False, validation=one)
    theirs = train_with_keras(other, optimizer, data, one)
    for a, b in zip(mine.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, rtol=5e-5, atol=5e-6)
    np.testing.assert_allclose(history.val_loss, theirs["val_loss"], rtol=1e-5)


def test_values_train_as_in_keras():
    rng = np.random.default_rng(2)
    x = rng.normal(size=(ROWS, 10)).astype("float32")
    y = (x @ rng.normal(size=(10, 1))).astype("float32")[:, 0]
    data = Dataset(x, y)
    network = Network(sizes=[10, 5, 1], seed=1)
    model = network.to_keras()
    history = fit(network, data, SGD(0.05), 3, BATCH, shuffle=False)
    theirs = train_with_keras(model, tensorflow().keras.optimizers.SGD(0.05), data, loss="mse")
    for mine, other in zip(network.parameters, model.get_weights(), strict=True):
        np.testing.assert_allclose(mine, other, rtol=2e-4, atol=2e-5)
    np.testing.assert_allclose(history.loss, theirs["loss"], rtol=1e-4)


@pytest.mark.parametrize(
    ("loss", "last"),
    [
        ("sparse_categorical_crossentropy", "softmax"),
        ("binary_crossentropy", "sigmoid"),
        ("mae", None),
        ("Huber", None),
        ("a function of one's own", "class numbers"),
        ("a loss of one's own, called mse", None),
        ("label smoothing", "one-hot"),
    ],
)
def test_keras_losses_serve_as_in_keras(loss, last):
    keras = tensorflow().keras
    data = digits_like(classes=2)
    if last is None:
        data = Dataset(data.x, data.y.astype("float32") + 0.25)
    if last == "one-hot":
        data = Dataset(data.x, np.eye(2, dtype="float32")[data.y])

    def of_the_right_class(y, outputs):
        right = keras.ops.one_hot(keras.ops.cast(y, "int32"), 2)
        return -keras.ops.sum(right * keras.ops.tanh(outputs), axis=-1)

    class Tripled(keras.losses.Loss):
        def call(self, y, outputs):
            return 3 * keras.ops.abs(y - outputs[:, 0])

    def make():
        keras.utils.set_random_seed(4)
        outputs = 2 if last in ("softmax", "class numbers", "one-hot") else 1
        activation = last if last in ("softmax", "sigmoid") else None
        layers = [keras.Input((16,)), keras.layers.Dense(outputs, activation=activation)]
        return keras.Sequential(layers)

    mine, other = make(), make()
    chosen = {
        "Huber": keras.losses.Huber(),
        "a function of one's own": of_the_right_class,
        "a loss of one's own, called mse": Tripled(name="mse"),
        "label smoothing": keras.losses.CategoricalCrossentropy(True, label_smoothing=0.1),
    }.get(loss, loss)
    history = fit(mine, data, SGD(0.05), 3, BATCH, chosen, shuffle=False)
    theirs = train_with_keras(other, keras.optimizers.SGD(0.05), data, loss=chosen)
    for a, b in zip(mine.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, rtol=2e-4, atol=2e-5)
    np.testing.assert_allclose(history.loss, theirs["loss"], rtol=1e-4)
    if last in ("softmax", "sigmoid"):
        np.testing.assert_allclose(history.accuracy, theirs["accuracy"], atol=1e-6)


def test_a_compiled_keras_model_brings_its_own_loss_and_optimizer():
    keras = tensorflow().keras
    data = digits_like()
    mine, other = keras_model("dense"), keras_model("dense")
    for model in (mine, other):
        model.compile(
            keras.optimizers.SGD(0.05, momentum=0.9),
            keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        )
    history = fit(mine, data, epochs=3, batch_size=BATCH, shuffle=False)
    other.fit(data.x, data.y, epochs=3, batch_size=BATCH, shuffle=False, verbose=0)
    assert history.rule == Momentum(float(np.float32(0.05)), 0.9)
    for a, b in zip(mine.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, rtol=2e-4, atol=2e-5)


def test_rows_take_the_shape_of_the_models_input():
    keras = tensorflow().keras
    keras.utils.set_random_seed(4)
    layers = [keras.layers.Conv2D(4, 3), keras.layers.Flatten(), keras.layers.Dense(5)]
    mine = keras.Sequential([keras.Input((4, 4, 1)), *layers])
    other = keras.models.clone_model(mine)
    other.set_weights(mine.get_weights())
    data = digits_like()
    fit(mine, data, SGD(0.05), 3, BATCH, shuffle=False)
    train_with_keras(other, keras.optimizers.SGD(0.05), data, shape=(4, 4, 1))
    for a, b in zip(mine.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, rtol=2e-4, atol=2e-5)
