"""What notebooks/04_first_network shows: losses, starts, sheets, mistakes, sizes, the monitor."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import NullFormatter

from amaas_kit.session import COLOURS
from amaas_kit.views.curves import curve_style
from amaas_kit.views.training_monitor import TrainingMonitor

__all__ = [
    "TrainingMonitor",
    "draw_confusion",
    "draw_leakage",
    "draw_mistakes",
    "draw_sheets",
    "draw_sizes",
    "draw_starts",
    "draw_training",
]


PARTS = ("training", "validation", "test")

LARGE = 1_000_000
"""From how many parameters on the article calls a model large, by the lower of its two measures."""

MOST_CLASSES = 30
"""In a table of more classes, numbers cannot be read."""


def draw_training(
    curves: Mapping[str, Sequence[float]], baseline: float, baseline_name: str
) -> Figure:
    """The loss of each epoch, a curve a run, against a trivial baseline.

    Args:
        curves: losses of epoch 0, 1, 2, …, by the name of the run.
        baseline: a loss that is reached without learning.
        baseline_name: how it is reached.

    Taught in: notebooks/04_first_network, Fault 8: weights drawn too large.
    """
    figure, axis = plt.subplots(figsize=(6.4, 3.8), layout="constrained")
    for i, (name, losses) in enumerate(curves.items()):
        axis.plot(
            range(len(losses)), losses, **curve_style(i), label=name,
            markevery=max(1, len(losses) // 10),
        )  # fmt: skip
    axis.axhline(baseline, color="black", linewidth=0.9, linestyle=":", label=baseline_name)
    axis.set(xlabel="epoch", ylabel="loss", yscale="log")
    axis.legend()
    return figure


def draw_starts(losses: Mapping[str, npt.ArrayLike], baseline: float) -> Figure:
    """The final losses of many runs from different random starts, sorted, a curve a way to start.

    Args:
        losses: final loss of each run, by the way to start.
        baseline: the loss of always answering the mean.

    Taught in: notebooks/04_first_network, How often.
    """
    figure, axis = plt.subplots(figsize=(6.4, 3.8), layout="constrained")
    for i, (name, values) in enumerate(losses.items()):
        ordered = np.sort(np.asarray(values))
        numbers = np.arange(1, len(ordered) + 1)
        axis.plot(numbers, ordered, **curve_style(i), linestyle="", markersize=3.5, label=name)
    axis.axhline(baseline, color="black", linewidth=0.9, linestyle=":", label="always the mean")
    axis.set(xlabel="random starts, best first", ylabel="loss at the end", yscale="log")
    axis.legend(loc="lower right")
    return figure


def draw_sheets(
    divisions: Mapping[str, Sequence[npt.ArrayLike]], starts: Sequence[int], rows: int
) -> Figure:
    """Which rows of the file each part got, with the borders between the writers' sheets.

    Args:
        divisions: row numbers of training, validation and test, by the name of the division.
        starts: the first row of each sheet.
        rows: how many rows there are.

    Taught in: notebooks/04_first_network, Split without leakage.
    """
    figure, axes = plt.subplots(
        len(divisions), 1, figsize=(8.0, 1.0 + 1.0 * len(divisions)),
        sharex=True, squeeze=False, layout="constrained",
    )  # fmt: skip
    for axis, (name, parts) in zip(axes[:, 0], divisions.items(), strict=True):
        for part, numbers, colour in zip(PARTS, parts, COLOURS, strict=False):
            at = np.asarray(numbers)
            axis.vlines(at, 0, 1, color=colour, linewidth=0.6, label=part, zorder=1)
        for border in starts[1:]:
            axis.axvline(border - 0.5, color="white", linewidth=2.5, zorder=2)
        axis.set(title=name, yticks=[], ylim=(0, 1), xlim=(-0.5, rows - 0.5))
        axis.grid(visible=False)
        axis.spines["left"].set_visible(False)
    centres = [(a + b) / 2 for a, b in pairwise([*starts, rows])]
    axes[-1, 0].set_xticks(centres, [str(number) for number in range(1, len(starts) + 1)])
    axes[-1, 0].tick_params(axis="x", length=0)
    axes[-1, 0].set_xlabel("sheet of the file")
    handles = [Line2D([], [], color=colour, linewidth=6) for colour in COLOURS[: len(PARTS)]]
    figure.legend(handles, PARTS, loc="outside upper center", ncols=len(PARTS))
    return figure


def draw_leakage(scores: Mapping[str, npt.ArrayLike]) -> Figure:
    """Test accuracies of several seeds, a column a way to split, with the median of each.

    Args:
        scores: test accuracy of each seed, by the way to split.

    Taught in: notebooks/04_first_network, Split without leakage.
    """
    figure, axis = plt.subplots(figsize=(5.6, 3.8), layout="constrained")
    for i, (name, values) in enumerate(scores.items()):
        accuracies = np.asarray(values)
        places = i + np.linspace(-0.15, 0.15, len(accuracies))
        axis.plot(places, accuracies, **curve_style(i), linestyle="", alpha=0.8, label=name)
        middle = float(np.median(accuracies))
        axis.plot([i - 0.25, i + 0.25], [middle] * 2, color="black", linewidth=1.5)
        axis.annotate(f"median {middle:.3f}", (i + 0.27, middle), va="center")
    axis.set_xticks(range(len(scores)), list(scores))
    axis.set(ylabel="test accuracy", xlim=(-0.5, len(scores) - 0.2))
    return figure


def draw_confusion(counts: npt.ArrayLike, labels: Sequence[str | int]) -> Figure:
    """How often each class was answered with each: the truth down, the answer across.

    Args:
        counts: whole numbers (classes, classes); row: truth, column: answer.
        labels: the names of the classes; of more than 30 classes, colours stand for the counts.

    Taught in: notebooks/04_first_network, A confusion matrix.
    """
    table = np.asarray(counts)
    off = table.copy()
    np.fill_diagonal(off, 0)
    figure, axis = plt.subplots(figsize=(5.4, 4.9), layout="constrained")
    axis.imshow(off, cmap="Oranges", vmin=0, vmax=max(1, 1.4 * off.max()))
    if len(table) <= MOST_CLASSES:
        _write_counts(axis, table)
        names = [str(label) for label in labels]
        axis.set_xticks(range(len(names)), names)
        axis.set_yticks(range(len(names)), names)
    axis.set(xlabel="answer", ylabel="truth")
    axis.grid(visible=False)
    return figure


def _write_counts(axis: Axes, table: npt.NDArray[Any]) -> None:
    for (truth, answer), count in np.ndenumerate(table):
        if count:
            weight = "normal" if truth == answer else "bold"
            axis.text(answer, truth, str(count), ha="center", va="center", weight=weight)


def draw_mistakes(
    images: npt.ArrayLike,
    truth: Sequence[Any] | npt.NDArray[Any],
    answers: Sequence[Any] | npt.NDArray[Any],
    certainty: npt.ArrayLike,
    columns: int = 6,
) -> Figure:
    """Images that were answered wrong, with the truth, the answer and its probability.

    Args:
        images: (n, height, width), drawn dark where the number is large.
        truth: (n,) the right classes.
        answers: (n,) what the network said.
        certainty: (n,) the probability that it gave to its answer.
        columns: images a line.

    Taught in: notebooks/04_first_network, Look at the mistakes.
    """
    pictures, shares = np.asarray(images), np.asarray(certainty)
    lines = max(1, -(-len(pictures) // columns))
    figure, axes = plt.subplots(
        lines, columns, figsize=(1.45 * columns, 1.9 * lines), squeeze=False, layout="constrained"
    )
    for axis in axes.flat:
        axis.set_axis_off()
    shown = zip(axes.flat, pictures, truth, answers, shares, strict=False)
    for axis, picture, right, said, share in shown:
        axis.imshow(picture, cmap="gray_r")
        axis.set_title(f"is {right}, said {said}\nat {share:.0%}", fontsize=9)
    return figure


def draw_sizes(
    parameters: Sequence[int],
    accuracies: npt.ArrayLike,
    seconds: npt.ArrayLike,
    sizes_in_bytes: Sequence[int],
    baseline: float,
    baseline_name: str,
) -> Figure:
    """What more parameters buy and what they cost: accuracy, training time and bytes.

    Args:
        parameters: of each network, ascending.
        accuracies: (networks, splits) test accuracy of each run.
        seconds: (networks, splits) training time of each run.
        sizes_in_bytes: bytes of each network's parameters.
        baseline: an accuracy that is reached without a network.
        baseline_name: how it is reached.

    Taught in: notebooks/04_first_network, Size against accuracy.
    """
    figure, axes = plt.subplots(1, 3, figsize=(11.0, 3.6), layout="constrained")
    _draw_runs(axes[0], parameters, np.asarray(accuracies))
    axes[0].axhline(baseline, color="black", linewidth=0.9, linestyle="--", label=baseline_name)
    axes[0].set(ylabel="test accuracy")
    _draw_runs(axes[1], parameters, np.asarray(seconds))
    axes[1].set(ylabel="seconds of training", yscale="log")
    axes[2].plot(parameters, sizes_in_bytes, "o-", color=COLOURS[0])
    axes[2].set(ylabel="bytes of parameters", yscale="log")
    for axis in axes:
        axis.axvline(LARGE, color="black", linewidth=0.9, linestyle=":", label='"large"')
        axis.set(xlabel="parameters", xscale="log")
        axis.yaxis.set_minor_formatter(NullFormatter())
    figure.legend(*axes[0].get_legend_handles_labels(), ncols=4, loc="outside upper center")
    return figure


def _draw_runs(axis: Axes, parameters: Sequence[int], values: npt.NDArray[Any]) -> None:
    """A thin line a split, and a thick one through the means."""
    for i, column in enumerate(values.T):
        axis.plot(
            parameters, column, "o-", color=COLOURS[5], markersize=4, linewidth=0.8,
            label="one split" if i == 0 else None,
        )  # fmt: skip
    axis.plot(parameters, values.mean(axis=1), "s-", color=COLOURS[0], linewidth=2.2, label="mean")
