"""Losses: one number that says how wrong the outputs are, each beside its own derivative.

Each is a mean over the rows, as in Keras, so the gradient holds the 1/n. Cross-entropies start from
logits, the outputs before softmax or sigmoid: log(softmax(z)) computed in one piece neither
overflows nor takes the logarithm of zero.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from amaas_kit.errors import NetworkError
from amaas_kit.network.activations import SIGMOID, SOFTMAX
from amaas_kit.network.arrays import Array, Classes, as_array, as_floats


class Loss(Protocol):
    """What training needs of a loss. Taught in: notebooks/01_forward_pass, The loss."""

    name: str
    includes: str | None
    """The activation that the loss applies itself, so that the last layer must not."""

    def value(self, outputs: Array, y: npt.ArrayLike) -> float:
        """The loss of outputs (n, k) against the truth y, a mean over the n rows."""

    def gradient(self, outputs: Array, y: npt.ArrayLike) -> Array:
        """dL/d(outputs), of the shape and dtype of `outputs`."""

    def predict(self, outputs: Array) -> npt.NDArray[Any]:
        """What the outputs (n, k) say: class numbers (n,), or values (n,) or (n, k)."""


class MeanSquaredError:
    """For values: y of the shape of the outputs, or (n,) against outputs (n, 1)."""

    name = "mse"
    includes: str | None = None

    def value(self, outputs: Array, y: npt.ArrayLike) -> float:
        """mean((outputs - y)^2) over the n k numbers."""
        return float(np.mean((outputs - _values(outputs, y, self.name)) ** 2))

    def gradient(self, outputs: Array, y: npt.ArrayLike) -> Array:
        """2 (outputs - y) / (n k)."""
        return 2 * (outputs - _values(outputs, y, self.name)) / outputs.size

    def predict(self, outputs: Array) -> Array:
        """The outputs themselves; one column as (n,)."""
        return outputs.ravel() if outputs.shape[1] == 1 else outputs


class CrossEntropy:
    """For one class of k: y integers (n,) from 0 to k - 1 against logits (n, k), k at least 2."""

    name = "cross_entropy"
    includes: str | None = "softmax"

    def value(self, outputs: Array, y: npt.ArrayLike) -> float:
        """mean(-log softmax(outputs)[y]) = mean(log(sum(e^outputs)) - outputs[y])."""
        classes = _classes(outputs, y)
        shifted = outputs - outputs.max(axis=1, keepdims=True)
        log_sum = np.log(np.exp(shifted).sum(axis=1))
        return float(np.mean(log_sum - shifted[np.arange(len(classes)), classes]))

    def gradient(self, outputs: Array, y: npt.ArrayLike) -> Array:
        """(softmax(outputs) - onehot(y)) / n.

        Taught in: notebooks/02_backpropagation, Softmax and cross-entropy together.
        """
        classes = _classes(outputs, y)
        gradient = SOFTMAX.value(outputs)
        gradient[np.arange(len(classes)), classes] -= 1
        return gradient / len(classes)

    def predict(self, outputs: Array) -> Classes:
        """The class with the largest logit, which is also the most probable."""
        largest: Classes = outputs.argmax(axis=1)
        return largest


class BinaryCrossEntropy:
    """For yes or no: y of 0 and 1, (n,) or (n, 1), against logits (n, 1)."""

    name = "binary_cross_entropy"
    includes: str | None = "sigmoid"

    def value(self, outputs: Array, y: npt.ArrayLike) -> float:
        """mean(-log p), p = sigmoid(z) where y is 1 and 1 - sigmoid(z) = sigmoid(-z) where y is 0.

        -log sigmoid(z) = log(1 + e^-z), so each row costs log(1 + e^wrong), where `wrong` says how
        far z leans to the wrong side.
        """
        wrong = np.where(_yes_or_no(outputs, y) == 1, -outputs, outputs)
        return float(np.mean(np.logaddexp(0, wrong)))

    def gradient(self, outputs: Array, y: npt.ArrayLike) -> Array:
        """(sigmoid(z) - y) / n."""
        return (SIGMOID.value(outputs) - _yes_or_no(outputs, y)) / len(outputs)

    def predict(self, outputs: Array) -> Classes:
        """1 where the probability is above one half, which is where the logit is above 0."""
        return (outputs[:, 0] > 0).astype("int64")


LOSSES: Mapping[str, Loss] = {
    loss.name: loss for loss in (MeanSquaredError(), CrossEntropy(), BinaryCrossEntropy())
}
"""Every loss by its name."""


def find_loss(loss: str | Loss) -> Loss:
    """The loss of that name; a loss of your own is returned as it is.

    Raises:
        NetworkError: no loss has that name.
    """
    if not isinstance(loss, str):
        return loss
    if loss not in LOSSES:
        raise NetworkError(
            situation="While looking up a loss",
            seen=f"the name {loss!r}",
            wrong="no loss is called that",
            fix=f"choose one of: {', '.join(LOSSES)}",
        )
    return LOSSES[loss]


def choose_loss(y: npt.ArrayLike, loss: str | Loss | None = None) -> Loss:
    """The loss asked for, or the one that suits y: cross-entropy for integers, MSE for floats.

    Raises:
        NetworkError: no loss has that name, or y is neither of integers nor of floats.
    """
    if loss is not None:
        return find_loss(loss)
    situation = "While choosing a loss for y"
    dtype = as_array(y, name="y", situation=situation).dtype
    if dtype.kind in "iu":
        return LOSSES["cross_entropy"]
    if dtype.kind == "f":
        return LOSSES["mse"]
    raise NetworkError(
        situation=situation,
        seen=f"y of dtype {dtype}",
        wrong="y must hold class numbers (integers) or values (floats)",
        fix="turn class names into numbers with np.unique(y, return_inverse=True)[1], "
        "yes and no into y.astype(int) with loss='binary_cross_entropy'",
    )


def _values(outputs: Array, y: npt.ArrayLike, loss: str) -> Array:
    """y as numbers of the shape and dtype of `outputs`.

    Strict, because NumPy would subtract (n,) from (n, 1) as an (n, n) table without a word.
    """
    situation = f"While computing the loss {loss}"
    values = as_floats(y, outputs.dtype, name="y", situation=situation)
    _require_same_rows(outputs, values, situation)
    if outputs.ndim == 2 and outputs.shape[1] == 1 and values.ndim == 1:
        values = values[:, None]
    if values.shape != outputs.shape:
        raise NetworkError(
            situation=situation,
            seen=f"y of shape {np.shape(y)} against outputs of shape {outputs.shape}",
            wrong="each output needs one true value",
            fix=f"give y the shape {outputs.shape}, or the last layer as many units as y has "
            "columns; class numbers go with loss='cross_entropy'",
        )
    return values


def _yes_or_no(outputs: Array, y: npt.ArrayLike) -> Array:
    situation = "While computing the loss binary_cross_entropy"
    if outputs.ndim != 2 or outputs.shape[1] != 1:
        raise NetworkError(
            situation=situation,
            seen=f"outputs of shape {outputs.shape}",
            wrong="yes or no is one logit a row, so the outputs must have the shape (rows, 1)",
            fix="end the network in one unit, or use loss='cross_entropy' for several classes",
        )
    values = _values(outputs, y, BinaryCrossEntropy.name)
    strange = np.flatnonzero((values != 0) & (values != 1))
    if strange.size:
        row = strange[0]
        raise NetworkError(
            situation=situation,
            seen=f"y[{row}] = {values[row, 0]:g}",
            wrong="the truth must be 0 (no) or 1 (yes) in every row",
            fix="use loss='mse' for values, loss='cross_entropy' for more than two classes",
        )
    return values


def _classes(outputs: Array, y: npt.ArrayLike) -> Classes:
    situation = "While computing the loss cross_entropy"
    classes = as_array(y, name="y", situation=situation)
    if outputs.ndim != 2 or outputs.shape[1] < 2:
        raise NetworkError(
            situation=situation,
            seen=f"outputs of shape {outputs.shape}",
            wrong="a class is chosen among at least two, one output each: (rows, classes)",
            fix="end the network in one unit a class; for yes or no from one unit use "
            "loss='binary_cross_entropy', for values loss='mse'",
        )
    count = outputs.shape[1]
    if classes.dtype.kind not in "iu":
        raise NetworkError(
            situation=situation,
            seen=f"y of dtype {classes.dtype}",
            wrong="the truth must be class numbers, that is integers",
            fix="pass y.astype(int) if y holds whole numbers; use loss='mse' for values",
        )
    _require_same_rows(outputs, classes, situation)
    if classes.ndim != 1:
        one_hot = classes.shape == outputs.shape
        raise NetworkError(
            situation=situation,
            seen=f"y of shape {classes.shape}",
            wrong=f"y must be one class number a row: shape ({len(outputs)},)",
            fix="pass y.argmax(axis=1) (y looks one-hot)" if one_hot else "pass y.ravel()",
        )
    outside = np.flatnonzero((classes < 0) | (classes >= count))
    if outside.size:
        row = outside[0]
        raise NetworkError(
            situation=situation,
            seen=f"y[{row}] = {classes[row]}",
            wrong=f"{count} outputs stand for the classes 0 to {count - 1}",
            fix="number the classes from 0 with np.unique(y, return_inverse=True)[1], "
            "or end the network in one unit a class",
        )
    return classes


def _require_same_rows(outputs: Array, y: npt.NDArray[Any], situation: str) -> None:
    if y.ndim == 0 or len(y) != len(outputs):
        raise NetworkError(
            situation=situation,
            seen=f"y of shape {y.shape} against {len(outputs)} rows of outputs",
            wrong="each row needs its own truth",
            fix="cut x and y in the same way: as many entries in y as rows in x",
        )
