"""What a training run minimises and counts, as TensorFlow operations on one batch.

The three losses are those of `amaas_kit.network.LOSSES`; beside them any Keras loss serves.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from amaas_kit.errors import TrainingError
from amaas_kit.network import LOSSES
from amaas_kit.session import tensorflow

Tensor = Any
RowLabel = Literal["class", "numbers", "any"]


@dataclass(frozen=True)
class Objective:
    """A loss over a batch and, for classes, the number of right answers.

    Attributes:
        name: the loss's name, as a history and a model card state it.
        loss: (outputs, y) -> mean loss of the batch, a scalar.
        right: (outputs, y) -> number of rows answered right, a float scalar; None for values.
        row_label: what a row's label is: a class number, as many numbers as the model has outputs,
            or what the author of the loss wants.
        key: tells two objectives apart in a cache of compiled functions.
    """

    name: str
    loss: Callable[[Tensor, Tensor], Tensor]
    right: Callable[[Tensor, Tensor], Tensor] | None
    row_label: RowLabel
    key: Hashable


def loss_for(model: Any, asked: Any) -> Any:
    """The loss that was asked for, else the one that a Keras model was compiled with, else None.

    Raises:
        TrainingError: the model was compiled without a loss, or with a weight for it.
    """
    if asked is not None or not getattr(model, "compiled", False):
        return asked
    with warnings.catch_warnings():  # the configuration is read, not stored: a lambda is fine
        warnings.simplefilter("ignore")
        weights = model.get_compile_config()["loss_weights"]
    if model.loss is None or weights is not None:
        raise TrainingError(
            situation="While choosing the loss",
            seen="a Keras model that was compiled with "
            + ("no loss" if model.loss is None else f"loss_weights={weights!r}"),
            wrong="fit minimises one loss, as it is",
            fix="pass loss=, for example loss='mse', or compile the model with such a loss alone",
        )
    return model.loss


def objective(loss: Any, y: np.ndarray[Any, Any]) -> Objective:
    """The objective for a loss and the labels that it will see.

    Args:
        loss: "cross_entropy" (from logits), "mse", "binary_cross_entropy" (from logits), one of the
            kit's loss objects, a Keras loss, or None: cross-entropy for whole-number labels, mean
            squared error for others.
        y: labels (n,) int64 for classes; (n,) or (n, k) floats for values.

    Raises:
        TrainingError: an unknown loss, or one that the labels do not suit.
    """
    classes = bool(np.issubdtype(y.dtype, np.integer))
    if loss is None:
        loss = "cross_entropy" if classes else "mse"
    kits = next((name for name, known in LOSSES.items() if loss is known), None)
    name = loss if isinstance(loss, str) else kits
    if name in _LOSSES:
        if name == "cross_entropy" and not classes:
            raise TrainingError(
                situation="While choosing the loss",
                seen=f"loss='cross_entropy' and labels of type {y.dtype}",
                wrong="cross-entropy needs whole-number class labels, 0, 1, 2, …",
                fix="convert the labels with y.astype('int64'), or use loss='mse' for values",
            )
        right = {"cross_entropy": _right_class, "binary_cross_entropy": _right_sign}.get(name)
        row_label: RowLabel = "class" if name == "cross_entropy" else "numbers"
        return Objective(name, _LOSSES[name], right, row_label, name)
    return _keras_objective(loss, classes)


def _cross_entropy(outputs: Tensor, y: Tensor) -> Tensor:
    tf = tensorflow()
    truth = tf.one_hot(y, outputs.shape[-1], dtype=outputs.dtype)
    losses = tf.nn.softmax_cross_entropy_with_logits(labels=truth, logits=outputs)
    return tf.reduce_mean(losses)


def _mse(outputs: Tensor, y: Tensor) -> Tensor:
    tf = tensorflow()
    truth = tf.reshape(tf.cast(y, outputs.dtype), tf.shape(outputs))
    return tf.reduce_mean(tf.square(outputs - truth))


def _binary_cross_entropy(outputs: Tensor, y: Tensor) -> Tensor:
    tf = tensorflow()
    truth = tf.reshape(tf.cast(y, outputs.dtype), tf.shape(outputs))
    return tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(labels=truth, logits=outputs))


def _right_class(outputs: Tensor, y: Tensor) -> Tensor:
    tf = tensorflow()
    answered = tf.argmax(outputs, axis=-1, output_type=y.dtype)
    return tf.reduce_sum(tf.cast(tf.equal(answered, y), outputs.dtype))


def _right_sign(outputs: Tensor, y: Tensor) -> Tensor:
    tf = tensorflow()
    truth = tf.reshape(tf.cast(y, outputs.dtype), tf.shape(outputs))
    return tf.reduce_sum(tf.cast(tf.equal(outputs > 0, truth > 0.5), outputs.dtype))


_LOSSES: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "cross_entropy": _cross_entropy,
    "mse": _mse,
    "binary_cross_entropy": _binary_cross_entropy,
}


def _keras_objective(loss: Any, classes: bool) -> Objective:
    """A Keras loss by object, name or function, reduced over the batch as `Model.fit` does."""
    keras = tensorflow().keras
    try:
        found = keras.losses.get(loss)
    except (ValueError, TypeError):
        found = None
    if not callable(found):
        raise TrainingError(
            situation="While choosing the loss",
            seen=f"loss={loss!r}",
            wrong=f"the kit knows {', '.join(map(repr, _LOSSES))} and Keras's losses",
            fix="pass loss= one of these, or leave it out for the default",
        )
    if not isinstance(found, keras.losses.Loss):
        name = str(getattr(found, "__name__", found))
        return Objective(
            name, _mean_of(found), _right_for(name, classes, 0.5), _row_label(name, found), found
        )
    if found.reduction not in ("sum_over_batch_size", "mean", "mean_with_sample_weight"):
        raise TrainingError(
            situation="While choosing the loss",
            seen=f"{type(found).__name__} with reduction={found.reduction!r}",
            wrong="fit minimises the mean over the batch",
            fix="make the loss without its reduction argument",
        )
    name, threshold = _snake_case(type(found).__name__), 0.0
    if not getattr(found, "from_logits", False):
        threshold = 0.5
    return Objective(
        name=found.name,
        loss=lambda outputs, y: found(y, outputs),
        right=_right_for(name, classes, threshold),
        row_label=_row_label(name, type(found)),
        key=_key(found),
    )


def _key(loss: Any) -> Hashable:
    """Equal for two of Keras's own losses with the same settings, so that neither compiles anew."""
    if not _is_of_keras(type(loss)):
        return loss  # type: ignore[no-any-return]
    return type(loss), str(loss.dtype), repr(sorted(loss.get_config().items()))


def _mean_of(function: Callable[[Tensor, Tensor], Tensor]) -> Callable[[Tensor, Tensor], Tensor]:
    """The mean over what a function (y, outputs) gives; it gets both as Keras passes them."""

    def loss(outputs: Tensor, y: Tensor) -> Tensor:
        tf = tensorflow()
        outputs, y = (tf.cast(array, tf.keras.config.floatx()) for array in (outputs, y))
        if len(y.shape) == 1 and outputs.shape[-1] == 1:
            y = tf.expand_dims(y, -1)
        return tf.reduce_mean(function(y, outputs))

    return loss


def _right_for(
    name: str, classes: bool, threshold: float
) -> Callable[[Tensor, Tensor], Tensor] | None:
    """How a Keras loss of this name tells a right answer, where it has one."""
    if classes and name == "sparse_categorical_crossentropy":
        return _right_class
    if classes and name == "binary_crossentropy":
        return lambda outputs, y: _right_sign(outputs - threshold, y)
    return None


def _row_label(name: str, loss: Any) -> RowLabel:
    if not _is_of_keras(loss) or name in ("circle", "ctc"):
        return "any"
    return "class" if name == "sparse_categorical_crossentropy" else "numbers"


def _is_of_keras(loss: Any) -> bool:
    return str(getattr(loss, "__module__", "")).startswith("keras.")


def _snake_case(name: str) -> str:
    return "".join("_" * (i > 0) + c.lower() if c.isupper() else c for i, c in enumerate(name))
