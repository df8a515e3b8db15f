"""The loss around a trained network, along two random directions that its own weights scale.

Taught in: notebooks/03_gradient_descent, The landscape around a trained network.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from amaas_kit.errors import NetworkError
from amaas_kit.network import Dense, Loss, Network, choose_loss
from amaas_kit.network.arrays import Array

SITUATION = "While mapping the loss around a network"

LARGEST_PARAMETERS = 5_000_000
"""Beyond that, two directions and a moved copy would fill the memory of a small laptop."""

AFFORDABLE = 2.5e9
"""Multiplications that a map may cost: about a second on one slow core."""

PIECE = 32
"""Rows that go through the network at once. So few, products of small layers stay on one core; on
a busy machine, threads that wait for each other cost ten times what the products do."""


class Landscape:
    """The loss of a network whose weights are moved along two directions.

    Place (a, b) is the network with the weights w + a u + b v. The directions u and v are random,
    and **filter-normalised** (Li et al. 2018, section 4): the part of a direction that belongs to
    one unit is made as long as that unit's own weights. Without that, the same network looks flat
    when its weights are large and sharp when they are small. Biases stay as they are.

    Args:
        net: the trained network; it is copied.
        x: rows (n, d). The first `rows` of them are used; fewer for a large network.
        y: their truths (n,).
        seed: of the directions.
        rows: how many rows at most.
        normalised: False gives each direction the length of all weights together, for comparison.
        loss: as for `Network.loss_and_gradients`.

    Attributes:
        net: the copy at the centre.
        rows: how many rows the loss is computed on.
        side: how many places a side of the map has, an odd number.
        centre: the loss at (0, 0).

    Raises:
        NetworkError: no network, a network without layers, with NaN or infinite weights or with too
            many of them, or one whose outputs overflow; x or y that do not fit.
    """

    def __init__(
        self,
        net: Network,
        x: npt.ArrayLike,
        y: npt.ArrayLike,
        seed: int = 0,
        rows: int = 200,
        normalised: bool = True,
        loss: str | Loss | None = None,
    ) -> None:
        _require_walkable(net)
        self.net = net.copy()
        x, y = np.asarray(x), np.asarray(y)
        if x.shape[:1] != y.shape[:1]:
            raise NetworkError(
                situation=SITUATION,
                seen=f"x of shape {x.shape} and y of shape {y.shape}",
                wrong="each row has one truth",
                fix="pass x and y of the same rows, for example x, y = split.validation",
            )
        self.rows, self.side = affordable(net.count_parameters(), min(rows, len(x)))
        self._x, self._y = x[: self.rows], y[: self.rows]
        self._loss = choose_loss(self._y, loss)
        rng = np.random.default_rng(seed)
        with np.errstate(all="ignore"):
            self._u = _direction(net, rng, normalised)
            self._v = _direction(net, rng, normalised)
        self.centre = self.loss_at(0.0, 0.0)
        if not np.isfinite(self.centre):
            raise NetworkError(
                situation=SITUATION,
                seen=f"the loss {self.centre} at the network itself",
                wrong="its weights are so large that its outputs overflow",
                fix="train it again with a smaller learning rate",
            )

    def network_at(self, a: float, b: float) -> Network:
        """The network with the weights w + a u + b v."""
        parts = zip(self.net.layers, self._u, self._v, strict=True)
        return Network.from_layers(
            Dense(layer.w + float(a) * u + float(b) * v, layer.b, layer.activation)
            for layer, u, v in parts
        )

    def loss_at(self, a: float, b: float) -> float:
        """The exact loss at one place; infinite or NaN where it leaves the network's dtype."""
        starts = range(0, max(self.rows, 1), PIECE)
        with np.errstate(all="ignore"):
            moved = self.network_at(a, b)
            pieces = [self._x[start : start + PIECE] for start in starts]
            outputs = np.concatenate([moved.forward(piece) for piece in pieces])
            return self._loss.value(outputs, self._y)

    @property
    def baseline(self) -> float:
        """The loss of a network whose outputs are all 0: of answering every row alike."""
        outputs = self.net.forward(self._x)
        return self._loss.value(np.zeros_like(outputs), self._y)

    def map(self, reach: float = 1.0) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
        """The losses of a square around the network.

        Args:
            reach: how far the square extends along each direction; 1 is as far as the weights are
                long.

        Returns:
            Places (side,) along either direction, and losses (side, side): [i, j] at
            a = places[j], b = places[i].
        """
        places = np.linspace(-reach, reach, self.side)
        places[self.side // 2] = 0.0
        return places, np.array([[self.loss_at(a, b) for a in places] for b in places])


def _direction(net: Network, rng: np.random.Generator, normalised: bool) -> list[Array]:
    """One array a layer, of the shape of its weights; a column belongs to one unit."""
    arrays = [rng.normal(size=layer.w.shape) for layer in net.layers]
    if not normalised:
        length = np.sqrt(sum(np.sum(_lengths(layer.w) ** 2) for layer in net.layers))
        drawn = np.sqrt(sum(np.sum(array**2) for array in arrays))
        return [(array * length / drawn).astype(net.dtype) for array in arrays]
    return [
        (array * _lengths(layer.w) / _lengths(array)).astype(net.dtype)
        for array, layer in zip(arrays, net.layers, strict=True)
    ]


def _lengths(w: Array) -> Array:
    """Of each unit's weights (d, h), one number a column."""
    lengths: Array = np.linalg.norm(w.astype("float64"), axis=0)
    return lengths


def affordable(parameters: int, rows: int) -> tuple[int, int]:
    """How many rows, and places a side, a map of a network may have: 21, or fewer for a large one.

    A place costs one multiplication a parameter and row, and some for moving the weights.
    """
    for side in (21, 15, 11, 7):
        most = int(AFFORDABLE / (side**2 * parameters)) - 4
        if most >= min(rows, 32):
            return min(rows, most), side
    return min(rows, 8), 7


def _require_walkable(net: Network) -> None:
    if not isinstance(net, Network) or not net.layers:
        seen = "a network without layers" if isinstance(net, Network) else type(net).__name__
        raise NetworkError(
            situation=SITUATION,
            seen=seen,
            wrong="there are no weights to move",
            fix="pass a trained amaas_kit.network.Network",
        )
    if net.count_parameters() > LARGEST_PARAMETERS:
        raise NetworkError(
            situation=SITUATION,
            seen=f"{net.count_parameters():,} parameters",
            wrong=f"a map moves copies of them all, and takes at most {LARGEST_PARAMETERS:,}",
            fix="map a smaller network, such as sizes=[64, 128, 64, 10]",
        )
    lost = sum(int(np.count_nonzero(~np.isfinite(array))) for array in net.parameters)
    if lost:
        raise NetworkError(
            situation=SITUATION,
            seen=f"{lost:,} of {net.count_parameters():,} parameters are NaN or infinite",
            wrong="such a network has no loss, here or anywhere near",
            fix="train it again with a smaller learning rate",
        )


def largest_curvature(
    net: Network,
    x: npt.ArrayLike,
    y: npt.ArrayLike,
    loss: str | Loss | None = None,
    rounds: int = 20,
    seed: int = 0,
) -> float:
    """The curvature of the loss in the direction in which its slopes change most.

    Power iteration: a direction is replaced by the change of the gradient along it, which turns it
    towards the steepest one, round after round. The change is a central difference, so the Hessian
    matrix itself, parameters times parameters, is never made.

    Args:
        net: best of float64; it is left as it is.
        x, y, loss: as for `Network.loss_and_gradients`.
        rounds: how often the direction is replaced; twenty are good to a few per cent.
        seed: of the first direction.

    Returns:
        The eigenvalue of the Hessian that is largest without its sign; negative at a place where
        the loss curves downwards most.

    Raises:
        NetworkError: as for `Landscape`.

    Taught in: notebooks/03_gradient_descent, The limit in a real network.
    """
    _require_walkable(net)
    centre = [array.astype("float64") for array in net.parameters]
    moved, nudge = net.copy(dtype="float64"), 1e-4

    def slopes(direction: Sequence[Array], share: float) -> list[Array]:
        for i, (w, d) in enumerate(zip(centre, direction, strict=True)):
            moved.parameters[i] = w + share * d
        _, gradients = moved.loss_and_gradients(x, y, loss)
        return [array for pair in gradients for array in pair]

    rng = np.random.default_rng(seed)
    direction = [rng.normal(size=array.shape) for array in centre]
    curvature = 0.0
    for _ in range(rounds):
        length = np.sqrt(sum(float(np.sum(array**2)) for array in direction))
        if not length:
            return 0.0
        direction = [array / length for array in direction]
        ahead, behind = slopes(direction, nudge), slopes(direction, -nudge)
        change = [(a - b) / (2 * nudge) for a, b in zip(ahead, behind, strict=True)]
        curvature = sum(float(np.sum(d * c)) for d, c in zip(direction, change, strict=True))
        direction = change
    return curvature
