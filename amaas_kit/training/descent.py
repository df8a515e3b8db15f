"""Descent where it can be seen: losses of two weights, walked by any update rule, and their limits.

Taught in: notebooks/03_gradient_descent.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from amaas_kit.errors import TrainingError
from amaas_kit.training.rules import SGD, Momentum, Nesterov, Rule

Array = npt.NDArray[Any]

BEYOND = 1e100
"""Weights and losses past this number count as diverged: squared, they still fit a float64."""


@dataclass(frozen=True)
class Surface:
    """A loss of two weights with its slopes and curvatures, and the window in which to look at it.

    Attributes:
        loss: of w, where w[0] and w[1] are numbers or arrays of one shape.
        gradient: the two slopes at w (2,).
        hessian: the second derivatives (2, 2) at w (2,); the same everywhere on a quadratic.
        x, y: least and greatest w[0], and w[1], to be shown.
        start: the two weights where walks begin.
        bottom: where the loss is least.
        quadratic: whether the curvatures are the same everywhere.

    Taught in: notebooks/03_gradient_descent, A valley.
    """

    loss: Callable[[Any], Any]
    gradient: Callable[[Array], Array]
    hessian: Callable[[Array], Array]
    x: tuple[float, float]
    y: tuple[float, float]
    start: tuple[float, float]
    bottom: tuple[float, float]
    quadratic: bool = False

    def curvatures(self, w: npt.ArrayLike) -> Array:
        """The curvatures at w along the surface's own directions, the smallest first."""
        return np.linalg.eigvalsh(self.hessian(np.asarray(w, dtype="float64")))


def quadratic(
    hessian: npt.ArrayLike, start: tuple[float, float], x: tuple[float, float],
    y: tuple[float, float],
) -> Surface:  # fmt: skip
    """The surface w @ hessian @ w / 2, with its bottom at (0, 0).

    Args:
        hessian: symmetric, (2, 2).
        start, x, y: as for `Surface`.
    """
    h = np.asarray(hessian, dtype="float64")

    def loss(w: Any) -> Any:
        return (h[0, 0] * w[0] ** 2 + 2 * h[0, 1] * w[0] * w[1] + h[1, 1] * w[1] ** 2) / 2

    return Surface(loss, lambda w: h @ w, lambda w: h, x, y, start, (0.0, 0.0), quadratic=True)


def _bent_valley() -> Surface:
    """After Rosenbrock (1960), ten times as steep across as along."""

    def loss(w: Any) -> Any:
        return (1 - w[0]) ** 2 + 10 * (w[1] - w[0] ** 2) ** 2

    def gradient(w: Array) -> Array:
        across = w[1] - w[0] ** 2
        return np.array([-2 * (1 - w[0]) - 40 * w[0] * across, 20 * across])

    def hessian(w: Array) -> Array:
        mixed = -40 * w[0]
        return np.array([[2 - 40 * w[1] + 120 * w[0] ** 2, mixed], [mixed, 20.0]])

    return Surface(loss, gradient, hessian, (-2, 1.9), (-1.2, 3), (-1.5, 1.5), (1.0, 1.0))


def _two_hollows() -> Surface:
    """A deep hollow on the right, a shallow one on the left, and a saddle between them."""

    def loss(w: Any) -> Any:
        return (w[0] ** 2 - 1) ** 2 - 0.4 * w[0] + 2 * w[1] ** 2 + 0.5

    def gradient(w: Array) -> Array:
        return np.array([4 * w[0] * (w[0] ** 2 - 1) - 0.4, 4 * w[1]])

    def hessian(w: Array) -> Array:
        return np.array([[12 * w[0] ** 2 - 4, 0.0], [0.0, 4.0]])

    deepest = float(np.roots([4, 0, -4, -0.4]).real.max())
    window = (-1.9, 1.9), (-1.2, 1.2)
    return Surface(loss, gradient, hessian, *window, (-1.6, 0.9), (deepest, 0.0))


SURFACES: dict[str, Surface] = {
    "bowl": quadratic([[2, 0], [0, 2]], (-2.0, 1.5), (-3, 3), (-2.2, 2.2)),
    "valley": quadratic([[1, 0], [0, 25]], (-9.0, 1.5), (-10, 3), (-2.2, 2.2)),
    "turned valley": quadratic([[13, 12], [12, 13]], (-1.2, 2.4), (-3, 3), (-3, 3)),
    "bent valley": _bent_valley(),
    "two hollows": _two_hollows(),
}
"""Losses to walk on. The turned valley is the valley turned by 45 degrees."""


class Walk(NamedTuple):
    """Where a rule went.

    Attributes:
        path: the weights, (steps + 1, 2), the start first.
        losses: the loss at each of them, (steps + 1,).
        stopped: the step that led out of the numbers that can be computed with, or None. The path
            ends before it.
    """

    path: Array
    losses: Array
    stopped: int | None


def descend(rule: Rule, surface: Surface, start: Sequence[float], steps: int) -> Walk:
    """Walk over a surface by an update rule.

    Args:
        rule: whose `step` is taken, with its own learning rate.
        surface: whose slopes lead.
        start: the two weights to begin with.
        steps: how many steps; fewer where the walk leaves the finite numbers.

    Raises:
        TrainingError: the loss at the start is NaN or infinite, or steps is negative.

    Taught in: notebooks/03_gradient_descent, A valley.
    """
    situation = f"While walking down a surface with {rule}"
    if steps < 0:
        raise TrainingError(situation, f"steps={steps}", "a walk has 0 steps or more", "pass 25")
    w = np.array(start, dtype="float64")
    slots = tuple(np.zeros_like(w) for _ in range(rule.slot_count))
    path, losses = [w], [float(surface.loss(w))]
    if not np.isfinite(losses[0]):
        raise TrainingError(
            situation=situation,
            seen=f"the loss {losses[0]} at the start {tuple(map(float, start))}",
            wrong="a walk needs a loss that is a finite number where it begins",
            fix="start somewhere else, or mend the surface's loss",
        )
    with np.errstate(all="ignore"):
        for t in range(1, steps + 1):
            w, slots = rule.step(w, surface.gradient(w), slots, t, rule.learning_rate)
            loss = float(surface.loss(w))
            if not (np.all(np.abs(w) < BEYOND) and abs(loss) < BEYOND):
                return Walk(np.array(path), np.array(losses), t)
            path.append(w)
            losses.append(loss)
    return Walk(np.array(path), np.array(losses), None)


def largest_rate(rule: Rule, curvature: float) -> float | None:
    """The learning rate beyond which a rule diverges on a quadratic, or None if it has no such.

    Plain descent: 2 / curvature. Momentum: 2 (1 + beta) / curvature, more than without, because at
    the limit each jump goes against the velocity. Nesterov: 2 (1 + beta) / (1 + 2 beta)
    / curvature, which is less. RMSProp and Adam divide the slope by its own size: their steps stay
    about one rate long, and they circle around the bottom instead of diverging.

    Args:
        rule: of the kit.
        curvature: the largest, positive.

    Source: the roots of the two-step recursion on one direction lie within the unit circle (Polyak,
    1964, for momentum).

    Taught in: notebooks/03_gradient_descent, Why 2 / largest curvature.
    """
    match rule:
        case SGD():
            return 2 / curvature
        case Momentum(momentum=beta):
            return 2 * (1 + beta) / curvature
        case Nesterov(momentum=beta):
            return 2 * (1 + beta) / (1 + 2 * beta) / curvature
    return None
