"""What notebooks/01_forward_pass shows: a network, neuron, activations, a digit's way, losses."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise

import numpy as np
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

from amaas_kit.errors import NetworkError
from amaas_kit.network import Network
from amaas_kit.session import COLOURS
from amaas_kit.views.journey import JourneyExplorer, draw_journey
from amaas_kit.views.neuron import NeuronExplorer, draw_neuron, elementwise

__all__ = [
    "JourneyExplorer",
    "NeuronExplorer",
    "draw_activations",
    "draw_journey",
    "draw_layers",
    "draw_losses",
    "draw_neuron",
    "draw_sizes",
]

UNITS_SHOWN = 9
"""So many units of a layer are drawn as circles; of more, the middle is left out."""

LARGE = (1_000_000, 10_000_000)
"""From how many parameters on a model is called large: the article names both."""


def draw_layers(net: Network) -> Figure:
    """A network as columns of units, with the shapes of the parameters between them.

    Layers are numbered as their parameters are: layer 0 has w0 and b0.

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
        name = "input" if i == 0 else f"layer {i - 1}: {net.activations[i - 1]}"
        axis.text(i, 5.1, f"{size} numbers\n{name}", ha="center", va="bottom")
    for i, layer in enumerate(net.layers):
        inputs, units = layer.w.shape
        axis.text(
            i + 0.5,
            -5.1,
            f"w{i}: {inputs} x {units}\nb{i}: {units}",
            ha="center",
            va="top",
        )
    axis.set_xlim(-0.4, len(net.layers) + 0.4)
    axis.set_ylim(-6.8, 6.8)
    return figure


def draw_activations(names: Sequence[str] | None = None, limit: float = 4.0) -> Figure:
    """Activations as solid lines, and their derivatives as dashed ones.

    Args:
        names: which; by default all that work on each number alone.
        limit: z from -limit to limit.

    Raises:
        NetworkError: a name that is not known.

    Taught in: notebooks/01_forward_pass, Activations.
    """
    known = elementwise()
    unknown = set(names or ()) - set(known)
    if unknown:
        raise NetworkError(
            situation="While drawing activations",
            seen=f"names={list(names or ())}",
            wrong="some of them do not work on each number alone, or are not known",
            fix=f"choose from: {', '.join(known)}",
        )
    chosen = {name: known[name] for name in names or known}
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


def _in_words(count: int) -> str:
    for name, size in (("billion", 10**9), ("million", 10**6)):
        if count >= size:
            return f"{count / size:.4g} {name}"
    return f"{count:,}"
