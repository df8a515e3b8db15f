"""What a training run minimises and counts, as TensorFlow operations on one batch.

The three losses are those of `amaas_kit.network.LOSSES`; a Keras loss serves for Keras models.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from amaas_kit.errors import TrainingError
from amaas_kit.session import tensorflow

Tensor = Any


@dataclass(frozen=True)
class Objective:
    """A loss over a batch and, for classes, the number of right answers.

    Attributes:
        name: the loss's name, as a history and a model card state it.
        loss: (outputs, y) -> mean loss of the batch, a scalar.
        right: (outputs, y) -> number of rows answered right, a float scalar; None for values.
        key: tells two objectives apart in a cache of compiled functions.
    """

    name: str
    loss: Callable[[Tensor, Tensor], Tensor]
    right: Callable[[Tensor, Tensor], Tensor] | None
    key: object


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
    name = loss if isinstance(loss, str) else getattr(loss, "name", None)
    if name in _LOSSES and not _is_keras(loss):
        if name == "cross_entropy" and not classes:
            raise TrainingError(
                situation="While choosing the loss",
                seen=f"loss='cross_entropy' and labels of type {y.dtype}",
                wrong="cross-entropy needs whole-number class labels, 0, 1, 2, …",
                fix="convert the labels with y.astype('int64'), or use loss='mse' for values",
            )
        right = {"cross_entropy": _right_class, "binary_cross_entropy": _right_sign}.get(name)
        return Objective(name, _LOSSES[name], right, name)
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


def _is_keras(loss: Any) -> bool:
    return type(loss).__module__.startswith("keras.")


def _keras_objective(loss: Any, classes: bool) -> Objective:
    """A Keras loss by object, name or function; the batch mean, as `Model.fit` takes it."""
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
            fix="leave loss out for the default, or name one of these",
        )
    if not isinstance(found, keras.losses.Loss):
        name = str(getattr(found, "__name__", found))
        return Objective(name, _mean_of(found), _right_for(name, classes, 0.5), found)
    if found.reduction not in ("sum_over_batch_size", "mean"):
        raise TrainingError(
            situation="While choosing the loss",
            seen=f"{type(found).__name__} with reduction={found.reduction!r}",
            wrong="fit minimises the mean over the batch",
            fix="make the loss without its reduction argument",
        )
    threshold = 0.0 if getattr(found, "from_logits", False) else 0.5
    return Objective(
        name=found.name,
        loss=lambda outputs, y: found(y, outputs),
        right=_right_for(_snake_case(type(found).__name__), classes, threshold),
        key=found,
    )


def _mean_of(function: Callable[[Tensor, Tensor], Tensor]) -> Callable[[Tensor, Tensor], Tensor]:
    """Keras's mean over what a function (y, outputs) gives for each row."""

    def loss(outputs: Tensor, y: Tensor) -> Tensor:
        tf = tensorflow()
        truth = tf.expand_dims(y, -1) if len(y.shape) < len(outputs.shape) else y
        return tf.reduce_mean(function(truth, outputs))

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


def _snake_case(name: str) -> str:
    return "".join("_" * (i > 0) + c.lower() if c.isupper() else c for i, c in enumerate(name))
