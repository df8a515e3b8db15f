"""The figures of notebooks/03_gradient_descent: slopes, steps, paths over a surface, losses."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from amaas_kit.session import COLOURS

Loss = Callable[[Any], Any]
"""A loss of one weight; or of two, w[0] and w[1], each a number or an array."""

MARKERS = ("o", "s", "^", "D", "v", "P")
"""One a curve, so that curves can be told apart without colour."""


def draw_slopes(
    loss: Loss, slope: Loss, places: Sequence[float], window: tuple[float, float]
) -> Figure:
    """A loss of one weight, its tangent at some places, and the way downhill from there.

    Args:
        loss: loss of a weight, or of an array of weights.
        slope: its derivative, likewise.
        places: weights at which the tangent is drawn.
        window: least and greatest weight shown.

    Taught in: notebooks/03_gradient_descent, A slope.
    """
    figure, axis = plt.subplots(figsize=(6.4, 4.0), layout="constrained")
    w = np.linspace(*window, 301)
    axis.plot(w, loss(w), color="grey", label="loss")
    reach = (window[1] - window[0]) / 9
    for place, colour in zip(places, COLOURS, strict=False):
        height, steepness = float(loss(place)), float(slope(place))
        near = np.array([place - reach, place + reach])
        tangent = height + steepness * (near - place)
        axis.plot(near, tangent, color=colour, linewidth=2, label=f"slope {steepness:+.1f}")
        axis.plot(place, height, "o", color=colour)
        if steepness:
            axis.annotate(
                "", xy=(place - reach * np.sign(steepness), 0), xytext=(place, 0),
                arrowprops={"arrowstyle": "-|>", "color": colour, "linewidth": 2.5},
            )  # fmt: skip
    axis.set(xlabel="weight w", ylabel="loss", xlim=window, ylim=(-0.07 * loss(w).max(), None))
    axis.legend()
    return figure


def draw_steps(
    loss: Loss, walks: Mapping[str, npt.ArrayLike], window: tuple[float, float]
) -> Figure:
    """Walks down one curve, a panel each: every step is a point, joined to the next.

    Args:
        loss: loss of a weight, or of an array of weights.
        walks: the weights of each walk, (steps + 1,), by its title.
        window: least and greatest weight shown; what leaves it is cut off.

    Taught in: notebooks/03_gradient_descent, Too small, right, too large.
    """
    columns = len(walks)
    figure, axes = plt.subplots(
        1, columns, figsize=(2.4 * columns, 2.9), sharey=True, squeeze=False, layout="constrained"
    )
    w = np.linspace(*window, 301)
    for axis, (title, walk) in zip(axes[0], walks.items(), strict=True):
        steps = np.asarray(walk)
        axis.plot(w, loss(w), color="grey", linewidth=1)
        axis.plot(steps, loss(steps), "o-", color=COLOURS[0], markersize=4, linewidth=1)
        axis.plot(steps[0], loss(steps[0]), "o", color=COLOURS[1], markersize=8, label="start")
        axis.set(title=title, xlabel="weight w", xlim=window, ylim=(-0.05 * loss(w).max(), None))
        axis.set_ylim(top=loss(w).max())
    axes[0, 0].set_ylabel("loss")
    axes[0, 0].legend(loc="upper center")
    return figure


def draw_factors(
    curvatures: Sequence[float], rates: npt.ArrayLike, measured: npt.ArrayLike
) -> Figure:
    """By how much one step multiplies the distance to the bottom, against the learning rate.

    Args:
        curvatures: the curvature of each direction.
        rates: learning rates that were tried, (r,).
        measured: the factor that was seen for each rate and direction, (r, directions).

    Taught in: notebooks/03_gradient_descent, Why 2 / largest curvature.
    """
    figure, axis = plt.subplots(figsize=(6.4, 4.0), layout="constrained")
    tried, seen = np.asarray(rates), np.asarray(measured)
    line = np.linspace(0, tried.max(), 401)
    for i, curvature in enumerate(curvatures):
        theory = np.abs(1 - line * curvature)
        axis.plot(line, theory, color=COLOURS[i], label=f"|1 - rate x {curvature:g}|")
        axis.plot(
            tried, seen[:, i], MARKERS[i], color=COLOURS[i], markersize=6,
            label=f"measured, curvature {curvature:g}",
        )  # fmt: skip
    limit = 2 / max(curvatures)
    axis.axhline(1, color="black", linewidth=0.8)
    axis.axvline(limit, color="black", linewidth=0.8, linestyle="--")
    axis.text(limit, 0.02, f" 2 / {max(curvatures):g} = {limit:g}", va="bottom")
    axis.set(xlabel="learning rate", ylabel="factor of one step", ylim=(0, None))
    axis.set_xlim(0, tried.max() * 1.02)
    axis.legend()
    return figure


def draw_paths(
    loss: Loss,
    paths: Mapping[str, npt.ArrayLike],
    x: tuple[float, float],
    y: tuple[float, float],
    bottom: Sequence[float] | None = None,
    together: bool = False,
) -> Figure:
    """Paths over a loss of two weights, seen from above; lines join places of equal loss.

    Args:
        loss: loss of w, where w[0] and w[1] may be arrays.
        paths: the weights of each path, (steps + 1, 2), by its title.
        x, y: least and greatest w[0], and w[1], shown.
        bottom: where the loss is least, marked with a cross.
        together: all paths on one map, instead of a map each.

    Taught in: notebooks/03_gradient_descent, A valley.
    """
    panels = 1 if together else len(paths)
    size = (6.8, 5.0) if together else (4.3 * panels, 3.6)
    figure, axes = plt.subplots(
        1, panels, figsize=size, sharey=True, squeeze=False, layout="constrained"
    )
    for axis in axes[0]:
        _draw_map(axis, loss, x, y)
        axis.set(xlabel="weight w[0]", xlim=x, ylim=y)
        if bottom is not None:
            axis.plot(*bottom, "x", color="black", markersize=9, markeredgewidth=2, zorder=4)
    axes[0, 0].set_ylabel("weight w[1]")
    for i, (title, path) in enumerate(paths.items()):
        axis = axes[0, 0 if together else i]
        steps = np.asarray(path)
        axis.plot(
            steps[:, 0], steps[:, 1], color=COLOURS[i], marker=MARKERS[i % len(MARKERS)],
            markersize=3.5, linewidth=1.2, label=title,
        )  # fmt: skip
        axis.plot(*steps[0], "o", color="black", markersize=7, zorder=5)
        if not together:
            axis.set_title(title)
    if together:
        axes[0, 0].legend()
    return figure


def _draw_map(axis: Axes, loss: Loss, x: tuple[float, float], y: tuple[float, float]) -> None:
    grid = np.array(np.meshgrid(np.linspace(*x, 201), np.linspace(*y, 201)))
    heights = loss(grid)
    levels = heights.min() + np.ptp(heights) * np.linspace(0.02, 1, 14) ** 2.5
    axis.contour(*grid, heights, levels=levels, colors="grey", linewidths=0.6, alpha=0.7)
    axis.grid(visible=False)


def draw_losses(
    curves: Mapping[str, npt.ArrayLike],
    xlabel: str = "step",
    ylabel: str = "loss",
    first: int = 0,
) -> Figure:
    """How the loss went, on a scale where every line up or down is the same factor.

    Args:
        curves: losses in their order, by name.
        xlabel: what they are counted in.
        ylabel: what they are.
        first: the number of the first: 0 where it is the loss before the first step.

    Taught in: notebooks/03_gradient_descent, Momentum.
    """
    figure, axis = plt.subplots(figsize=(6.4, 3.8), layout="constrained")
    for i, (name, curve) in enumerate(curves.items()):
        values = np.asarray(curve)
        axis.plot(
            np.arange(len(values)) + first, values, color=COLOURS[i], label=name,
            marker=MARKERS[i % len(MARKERS)], markersize=4, markevery=max(1, len(values) // 12),
        )  # fmt: skip
    axis.set(xlabel=xlabel, ylabel=ylabel, yscale="log")
    axis.xaxis.set_major_locator(MaxNLocator(integer=True, steps=[1, 2, 5, 10]))
    figure.legend(loc="outside upper center", ncols=min(3, len(curves)))
    return figure


def draw_first_steps(steps: Mapping[str, npt.ArrayLike]) -> Figure:
    """The length of the first steps, in learning rates, with and without a correction.

    Args:
        steps: length of step 1, 2, 3, …, by name.

    Taught in: notebooks/03_gradient_descent, What the bias correction does.
    """
    figure, axis = plt.subplots(figsize=(6.4, 3.6), layout="constrained")
    for i, (name, lengths) in enumerate(steps.items()):
        values = np.asarray(lengths)
        numbers = np.arange(1, len(values) + 1)
        axis.plot(numbers, values, MARKERS[i] + "-", color=COLOURS[i], label=name)
    axis.set(xlabel="step", ylabel="length / learning rate", ylim=(0, None))
    axis.xaxis.set_major_locator(MaxNLocator(integer=True))
    axis.legend()
    return figure


def draw_noise(sizes: Sequence[int], distances: npt.ArrayLike) -> Figure:
    """How far the gradient of a batch lies from that of all rows, against the batch size.

    Args:
        sizes: rows a batch.
        distances: the distance seen for each size, in lengths of the whole gradient.

    Taught in: notebooks/03_gradient_descent, Mini-batches.
    """
    figure, axis = plt.subplots(figsize=(6.0, 3.6), layout="constrained")
    rows, seen = np.asarray(sizes, "float64"), np.asarray(distances)
    axis.plot(rows, seen, "o", color=COLOURS[0], label="measured")
    expected = seen[0] * np.sqrt(rows[0] / rows)
    axis.plot(rows, expected, "--", color=COLOURS[1], label="proportional to 1 / sqrt(batch size)")
    axis.set(xlabel="rows in a batch", ylabel="distance / length", xscale="log", yscale="log")
    axis.set_xticks(rows, [str(size) for size in sizes])
    powers = 2.0 ** np.arange(np.floor(np.log2(seen.min())), np.log2(seen.max()) + 0.5)
    axis.set_yticks(powers, [f"{power:g}" for power in powers])
    axis.minorticks_off()
    axis.legend()
    return figure


def draw_rates(
    rates: Sequence[float], scores: Mapping[str, npt.ArrayLike], baseline: float
) -> Figure:
    """The accuracy that each learning rate leads to, a curve a rule, above a trivial baseline.

    Args:
        rates: learning rates, each ten or so times the one before.
        scores: accuracy for each rate, by the name of the rule.
        baseline: accuracy of always answering the most frequent class.

    Taught in: notebooks/03_gradient_descent, The digits by hand.
    """
    figure, axis = plt.subplots(figsize=(6.4, 3.8), layout="constrained")
    for i, (name, score) in enumerate(scores.items()):
        axis.plot(rates, np.asarray(score), MARKERS[i] + "-", color=COLOURS[i], label=name)
    axis.axhline(baseline, color="black", linewidth=0.9, linestyle=":", label="most frequent class")
    axis.set(xlabel="learning rate", ylabel="accuracy", xscale="log", ylim=(0, 1.02))
    axis.legend()
    return figure
