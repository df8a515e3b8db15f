"""The figures of notebooks/11_package_and_serve: a request's way, answers, waits, values."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from amaas_kit.serving import Contract, Prediction
from amaas_kit.session import COLOURS

STATIONS = ("any\nprogram", "guard", "BentoML", "model")
"""What a request meets on its way, from left to right."""


def draw_request(contract: Contract) -> Figure:
    """The way of a request to the model and back, and the shorter way of one that is refused.

    Args:
        contract: what the guard goes by; its numbers are written beneath it.

    Taught in: notebooks/11_package_and_serve, The idea in one picture.
    """
    figure, axis = plt.subplots(figsize=(8.6, 2.9), layout="constrained")
    axis.set_axis_off()
    axis.set(xlim=(-0.6, 3.4), ylim=(-1.3, 0.95))
    axis.fill_between([0.62, 3.38], -1.25, 0.9, color=COLOURS[5], alpha=0.12, linewidth=0)
    axis.text(2.0, 0.78, "the server, at one port", ha="center", va="top")
    for place, name in enumerate(STATIONS):
        axis.text(
            place, 0, name, ha="center", va="center",
            bbox={"facecolor": "white", "edgecolor": COLOURS[0], "boxstyle": "round,pad=0.6"},
        )  # fmt: skip
    for start, end in ((0.3, 0.82), (1.18, 1.78), (2.23, 2.82)):
        _arrow(axis, start, end, 0.1, COLOURS[0])
        _arrow(axis, end, start, -0.1, COLOURS[2])
    axis.text(1.48, 0.18, "rows", ha="center", va="bottom", color=COLOURS[0], fontsize=9)
    axis.text(1.48, -0.18, "answer", ha="center", va="top", color=COLOURS[2], fontsize=9)
    axis.annotate(
        "", xy=(0, -0.36), xytext=(0.93, -0.3),
        arrowprops={
            "arrowstyle": "-|>", "color": COLOURS[1], "connectionstyle": "arc3,rad=-0.45",
            "linewidth": 1.6,
        },
    )  # fmt: skip
    axis.text(0.0, -0.8, "400: error and fix", ha="center", va="top", color=COLOURS[1], fontsize=9)
    axis.text(1.05, -0.48, _rules(contract), ha="left", va="top", fontsize=9)
    return figure


def draw_answers(x: npt.ArrayLike, answer: Prediction, truth: npt.ArrayLike) -> Figure:
    """Digits that were asked about, each above the probabilities of its answer.

    Args:
        x: (n, 64) pixels.
        answer: what the service said of them.
        truth: (n,) what the digits are.

    Taught in: notebooks/11_package_and_serve, Ask from another process.
    """
    images, y = np.asarray(x), np.asarray(truth)
    p = np.asarray(answer.probabilities)
    figure, axes = plt.subplots(
        2, len(images), figsize=(1.45 * len(images), 3.3), height_ratios=(1, 1.1),
        sharey="row", squeeze=False, layout="constrained",
    )  # fmt: skip
    for i, (image, bars) in enumerate(axes.T):
        label = int(p[i].argmax())
        image.imshow(images[i].reshape(8, 8), vmin=0, vmax=1)
        image.set(title=f"answer {label}\ntruth {y[i]}", xticks=[], yticks=[])
        image.grid(visible=False)
        image.spines[:].set_visible(True)
        colours = [COLOURS[1] if j == label else COLOURS[0] for j in range(p.shape[1])]
        bars.bar(range(p.shape[1]), p[i], color=colours)
        bars.set(xticks=range(0, p.shape[1], 2), ylim=(0, 1), xlabel="digit")
    axes[1, 0].set_ylabel("probability")
    return figure


def draw_waits(
    one_row_ms: npt.ArrayLike, many_rows_ms: float, rows: int, network_ms: float
) -> Figure:
    """How long each of many requests took, beside one request of many rows and the network alone.

    Args:
        one_row_ms: milliseconds of each request of one row, in their order.
        many_rows_ms: of one request with `rows` rows.
        rows: how many.
        network_ms: of the network for one row, without a service.

    Taught in: notebooks/11_package_and_serve, How long an answer takes.
    """
    waits = np.asarray(one_row_ms, "float64")
    figure, axis = plt.subplots(figsize=(7.4, 3.4), layout="constrained")
    axis.plot(range(1, len(waits) + 1), waits, "o", markersize=4, label="one row a request")
    lines = (
        (float(np.median(waits)), "-", COLOURS[0], "their median"),
        (many_rows_ms, "--", COLOURS[1], f"one request of {rows} rows"),
        (network_ms, ":", COLOURS[2], "the network alone, one row"),
    )
    for height, style, colour, label in lines:
        axis.axhline(height, linestyle=style, color=colour, label=label)
    axis.set(xlabel="request", ylabel="milliseconds", yscale="log", xlim=(0, len(waits) + 1))
    axis.yaxis.set_major_formatter("{x:g}")
    figure.legend(ncols=2, loc="outside upper center", frameon=False)
    return figure


def draw_values(values: npt.ArrayLike, truth: npt.ArrayLike) -> Figure:
    """Values that a regression answered, against what they should have been.

    Args:
        values: (n,) the answers.
        truth: (n,) the values of the data.

    Taught in: notebooks/11_package_and_serve, The same for values.
    """
    answered, y = np.asarray(values, "float64"), np.asarray(truth, "float64")
    figure, axis = plt.subplots(figsize=(4.6, 3.8), layout="constrained")
    ends = [min(y.min(), answered.min()), max(y.max(), answered.max())]
    axis.plot(ends, ends, color="grey", linewidth=1, label="exactly right")
    axis.axhline(y.mean(), linestyle="--", color=COLOURS[1], label="always the mean")
    axis.plot(y, answered, "o", color=COLOURS[0], label="the service")
    axis.set(xlabel="truth", ylabel="answer")
    axis.legend()
    return figure


def _arrow(axis: Axes, start: float, end: float, height: float, colour: str) -> None:
    axis.annotate(
        "", xy=(end, height), xytext=(start, height),
        arrowprops={"arrowstyle": "-|>", "color": colour, "linewidth": 1.6},
    )  # fmt: skip


def _rules(contract: Contract) -> str:
    """What a contract asks of a request, a line each."""
    low, high = contract.minimum, contract.maximum
    if low is None:
        limits = "of any size" if high is None else f"up to {high:g}"
    else:
        limits = f"from {low:g} on" if high is None else f"from {low:g} to {high:g}"
    return "\n".join(
        [
            "the contract:",
            f"{contract.features} numbers a row, {limits},",
            f"1 to {contract.max_rows:,} rows, nothing else",
        ]
    )
