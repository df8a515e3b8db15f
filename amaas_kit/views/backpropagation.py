"""What notebooks/02_backpropagation shows: slopes, graphs step by step, errors, sizes, one step."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import cycle
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from amaas_kit.errors import NetworkError
from amaas_kit.network import ACTIVATIONS, Network
from amaas_kit.session import COLOURS
from amaas_kit.views.graph_stepper import BACKWARD, FORWARD, GraphStepper, draw_graph, lesson_graphs

__all__ = [
    "GraphStepper",
    "draw_directions",
    "draw_gradient_sizes",
    "draw_graph",
    "draw_passes",
    "draw_relu_mask",
    "draw_slope",
    "draw_step_errors",
    "lesson_graphs",
]


MOST_CELLS = 100
"""A table of more numbers cannot be read."""

LINES = ("o-", "s--", "^:", "d-.")
"""One a curve, so that curves can be told apart without colour."""


def draw_slope(f: Callable[[Any], Any], at: float, step: float) -> Figure:
    """A curve, and the straight line through two of its points that are a step apart.

    Args:
        f: a function of one number that takes arrays as well.
        at: the first point.
        step: to the second one.

    Taught in: notebooks/02_backpropagation, Ten minutes on the chain rule.
    """
    x = np.linspace(at - 2, at + 2.5, 200)
    rise = f(at + step) - f(at)
    figure, axis = plt.subplots(figsize=(6.0, 3.6), layout="constrained")
    axis.plot(x, np.broadcast_to(f(x), x.shape), color=FORWARD, label="f(x)")
    axis.plot(x, f(at) + rise / step * (x - at), "--", color=BACKWARD, label="line of that slope")
    axis.plot([at, at + step, at + step], [f(at), f(at), f(at + step)], "k-", linewidth=1)
    axis.plot([at, at + step], [f(at), f(at + step)], "o", color=FORWARD)
    axis.annotate(
        f"step {step:g}", (at + step / 2, f(at)), (0, -6), textcoords="offset points",
        ha="center", va="top",
    )  # fmt: skip
    axis.annotate(
        f"rise {rise:g}", (at + step, f(at) + rise / 2), (6, 0), textcoords="offset points",
        va="center",
    )  # fmt: skip
    axis.set(xlabel="x", ylabel="f(x)", title=f"slope = rise / step = {rise / step:g}")
    axis.legend(loc="upper left")
    return figure


def draw_passes(net: Network, rows: int) -> Figure:
    """What flows forwards through a network, and the gradients of the same shapes that flow back.

    Args:
        net: the network; it is read, not run.
        rows: of the batch.

    Taught in: notebooks/02_backpropagation, The idea in one picture.
    """
    count = len(net.layers)
    figure, axis = plt.subplots(figsize=(1.85 * (count + 2), 3.6), layout="constrained")
    axis.set_axis_off()
    axis.set(xlim=(-0.5, count + 1.5), ylim=(-0.5, 3.2))
    for i, size in enumerate(net.sizes):
        forwards = "x" if i == 0 else f"a{i - 1}"
        _box(axis, i, 2.5, f"{forwards}\n{rows} x {size}", FORWARD)
        backwards = "not needed" if i == 0 else f"dL/d{forwards}\n{rows} x {size}"
        _box(axis, i, 0.0, backwards, BACKWARD if i else "grey")
    _box(axis, count + 1, 2.5, "loss L\n1 number", FORWARD)
    _box(axis, count + 1, 0.0, "dL/dL\n= 1", BACKWARD)
    for i, layer in enumerate(net.layers):
        inputs, units = layer.w.shape
        _arrow(axis, (i, 2.5), (i + 1, 2.5), FORWARD)
        axis.text(i + 0.5, 1.95, f"w{i}: {inputs} x {units}", color=FORWARD, ha="center")
        axis.text(i + 0.5, 1.6, f"b{i}: {units}", color=FORWARD, ha="center")
        axis.text(i + 0.5, 0.9, f"dw{i}: {inputs} x {units}", color=BACKWARD, ha="center")
        axis.text(i + 0.5, 0.55, f"db{i}: {units}", color=BACKWARD, ha="center")
        if i:
            _arrow(axis, (i + 1, 0.0), (i, 0.0), BACKWARD)
    _arrow(axis, (count, 2.5), (count + 1, 2.5), FORWARD)
    _arrow(axis, (count + 1, 0.0), (count, 0.0), BACKWARD)
    axis.text(-0.4, 3.05, "forward: values, from left to right", color=FORWARD)
    axis.text(-0.4, -0.5, "backward: gradients, from right to left", color=BACKWARD, va="top")
    return figure


def draw_relu_mask(z: npt.ArrayLike, upstream: npt.ArrayLike) -> Figure:
    """ReLU's way back as four tables: z, the upstream gradient, the mask, and what comes through.

    Args:
        z: what went into the ReLU, a few rows and columns.
        upstream: dL/da, of the same shape.

    Raises:
        NetworkError: tables of another shape, or so large that they cannot be read.

    Taught in: notebooks/02_backpropagation, The mask of ReLU.
    """
    z, upstream = np.asarray(z, "float64"), np.asarray(upstream, "float64")
    if z.ndim != 2 or z.shape != upstream.shape or not 1 <= z.size <= MOST_CELLS:
        raise NetworkError(
            situation="While drawing the mask of ReLU",
            seen=f"z of shape {z.shape} and upstream of shape {upstream.shape}",
            wrong=f"four tables of one shape are drawn, of {MOST_CELLS} numbers each at most",
            fix="pass a few rows and columns, for example z[:4, :4] and upstream[:4, :4]",
        )
    relu = ACTIVATIONS["relu"]
    mask = relu.vjp(z, np.ones_like(z))
    tables = {
        "z": z, "upstream dL/da": upstream, "mask f'(z)": mask,
        "dL/dz": relu.vjp(z, upstream),
    }  # fmt: skip
    rows, columns = z.shape
    figure, axes = plt.subplots(
        1, 4, figsize=(2.9 * columns, 0.45 * rows + 0.8), layout="constrained"
    )
    for axis, (name, table) in zip(axes, tables.items(), strict=True):
        axis.imshow(mask, cmap="cividis", alpha=0.35, vmin=0, vmax=1, aspect="auto")
        for (row, column), number in np.ndenumerate(table):
            axis.text(column, row, f"{number + 0.0:g}", ha="center", va="center")
        axis.set(title=name, xticks=[], yticks=[])
        axis.grid(visible=False)
        axis.spines[:].set_visible(True)
    return figure


def draw_step_errors(
    steps: Sequence[float],
    errors: Mapping[str, Sequence[float]],
    marks: Mapping[str, float] | None = None,
) -> Figure:
    """How far difference quotients are from the derivative, by the size of the step.

    Args:
        steps: the steps h.
        errors: by the name of the quotient, one relative error for each step.
        marks: by what to write beside it, a step to mark with a line; in the colours of the curves,
            the first mark in that of the first curve.

    Taught in: notebooks/02_backpropagation, Checking a gradient.
    """
    figure, axis = plt.subplots(figsize=(8.0, 4.4), layout="constrained")
    for (name, curve), style in zip(errors.items(), cycle(LINES), strict=False):
        axis.plot(steps, curve, style, markersize=4, label=name)
    for (name, step), colour in zip((marks or {}).items(), COLOURS, strict=False):
        axis.axvline(step, color=colour, linewidth=1, linestyle=(0, (6, 3)))
        axis.text(
            step, 1.01, name, color=colour, ha="center", va="bottom", fontsize=9,
            transform=axis.get_xaxis_transform(),
        )  # fmt: skip
    axis.set(
        xscale="log", yscale="log", xlabel="step h, smaller to the right", ylabel="relative error"
    )
    axis.invert_xaxis()
    axis.legend()
    return figure


def draw_gradient_sizes(sizes: Mapping[str, Sequence[float]]) -> Figure:
    """How large the gradients of the weights are, layer by layer, for several networks.

    Args:
        sizes: by the name of the network, one size for each layer from the first.

    Taught in: notebooks/02_backpropagation, Vanishing gradients (optional).
    """
    figure, axis = plt.subplots(layout="constrained")
    for (name, curve), style in zip(sizes.items(), cycle(LINES), strict=False):
        axis.plot(range(1, len(curve) + 1), curve, style, markersize=5, label=name)
    axis.set(
        yscale="log", xlabel="layer, from the input (1) to the loss",
        ylabel="size of dw (root mean square)",
    )  # fmt: skip
    axis.legend()
    return figure


def draw_directions(random: Sequence[float], gradient: float) -> Figure:
    """How the loss changes by steps of one length: in random directions, and down the gradient.

    Args:
        random: the change of the loss for each random direction.
        gradient: the change for the step against the gradient.

    Taught in: notebooks/02_backpropagation, One gradient step lowers the loss.
    """
    figure, axis = plt.subplots(figsize=(7.0, 3.2), layout="constrained")
    axis.hist(random, bins=20, label=f"{len(random)} random directions")
    axis.axvline(gradient, color=BACKWARD, linewidth=2.5, label="against the gradient")
    axis.axvline(0, color="black", linewidth=0.8)
    axis.set(xlabel="change of the loss by one step", ylabel="directions")
    axis.legend(loc="upper center")
    return figure


def _box(axis: Axes, x: float, y: float, text: str, colour: str) -> None:
    axis.text(
        x, y, text, ha="center", va="center", color=colour, zorder=3,
        bbox={"facecolor": "white", "edgecolor": colour, "boxstyle": "round,pad=0.4"},
    )  # fmt: skip


def _arrow(axis: Axes, start: tuple[float, float], end: tuple[float, float], colour: str) -> None:
    axis.annotate(
        "", xy=end, xytext=start, zorder=1,
        arrowprops={
            "arrowstyle": "-|>", "color": colour, "linewidth": 1.5, "shrinkA": 34, "shrinkB": 34,
        },
    )  # fmt: skip
