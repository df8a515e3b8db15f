"""What is served answers as the model itself does, whatever the model ends in."""

from __future__ import annotations

import numpy as np
import pytest

from amaas_kit.errors import ServingError
from amaas_kit.network import Network
from amaas_kit.serving.export import export, inspect
from amaas_kit.session import tensorflow

RNG = np.random.default_rng(7)


def softmax(z):
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def sigmoid_pair(z):
    p = 1 / (1 + np.exp(-z))
    return np.concatenate([1 - p, p], axis=1)


def pair(p):
    return np.concatenate([1 - p, p], axis=1)


def same(outputs):
    return outputs


def sequential(shape, *layers):
    keras = tensorflow().keras
    return keras.Sequential([keras.Input(shape), *layers])


def dense(units, activation=None):
    return tensorflow().keras.layers.Dense(units, activation=activation)


def functional_softmax():
    keras = tensorflow().keras
    inputs = keras.Input((4,))
    return keras.Model(inputs, keras.ops.softmax(dense(3)(inputs)))


def subclass(activation=None, units=3):
    class Own(tensorflow().keras.Model):
        def __init__(self):
            super().__init__()
            self.last = dense(units, activation)

        def call(self, x):
            return self.last(x)

    model = Own()
    model(np.zeros((1, 4), np.float32))
    return model


def with_batchnorm():
    layers = tensorflow().keras.layers
    model = sequential((4,), dense(8), layers.BatchNormalization(), layers.Dropout(0.5), dense(3))
    model.compile(loss="mse")
    model.fit(RNG.normal(5, 3, (64, 4)), RNG.normal(size=(64, 3)), verbose=0)
    return model


def image_model():
    layers = tensorflow().keras.layers
    return sequential((8, 8, 1), layers.Conv2D(4, 3), layers.Flatten(), dense(10))


def own_softmax(z):
    keras = tensorflow().keras
    e = keras.ops.exp(z)
    return e / keras.ops.sum(e, axis=1, keepdims=True)


def own_sigmoid(z):
    return 1 / (1 + tensorflow().keras.ops.exp(-z))


def in_bfloat16(weight=1.0):
    model = sequential((4,), tensorflow().keras.layers.Dense(3, dtype="bfloat16"))
    kernel, bias = model.get_weights()
    kernel[1, 1] = weight
    model.set_weights([kernel, bias])
    return model


def ending(layer):
    return lambda: sequential((4,), dense(3), layer(tensorflow().keras.layers))


MODELS = {
    "logits": (lambda: sequential((4,), dense(3)), "classification", softmax),
    "softmax": (lambda: sequential((4,), dense(3, "softmax")), "classification", same),
    "softmax layer": (ending(lambda layers: layers.Softmax()), "classification", same),
    "activation layer": (ending(lambda k: k.Activation("softmax")), "classification", same),
    "softmax as operation": (functional_softmax, "classification", same),
    "a model in a model": (
        lambda: sequential((4,), functional_softmax()),
        "classification",
        same,
    ),
    "relu": (lambda: sequential((4,), dense(3, "relu")), "classification", softmax),
    "dropout after softmax": (
        lambda: sequential((4,), dense(3, "softmax"), tensorflow().keras.layers.Dropout(0.5)),
        "classification",
        same,
    ),
    "subclass with logits": (subclass, "classification", softmax),
    "subclass with softmax": (lambda: subclass("softmax"), "classification", same),
    "one sigmoid": (lambda: sequential((4,), dense(1, "sigmoid")), "classification", pair),
    "one logit": (lambda: sequential((4,), dense(1)), "classification", sigmoid_pair),
    "subclass with one sigmoid": (lambda: subclass("sigmoid", 1), "classification", pair),
    "TensorFlow's own softmax": (
        lambda: sequential((4,), dense(3, tensorflow().nn.softmax)),
        "classification",
        same,
    ),
    "one's own softmax": (lambda: sequential((4,), dense(3, own_softmax)), "classification", same),
    "one's own sigmoid": (lambda: sequential((4,), dense(1, own_sigmoid)), "classification", pair),
    "one hard sigmoid": (
        lambda: sequential((4,), dense(1, "hard_sigmoid")),
        "classification",
        pair,
    ),
    "bfloat16": (in_bfloat16, "classification", softmax),
    "one value": (lambda: sequential((4,), dense(1)), "regression", same),
    "several values": (lambda: sequential((4,), dense(3, "sigmoid")), "regression", same),
    "batch normalisation and dropout": (with_batchnorm, "regression", same),
    "images from flat rows": (image_model, "classification", softmax),
    "a Network": (lambda: Network([4, 5, 3], seed=1), "classification", softmax),
    "a Network in float64": (
        lambda: Network([4, 5, 3], seed=1, dtype="float64"),
        "classification",
        softmax,
    ),
    "10-5-1": (lambda: Network([10, 5, 1], seed=1), "regression", same),
}


def served(folder, rows):
    tf = tensorflow()
    loaded = tf.saved_model.load(str(folder))
    return loaded.signatures["serving_default"](x=tf.constant(rows))["outputs"].numpy()


@pytest.mark.parametrize(("make", "task", "finish"), MODELS.values(), ids=MODELS.keys())
def test_the_saved_model_answers_as_the_model_does(make, task, finish, tmp_path):
    model = make()
    found = inspect(model)
    export(found, tmp_path / "saved", task)
    rows = RNG.normal(size=(7, found.features)).astype(np.float32)
    if isinstance(model, Network):
        own = model.forward(rows)
    else:
        own = model(
            rows.reshape(-1, *model.input_shape[1:]) if hasattr(model, "input_shape") else rows
        )
    answers = served(tmp_path / "saved", rows)
    assert answers.dtype == np.float32
    np.testing.assert_allclose(
        answers, finish(np.asarray(own).astype(np.float64)), atol=1e-6, rtol=1e-5
    )
    if task == "classification":
        np.testing.assert_allclose(answers.sum(axis=1), 1, atol=1e-6)


def test_the_loss_of_the_training_tells_logits_where_the_model_does_not(tmp_path):
    # Outputs that look like probabilities, but were trained as logits.
    model = subclass("softmax")
    rows = RNG.normal(size=(7, 4)).astype(np.float32)
    export(inspect(model), tmp_path / "saved", "classification", loss_name="cross_entropy")
    np.testing.assert_allclose(
        served(tmp_path / "saved", rows), softmax(np.asarray(model(rows))), atol=1e-6
    )


def unbuilt():
    return tensorflow().keras.Sequential([dense(3)])


def of_any_size():
    layers = tensorflow().keras.layers
    pool = layers.GlobalAveragePooling2D()
    return sequential((None, None, 1), layers.Conv2D(2, 3), pool, dense(3))


def two_inputs():
    keras = tensorflow().keras
    inputs = [keras.Input((2,)), keras.Input((2,))]
    return keras.Model(inputs, dense(3)(keras.layers.Concatenate()(inputs)))


def two_outputs():
    keras = tensorflow().keras
    inputs = keras.Input((4,))
    return keras.Model(inputs, [dense(3)(inputs), dense(1)(inputs)])


def with_weight(value):
    model = sequential((4,), dense(3))
    weights = model.get_weights()
    weights[0][1, 1] = value
    model.set_weights(weights)
    return model


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: 7, "a int"),
        (lambda: "digits", "a str"),
        (unbuilt, "input shape"),
        (of_any_size, "input shape"),
        (two_inputs, "input shape"),
        (two_outputs, "outputs"),
        (lambda: sequential((8, 8), dense(3)), "outputs of shape"),
        (lambda: with_weight(np.nan), "1 of 12 numbers"),
        (lambda: with_weight(np.inf), "not finite"),
        (lambda: in_bfloat16(np.nan), "1 of 12 numbers"),
    ],
)
def test_models_that_cannot_be_served_are_refused(make, said):
    with pytest.raises(ServingError, match=said):
        inspect(make())


@pytest.mark.parametrize("activation", ["sigmoid", "hard_sigmoid"])
def test_several_sigmoids_are_no_single_label(activation, tmp_path):
    model = sequential((4,), dense(3, activation))
    with pytest.raises(ServingError, match=f"3 {activation} outputs"):
        export(inspect(model), tmp_path / "saved", "classification")


def test_one_number_trained_as_a_number_is_no_probability(tmp_path):
    found = inspect(sequential((4,), dense(1)))
    with pytest.raises(ServingError, match="trained on classes with the loss 'mse'"):
        export(found, tmp_path / "saved", "classification", loss_name="mse")
    for loss_name in ("binary_cross_entropy", "binary_crossentropy"):
        export(found, tmp_path / loss_name, "classification", loss_name=loss_name)


def test_exporting_leaves_the_model_as_it_was(tmp_path):
    model = with_batchnorm()
    before = [np.array(weight) for weight in model.get_weights()]
    export(inspect(model), tmp_path / "saved", "regression")
    for old, new in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)
