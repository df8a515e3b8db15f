"""A Keras model or a Network as a SavedModel that takes flat rows and answers finished outputs."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import numpy as np

from amaas_kit.errors import ServingError
from amaas_kit.session import tensorflow

SITUATION = "While exporting a model"

LOGIT_LOSSES = ("cross_entropy", "binary_cross_entropy")
"""The losses of the kit that read a model's outputs as logits."""

YES_OR_NO = ("sigmoid", "hard_sigmoid", "sparse_sigmoid")
"""The activations whose outputs are probabilities each by itself."""


@dataclass(frozen=True)
class Exportable:
    """What a model takes and gives, found out before anything is written.

    Attributes:
        model: the Keras model.
        shape: what one row is reshaped to before the model sees it.
        outputs: the numbers that the model gives for a row.
        activation: the name of Keras's activation at its end; None where that cannot be read off.
    """

    model: Any
    shape: tuple[int, ...]
    outputs: int
    activation: str | None

    @property
    def features(self) -> int:
        """The numbers in one row."""
        return math.prod(self.shape)

    @property
    def looks_like_classes(self) -> bool:
        """Whether its outputs read as classes when nobody says what they are."""
        return self.outputs > 1 or self.activation in YES_OR_NO

    @property
    def classes(self) -> int:
        """The classes of such outputs: one output is the second of two."""
        return max(self.outputs, 2)


def inspect(model: Any) -> Exportable:
    """Find out what a model takes and gives.

    Args:
        model: a `Network`, or a built Keras model with one input and one output.

    Raises:
        ServingError: the model cannot be served, or a weight is not a finite number.
    """
    keras_model = model.to_keras() if hasattr(model, "to_keras") else model
    if not isinstance(keras_model, tensorflow().keras.Model):
        _refuse(
            f"a {type(model).__name__}",
            "neither a Network nor a Keras model",
            "pass the model that you trained",
        )
    shape = _input_shape(keras_model)
    _refuse_weights_not_finite(keras_model)
    given = _call(keras_model, shape, np.zeros((1, math.prod(shape)), np.float32))
    if not hasattr(given, "shape") or len(given.shape) != 2:
        _refuse(
            f"outputs of shape {getattr(given, 'shape', type(given).__name__)}",
            "the kit serves models that give one list of numbers for each row",
            "end the model with a Dense layer (Flatten before it, where needed)",
        )
    return Exportable(keras_model, shape, int(given.shape[1]), _last_activation(keras_model))


def export(found: Exportable, folder: str | Path, task: str, loss_name: str | None = None) -> Path:
    """Write the model as a SavedModel whose signature takes rows and gives the finished outputs.

    Rows of shape (n, features) are reshaped to what the model takes. Outputs of a classifier are
    probabilities (n, classes): softmax, or sigmoid for one output, is appended where the model
    ends in logits, and never twice.

    Args:
        found: the model, inspected.
        folder: where to write; made by this call.
        task: "classification" or "regression".
        loss_name: the loss of the training, where it is known; it tells logits from
            probabilities when the end of the model does not.

    Returns:
        The folder.

    Raises:
        ServingError: the outputs cannot be read as probabilities.
        OSError: the files could not be written.
    """
    tf = tensorflow()
    finish = _finish(found, loss_name) if task == "classification" else tf.identity

    def serve(x: Any) -> dict[str, Any]:
        outputs = _call(found.model, found.shape, x)
        return {"outputs": tf.cast(finish(tf.cast(outputs, tf.float32)), tf.float32)}

    archive = tf.keras.export.ExportArchive()
    archive.track(found.model)
    rows = tf.TensorSpec((None, found.features), tf.float32, name="x")
    archive.add_endpoint("serve", serve, input_signature=[rows])
    try:
        archive.write_out(str(folder), verbose=False)
    except tf.errors.OpError as error:
        raise OSError(error.message) from None
    return Path(folder)


def _finish(found: Exportable, loss_name: str | None) -> Callable[[Any], Any]:
    """The function from a classifier's outputs to its probabilities."""
    tf = tensorflow()
    if found.activation in YES_OR_NO and found.outputs > 1:
        _refuse(
            f"{found.outputs} {found.activation} outputs",
            "each is a probability of its own, so that no single label is the answer",
            'end with softmax, or serve the numbers: contract=Contract(..., task="regression")',
        )
    ends_in_probabilities = _ends_in_probabilities(found, loss_name)
    if found.outputs > 1:
        finish: Callable[[Any], Any] = tf.identity if ends_in_probabilities else tf.nn.softmax
        return finish
    if ends_in_probabilities:
        return _pair
    if loss_name is not None and "crossentropy" not in loss_name.replace("_", ""):
        _refuse(
            f"one output, trained on classes with the loss {loss_name!r}",
            "it is the number of a class, from which no probability follows",
            'train with loss="binary_cross_entropy", or serve the number: '
            'contract=Contract(..., task="regression")',
        )
    return lambda z: _pair(tf.sigmoid(z))


def _ends_in_probabilities(found: Exportable, loss_name: str | None) -> bool:
    if found.activation is not None:
        return found.activation in ("softmax", *YES_OR_NO)
    if loss_name in LOGIT_LOSSES:
        return False
    drawn = np.random.default_rng(0).random((16, found.features)).astype(np.float32)
    given = np.asarray(_call(found.model, found.shape, drawn), np.float64)
    in_range = bool(((given >= 0) & (given <= 1)).all())
    return in_range and (found.outputs == 1 or bool(np.allclose(given.sum(axis=1), 1, atol=1e-3)))


def _pair(second: Any) -> Any:
    """Both probabilities of a classifier that gives only the one of its second class."""
    return tensorflow().concat([1 - second, second], axis=1)


def _call(model: Any, shape: tuple[int, ...], rows: Any) -> Any:
    return model(tensorflow().reshape(rows, (-1, *shape)), training=False)


def _input_shape(model: Any) -> tuple[int, ...]:
    """The shape of one row; a subclassed model knows it only from the call that built it."""
    shape = getattr(model, "input_shape", None)
    if shape is None and model.built:
        shape = (model.get_build_config() or {}).get("input_shape")
    if not isinstance(shape, (tuple, list)) or not all(type(size) is int for size in shape[1:]):
        _refuse(
            f"a model with the input shape {shape}",
            "it must have one input, of a fixed size",
            "begin the model with keras.Input(shape=...) of whole numbers",
        )
    return tuple(shape[1:])


def _last_activation(model: Any) -> str | None:
    """The activation of Keras that a model ends in.

    None for a subclass, a last layer without one, and a function that only its author knows.
    """
    outputs = getattr(model, "outputs", None)
    if not outputs:
        return None
    last = outputs[0]._keras_history.operation
    if hasattr(last, "layers"):
        return _last_activation(last)
    if type(last).__name__ in ("Softmax", "Sigmoid"):
        return type(last).__name__.lower()
    name = getattr(getattr(last, "activation", None), "__name__", "")
    return name if hasattr(tensorflow().keras.activations, name) else None


def _refuse_weights_not_finite(model: Any) -> None:
    for weight in model.weights:
        values = np.asarray(weight).astype(np.float64)  # NumPy itself knows no bfloat16
        bad = int(values.size - np.isfinite(values).sum())
        if bad:
            _refuse(
                f"{bad:,} of {values.size:,} numbers in the weight {weight.path} are not finite",
                "a model with such weights answers nothing but NaN",
                "train it again with a smaller learning rate",
            )


def _refuse(seen: str, wrong: str, fix: str) -> NoReturn:
    raise ServingError(SITUATION, seen, wrong, fix)
