"""What notebooks/00_start_here shows: the way to a service, digits, an answer, a pad, findings."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy.typing as npt
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from amaas_kit.data import Dataset
from amaas_kit.session import COLOURS
from amaas_kit.views.digit_pad import (
    DigitPad,
    draw_drawing,
    draw_image,
    draw_probabilities,
)

if TYPE_CHECKING:
    from amaas_kit.doctor import Finding

__all__ = ["DigitPad", "draw_answer", "draw_arc", "draw_digits", "draw_drawing", "draw_findings"]

STEPS = (
    ("Load", "real digits"),
    ("Train", "a network"),
    ("Evaluate", "unseen digits"),
    ("Package", "a Bento"),
    ("Serve", "a process"),
    ("Ask", "any program"),
)
"""The headings of the lesson, and what each makes or works on."""

PARTS = (("1. train and build", 0, 2), ("2. deploy", 3, 4), ("3. one interface", 5, 5))
"""The article's steps, each from one of `STEPS` to another."""

MARKS = {"ok": ("o", COLOURS[2]), "note": ("s", COLOURS[4]), "problem": ("X", COLOURS[1])}
"""Shape and colour of a finding by its status."""

FINDING_COLUMNS = 4


def draw_arc() -> Figure:
    """The way of this lesson, from data to an answer, with the article's four steps around it.

    Taught in: notebooks/00_start_here, What AMaaS is.
    """
    figure, axis = plt.subplots(figsize=(9.0, 2.5), layout="constrained")
    axis.set_axis_off()
    axis.set(xlim=(-0.55, len(STEPS) - 0.45), ylim=(-1.4, 1.4))
    for i, (name, what) in enumerate(STEPS):
        axis.text(
            i, 0, f"{name}\n{what}", ha="center", va="center", fontsize=9.5,
            bbox={"facecolor": "white", "edgecolor": COLOURS[0], "boxstyle": "round,pad=0.45"},
        )  # fmt: skip
        if i:
            axis.annotate(
                "", xy=(i, 0), xytext=(i - 1, 0), zorder=0,
                arrowprops={"arrowstyle": "-|>", "color": "grey", "shrinkA": 36, "shrinkB": 38},
            )  # fmt: skip
    for name, first, last in PARTS:
        axis.plot([first - 0.45, last + 0.45], [0.75, 0.75], color=COLOURS[1], linewidth=2)
        axis.text((first + last) / 2, 0.85, name, color=COLOURS[1], ha="center", va="bottom")
    axis.plot([2.55, len(STEPS) - 0.55], [-0.75, -0.75], color=COLOURS[2], linewidth=2)
    axis.text(4, -0.9, "4. monitor and manage", color=COLOURS[2], ha="center", va="top")
    return figure


def draw_digits(data: Dataset, count: int = 10) -> Figure:
    """The first digits of a data set, each with its label above it.

    Args:
        data: rows of 64 pixels.
        count: how many, at least one; fewer where there are fewer rows.

    Taught in: notebooks/00_start_here, Load.
    """
    count = max(1, min(count, data.rows))
    figure, axes = plt.subplots(
        1, count, figsize=(0.85 * count, 1.25), squeeze=False, layout="constrained"
    )
    for axis, x, y in zip(axes[0], data.x, data.y, strict=False):
        _draw_framed(axis, x, str(y))
    return figure


def draw_answer(x: npt.ArrayLike, probabilities: npt.ArrayLike) -> Figure:
    """A digit that was asked about, and the probability that the answer gives to each class.

    Args:
        x: the 64 pixels.
        probabilities: (10,), one a class.

    Taught in: notebooks/00_start_here, Ask.
    """
    figure, (image, bars) = plt.subplots(
        1, 2, figsize=(6.4, 2.6), width_ratios=(1, 2), layout="constrained"
    )
    _draw_framed(image, x, "asked")
    draw_probabilities(bars, probabilities)
    bars.set_title("answered")
    return figure


def _draw_framed(axis: Axes, x: npt.ArrayLike, title: str) -> None:
    draw_image(axis, x)
    axis.set_title(title)
    axis.grid(visible=False)
    axis.spines[:].set_visible(True)


def draw_findings(findings: Sequence[Finding]) -> Figure:
    """What the doctor looked at: a mark for each finding, by its status.

    Args:
        findings: what `amaas_kit.doctor.examine` returned.

    Taught in: notebooks/00_start_here, Is this machine ready.
    """
    rows = math.ceil(len(findings) / FINDING_COLUMNS)
    figure, axis = plt.subplots(figsize=(9.2, 2.8), layout="constrained")
    axis.set_axis_off()
    axis.set(xlim=(-0.1, FINDING_COLUMNS), ylim=(rows - 0.4, -0.6))
    for status, (mark, colour) in MARKS.items():
        places = [divmod(i, rows) for i, one in enumerate(findings) if one.status == status]
        axis.scatter(
            [column for column, _ in places], [row for _, row in places],
            marker=mark, color=colour, s=45, label=f"{status}: {len(places)}",
        )  # fmt: skip
    for i, finding in enumerate(findings):
        column, row = divmod(i, rows)
        axis.text(column + 0.07, row, finding.name, va="center", fontsize=9)
    figure.legend(ncols=len(MARKS), loc="outside upper left", frameon=False)
    return figure
