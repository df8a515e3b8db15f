"""Three ways to the same gradient: by hand, by central differences, by GradientTape."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from amaas_kit.errors import MissingError, NetworkError
from amaas_kit.network.arrays import Array
from amaas_kit.network.losses import Loss, choose_loss
from amaas_kit.network.network import Network
from amaas_kit.session import tensorflow

STEP = float(np.finfo("float64").eps ** (1 / 3))
"""6e-6, the step of the differences, for a parameter of size 1.

A central difference leaves out a term of size step^2, and divides the loss's rounding by step:
eps / step. The sum of both is least where step^3 = eps (Press et al., Numerical Recipes, 5.7).
"""

FLOOR = 1e-4
"""Gradients that are all smaller, for a loss of size 1, are compared as if the largest were this:
the differences of such a loss are off by eps / STEP = 4e-11, which is no error of the gradient."""

TF_ACTIVATIONS: dict[str, Callable[[Any, Any], Any]] = {
    "identity": lambda tf, z: tf.identity(z),
    "relu": lambda tf, z: tf.nn.relu(z),
    "leaky_relu": lambda tf, z: tf.where(z > 0, z, 0.2 * z),
    "sigmoid": lambda tf, z: tf.sigmoid(z),
    "tanh": lambda tf, z: tf.tanh(z),
    "softplus": lambda tf, z: tf.nn.softplus(z),
    "gelu": lambda tf, z: z * tf.math.erfc(z / -math.sqrt(2)) / 2,
    "softmax": lambda tf, z: tf.nn.softmax(z),
}
"""Activations of TensorFlow's operations: nothing of the kit's is asked, so no error can hide.

`tf.nn.leaky_relu` and `tf.nn.gelu` would round their constants to float32 even for float64 input.
"""

TF_LOSSES: dict[str, Callable[[Any, Any, Any], Any]] = {
    "mse": lambda tf, outputs, y: tf.square(outputs - y),
    "cross_entropy": lambda tf, outputs, y: tf.nn.sparse_softmax_cross_entropy_with_logits(
        logits=outputs, labels=y
    ),
    "binary_cross_entropy": lambda tf, outputs, y: tf.nn.sigmoid_cross_entropy_with_logits(
        logits=outputs, labels=y
    ),
}
"""TensorFlow's own losses, before the mean."""


@dataclass(frozen=True)
class ParameterCheck:
    """How far apart the gradients of one parameter are.

    Attributes:
        name: "w0", "b0", "w1", …
        shape: of the parameter.
        compared: how many of its entries were compared with central differences.
        kinks: how many more were not, because moving them took a ReLU over its kink.
        differences: relative error of the gradient by hand against central differences.
        tape: the same against GradientTape, over all entries; None where there is no tape.
    """

    name: str
    shape: tuple[int, ...]
    compared: int
    kinks: int
    differences: float
    tape: float | None


@dataclass(frozen=True, repr=False)
class GradientCheck:
    """What `check_gradients` found. Prints as a table.

    Attributes:
        parameters: one ParameterCheck for each of w0, b0, w1, b1, …
        loss: name of the loss.
        tolerance: the largest relative error that passes.
        notes: what was left out, and why.
    """

    parameters: tuple[ParameterCheck, ...]
    loss: str
    tolerance: float
    notes: tuple[str, ...]

    @property
    def worst(self) -> float:
        """The largest relative error in the table."""
        errors = [error for p in self.parameters for error in (p.differences, p.tape)]
        return float(np.max([error for error in errors if error is not None]))

    @property
    def ok(self) -> bool:
        """Whether every gradient by hand agrees with the others, within the tolerance."""
        return self.worst <= self.tolerance

    def __str__(self) -> str:
        rows = [("", "shape", "entries", "by differences", "by GradientTape")]
        for p in self.parameters:
            shape = " x ".join(map(str, p.shape))
            tape = "-" if p.tape is None else f"{p.tape:.1e}"
            rows.append((p.name, shape, f"{p.compared:,}", f"{p.differences:.1e}", tape))
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        table = [
            "  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True))
            for row in rows
        ]
        verdict = "agree" if self.ok else "DISAGREE"
        return "\n".join(
            [
                f"Gradient of {self.loss} by hand: relative error against the same",
                *table,
                f"worst {self.worst:.1e}, tolerance {self.tolerance:.0e}: the gradients {verdict}",
                *self.notes,
            ]
        )

    __repr__ = __str__


def check_gradients(
    net: Network,
    x: npt.ArrayLike,
    y: npt.ArrayLike,
    loss: str | Loss | None = None,
    *,
    tape: bool = True,
    entries: int = 200,
    step: float = STEP,
    tolerance: float = 1e-5,
) -> GradientCheck:
    """Compare the gradients of `net.loss_and_gradients` with two that know nothing of it.

    All three run on a float64 copy of the network, so that what differs is the mathematics and not
    float32's rounding; the network itself is not touched.

    Args:
        net: the network.
        x: rows (n, d). A dozen are enough.
        y: class numbers (n,), or values (n,) or (n, k).
        loss: by name; None means "cross_entropy" for integer y and "mse" for floats.
        tape: whether to ask GradientTape, too. Without TensorFlow the result says that it did not.
        entries: of each parameter that central differences move, spread evenly; each costs two
            forward passes. GradientTape compares all.
        step: by which a parameter of size 1 is moved to each side; larger ones by more.
        tolerance: the largest relative error that passes.

    Returns:
        A GradientCheck: the errors of each parameter, relative to its largest gradient.

    Raises:
        NetworkError: x or y that do not fit the network.

    Taught in: notebooks/02_backpropagation, Checking a gradient.
    """
    net = net.copy("float64")
    chosen = choose_loss(y, loss)
    value, layers = net.loss_and_gradients(x, y, chosen)
    by_hand = [gradient for layer in layers for gradient in layer]
    floor = FLOOR * max(1.0, abs(value))
    by_tape: Sequence[Array | None] = [None] * len(by_hand)
    notes = []
    if tape:
        try:
            by_tape = tape_gradients(net, x, y, chosen.name)
        except (MissingError, NetworkError) as error:
            notes.append(f"GradientTape was left out: {error.wrong}; {error.fix}.")
    checks = []
    for i, (hand, taped) in enumerate(zip(by_hand, by_tape, strict=True)):
        indices = np.unique(np.linspace(0, hand.size - 1, min(entries, hand.size)).astype(int))
        differences, smooth = central_differences(
            net, x, y, chosen, net.parameters[i], indices, step
        )
        checks.append(
            ParameterCheck(
                name=f"{'wb'[i % 2]}{i // 2}",
                shape=hand.shape,
                compared=int(smooth.sum()),
                kinks=int((~smooth).sum()),
                differences=_relative_error(hand.flat[indices][smooth], differences[smooth], floor),
                tape=None if taped is None else _relative_error(hand, taped, floor),
            )
        )
    if kinks := sum(check.kinks for check in checks):
        notes.append(
            f"{kinks} differences were left out: the step took a ReLU over its kink, "
            "where the slope differs from side to side."
        )
    return GradientCheck(tuple(checks), chosen.name, tolerance, tuple(notes))


def central_differences(
    net: Network,
    x: npt.ArrayLike,
    y: npt.ArrayLike,
    loss: Loss,
    parameter: Array,
    indices: npt.NDArray[np.integer[Any]],
    step: float = STEP,
) -> tuple[Array, npt.NDArray[np.bool_]]:
    """(L(p + h) - L(p - h)) / 2h for entries p of a parameter, which are put back afterwards.

    Args:
        net: a float64 network.
        x: rows (n, d).
        y: their truth.
        loss: L.
        parameter: one of `net.parameters`.
        indices: the entries to move, as places in the flattened parameter.
        step: h for entries up to 1; for larger ones h grows in proportion.

    Returns:
        The difference quotients, one for each index; and whether the loss was smooth between the
        two points, which it is not where a unit went from one side of its kink to the other.
    """
    quotients = np.empty(len(indices))
    smooth = np.empty(len(indices), dtype=bool)
    for i, index in enumerate(indices):
        kept = parameter.flat[index]
        h = step * max(1.0, abs(kept))
        above, below = kept + h, kept - h
        parameter.flat[index] = above
        loss_above, sides_above = _loss_and_sides(net, x, y, loss)
        parameter.flat[index] = below
        loss_below, sides_below = _loss_and_sides(net, x, y, loss)
        parameter.flat[index] = kept
        quotients[i] = (loss_above - loss_below) / (above - below)
        smooth[i] = sides_above == sides_below
    return quotients, smooth


def _loss_and_sides(
    net: Network, x: npt.ArrayLike, y: npt.ArrayLike, loss: Loss
) -> tuple[float, list[bytes]]:
    """The loss, and for each layer with a kink on which side of it each unit is."""
    steps = net.trace(x)
    sides = [
        (step.z > layer.activation.kink).tobytes()
        for layer, step in zip(net.layers, steps, strict=True)
        if layer.activation.kink is not None
    ]
    return loss.value(steps[-1].a, y), sides


def tape_gradients(net: Network, x: npt.ArrayLike, y: npt.ArrayLike, loss: str) -> list[Array]:
    """The gradients of a float64 network by `tf.GradientTape`, from TensorFlow's operations alone.

    Args:
        net: a network of the kit's activations.
        x: rows (n, d).
        y: their truth.
        loss: name of one of the kit's losses.

    Returns:
        dw0, db0, dw1, db1, …

    Raises:
        MissingError: TensorFlow is not installed.
        NetworkError: an activation or a loss of your own.

    Taught in: notebooks/04_first_network, Tensors and tapes.
    """
    unknown = {*net.activations, loss} - {*TF_ACTIVATIONS, *TF_LOSSES}
    if unknown:
        raise NetworkError(
            situation="While asking GradientTape for gradients",
            seen=f"{', '.join(sorted(unknown))}",
            wrong=f"TensorFlow has no {', '.join(sorted(unknown))}",
            fix="go by the central differences, which ask nothing but the loss",
        )
    tf = tensorflow()
    parameters = [tf.Variable(array) for array in net.parameters]
    with tf.GradientTape() as tape:
        outputs = tf.constant(np.asarray(x, "float64"))
        for name, w, b in zip(net.activations, parameters[::2], parameters[1::2], strict=True):
            outputs = TF_ACTIVATIONS[name](tf, outputs @ w + b)
        truth = np.asarray(y)
        if loss != "cross_entropy":
            truth = truth.astype("float64").reshape(outputs.shape)
        value = tf.reduce_mean(TF_LOSSES[loss](tf, outputs, truth))
    return [gradient.numpy() for gradient in tape.gradient(value, parameters)]


def _relative_error(ours: Array, theirs: Array, floor: float) -> float:
    """max|ours - theirs| over the largest gradient of both, or over `floor` if that is larger."""
    if ours.size == 0:
        return 0.0
    largest = max(np.abs(ours).max(), np.abs(theirs).max(), floor)
    return float(np.abs(ours - theirs).max() / largest)
