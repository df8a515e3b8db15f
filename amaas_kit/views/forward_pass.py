"""The figures of notebooks/01_forward_pass: neuron, activations, layers, a digit's way, losses."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from amaas_kit.network import ACTIVATIONS, Dense, Elementwise, Network
from amaas_kit.session import COLOURS

UNITS_SHOWN = 9
"""So many units of a layer are drawn as circles; of more, the middle is left out."""

LARGE = (1_000_000, 10_000_000)
"""From how many parameters on a model is called large: the article names both."""


def draw_layers(net: Network) -> Figure:
    """A network as columns of units, with the shape and number of the parameters between them.

    Args:
        net: the network; its layers are read, not run.

    Taught in: notebooks/01_forward_pass, The idea in one picture.
    """
    figure, axis = plt.subplots(figsize=(8.2, 3.9), layout="constrained")
    axis.set_axis_off()
    columns = [_heights(size) for size in net.sizes]
    for i, (before, after) in enumerate(pairwise(columns)):
        for height in before:
            axis.plot(
                [[i] * len(after), [i + 1] * len(after)],
                [[height] * len(after), after],
                color="grey", linewidth=0.3, zorder=1,
            )  # fmt: skip
    for i, (size, heights) in enumerate(zip(net.sizes, columns, strict=True)):
        colour = COLOURS[1] if i == 0 else COLOURS[0]
        axis.scatter([i] * len(heights), heights, s=90, color=colour, zorder=2)
        if size > UNITS_SHOWN:
            axis.text(
                i, 0, "...", ha="center", va="center", rotation=90, fontsize=13,
                bbox={"facecolor": "white", "edgecolor": "none", "pad": 1}, zorder=3,
            )  # fmt: skip
        name = "input" if i == 0 else f"layer {i}: {net.activations[i - 1]}"
        axis.text(i, 5.1, f"{size} numbers\n{name}", ha="center", va="bottom")
    for i, layer in enumerate(net.layers):
        inputs, units = layer.w.shape
        axis.text(
            i + 0.5,
            -5.1,
            f"w{i}: {inputs} x {units}\nb{i}: {units}\n{layer.w.size + units:,} parameters",
            ha="center",
            va="top",
        )
    axis.set_xlim(-0.4, len(net.layers) + 0.4)
    axis.set_ylim(-7.6, 6.8)
    return figure


def draw_neuron(
    w: npt.ArrayLike, b: float, activation: str = "sigmoid", limit: float = 3.0
) -> Figure:
    """What a neuron of two inputs answers, for every pair of inputs between -limit and limit.

    Args:
        w: its two weights.
        b: its bias.
        activation: name of its activation.
        limit: where the map ends, in both directions.

    Taught in: notebooks/01_forward_pass, A neuron.
    """
    weights = np.asarray(w, "float64").reshape(2, 1)
    neuron = Dense(weights, np.array([float(b)]), activation)
    ticks = np.linspace(-limit, limit, 121)
    x1, x2 = np.meshgrid(ticks, ticks)
    x = np.column_stack([x1.ravel(), x2.ravel()])
    figure, axis = plt.subplots(figsize=(5.4, 4.2), layout="constrained")
    answers = axis.pcolormesh(x1, x2, neuron.forward(x).reshape(x1.shape), cmap="cividis")
    figure.colorbar(answers, label=f"a = {activation}(z)")
    z = neuron.weighted_sums(x).reshape(x1.shape)
    if z.min() < 0 < z.max():
        axis.contour(x1, x2, z, levels=[0.0], colors="white", linewidths=2)
        edge = -b * weights[:, 0] / (weights[:, 0] @ weights[:, 0])
        tip = edge + weights[:, 0] / np.linalg.norm(weights)
        axis.annotate(
            "", xy=(tip[0], tip[1]), xytext=(edge[0], edge[1]),
            arrowprops={"arrowstyle": "-|>", "color": COLOURS[1], "linewidth": 2.5},
        )  # fmt: skip
    axis.set(xlabel="x1", ylabel="x2", aspect="equal")
    axis.grid(visible=False)
    return figure


def draw_activations(names: Sequence[str] | None = None, limit: float = 4.0) -> Figure:
    """Activations as solid lines, and their derivatives as dashed ones.

    Args:
        names: which; by default all that work on each number alone.
        limit: z from -limit to limit.

    Taught in: notebooks/01_forward_pass, Activations.
    """
    elementwise = {name: f for name, f in ACTIVATIONS.items() if isinstance(f, Elementwise)}
    chosen = {name: elementwise[name] for name in names or elementwise}
    columns = min(4, len(chosen))
    rows = math.ceil(len(chosen) / columns)
    figure, axes = plt.subplots(
        rows, columns, figsize=(2.2 * columns, 2.1 * rows + 0.5),
        sharex=True, sharey=True, squeeze=False, layout="constrained",
    )  # fmt: skip
    z = np.linspace(-limit, limit, 401)
    for axis, (name, f) in zip(axes.flat, chosen.items(), strict=False):
        axis.plot(z, f.value(z), label="a = f(z)")
        axis.plot(z, f.derivative(z), "--", label="slope f'(z)")
        axis.set(title=name, ylim=(-2.2, 4.2), xticks=[-4, -2, 0, 2, 4])
    for axis in axes.flat[len(chosen) :]:
        axis.set_axis_off()
    for i, axis in enumerate(axes.flat[: len(chosen)]):
        if i + columns >= len(chosen):
            axis.set_xlabel("z")
            axis.tick_params(labelbottom=True)
    figure.legend(*axes[0, 0].get_legend_handles_labels(), ncols=2, loc="outside upper center")
    return figure


def draw_journey(net: Network, x: npt.ArrayLike, title: str = "") -> Figure:
    """One image on its way through a network: the pixels, what each layer made, the last numbers.

    Args:
        net: a network whose input is a square image, as 64 numbers are 8 x 8.
        x: one row, of shape (d,).
        title: over the image.

    Taught in: notebooks/01_forward_pass, A digit on its way through the layers.
    """
    steps = net.trace(np.asarray(x)[None, :])
    side = math.isqrt(net.sizes[0])
    widths = [1.0, *(max(0.8, _grid(step.a[0]).shape[1] / 8) for step in steps[:-1]), 1.5]
    figure, axes = plt.subplots(
        1, len(widths), figsize=(2.1 * sum(widths), 2.8), width_ratios=widths, layout="constrained"
    )
    axes[0].imshow(steps[0].x[0].reshape(side, side), vmin=0)
    _bare(axes[0], title or "input", f"{net.sizes[0]} pixels")
    for i, (axis, step) in enumerate(zip(axes[1:-1], steps, strict=False), start=1):
        image = axis.imshow(_grid(step.a[0]), cmap="cividis")
        _bare(axis, f"layer {i}: {net.activations[i - 1]}", f"{step.a.shape[1]} units")
        figure.colorbar(image, ax=axis, shrink=0.75)
    outputs = steps[-1].a[0]
    places = np.arange(len(outputs))
    colours = [COLOURS[1] if place == outputs.argmax() else COLOURS[0] for place in places]
    axes[-1].barh(places, outputs, color=colours)
    axes[-1].axvline(0, color="black", linewidth=0.8)
    axes[-1].set(
        title=f"layer {len(steps)}: {net.activations[-1]}", xlabel="a", ylabel="unit",
        yticks=places,
    )  # fmt: skip
    axes[-1].invert_yaxis()
    return figure


def draw_losses() -> Figure:
    """What an answer costs by the probability that it gave to the truth, by two losses.

    Taught in: notebooks/01_forward_pass, The loss.
    """
    figure, axis = plt.subplots(layout="constrained")
    p = np.linspace(0.005, 1, 400)
    axis.plot(p, -np.log(p), label="cross-entropy: -log p")
    axis.plot(p, (1 - p) ** 2, "--", label="squared error: (1 - p)^2")
    axis.plot(0.1, -np.log(0.1), "o", color=COLOURS[0])
    axis.annotate(
        "ten classes, no idea: -log 0.1", (0.1, -np.log(0.1)), (0.2, 3.0),
        arrowprops={"arrowstyle": "-", "color": "grey"},
    )  # fmt: skip
    axis.set(xlabel="p, the probability given to the true class", ylabel="loss of this row")
    axis.legend()
    return figure


def draw_sizes(models: Mapping[str, int], ours: Sequence[str] = ()) -> Figure:
    """Models by their number of parameters, beside the two marks from which one is called large.

    Args:
        models: parameters by the model's name.
        ours: names to draw in a colour of their own.

    Taught in: notebooks/01_forward_pass, When is a model large.
    """
    figure, axis = plt.subplots(figsize=(7.4, 0.36 * len(models) + 1.1), layout="constrained")
    counts = list(models.values())
    colours = [COLOURS[1] if name in ours else COLOURS[0] for name in models]
    bars = axis.barh(list(models), counts, color=colours)
    for mark, side in zip(LARGE, ("right", "left"), strict=True):
        axis.axvline(mark, color="black", linestyle="--", linewidth=1)
        axis.text(
            mark, 1.01, _in_words(mark), ha=side, va="bottom", fontsize=9,
            transform=axis.get_xaxis_transform(),
        )  # fmt: skip
    for label in axis.bar_label(bars, list(map(_in_words, counts)), padding=5, fontsize=9):
        label.set_bbox({"facecolor": "white", "edgecolor": "none", "pad": 1})
    axis.set(xscale="log", xlabel="parameters", xlim=(min(counts) / 5, max(counts) * 60))
    axis.invert_yaxis()
    axis.grid(visible=False, axis="y")
    return figure


def _heights(units: int) -> list[float]:
    """Where the circles of a layer stand, from the top; the middle is left out of many units."""
    shown = min(units, UNITS_SHOWN)
    heights = [(shown - 1) / 2 - i for i in range(shown)]
    if units > UNITS_SHOWN:
        heights.remove(0.0)
    return heights


def _grid(a: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Units in rows of eight or, of more than 64, sixteen; places without a unit are NaN."""
    columns = 8 if len(a) <= 64 else 16
    rows = math.ceil(len(a) / columns)
    grid = np.full(rows * columns, np.nan)
    grid[: len(a)] = a
    return grid.reshape(rows, columns)


def _bare(axis: Axes, title: str, below: str) -> None:
    axis.set(title=title, xlabel=below, xticks=[], yticks=[])
    axis.grid(visible=False)
    axis.spines[:].set_visible(True)


def _in_words(count: int) -> str:
    for name, size in (("billion", 10**9), ("million", 10**6)):
        if count >= size:
            return f"{count / size:.4g} {name}"
    return f"{count:,}"
