"""The views of notebooks/05_data_partitioning: a plan on a table, sizes of parts, what moves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import ipywidgets
import numpy as np
import numpy.typing as npt
import polars as pl
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.ticker import FuncFormatter, MaxNLocator

from amaas_kit.data.arrays import Array
from amaas_kit.errors import DataError
from amaas_kit.partition import (
    Plan,
    gini_of,
    moved_by_modulo,
    moved_by_rendezvous,
    part_sizes,
    share_moved,
    skew_of,
)
from amaas_kit.partition.cut import fit
from amaas_kit.partition.source import Table, reading
from amaas_kit.partition.trial import METHODS, Trial
from amaas_kit.session import COLOURS
from amaas_kit.views.curves import curve_style
from amaas_kit.views.view import View

TINTS = tuple(tuple(0.45 * c + 0.55 for c in to_rgb(colour)) for colour in COLOURS[:6])
"""Light colours of parts, on which black text can be read."""

CELL = (0.95, 0.27)
"""Width and height of a cell of a drawn table, in inches."""
GAP = 0.5
"""Between two drawn parts, in cells."""

STAYS, LEAVES, COMES = COLOURS[0], COLOURS[4], COLOURS[2]


def draw_plan(plan: Plan, table: Table, columns: Sequence[str], rows: int = 8) -> Figure:
    """The first rows of a table, coloured by the part that a plan puts them in, and these parts.

    Args:
        plan: how the table is cut.
        table: what is cut.
        columns: those that are drawn.
        rows: how many are drawn.

    Raises:
        DataError: the plan does not fit the table, or a column is not there.

    Taught in: notebooks/05_data_partitioning, "The idea in one picture".
    """
    cut = fit(plan, table)
    with reading(table.files):
        head = table.scan().head(rows).collect()
    numbers = cut.part_numbers(head, np.arange(len(head)))
    groups = cut.groups or (tuple(columns),)
    shown = [[name for name in columns if name in group] for group in groups]
    cells = head.select(columns).select(pl.all().map_elements(_short, pl.String))
    own = [next(i for i, group in enumerate(shown) if name in group) for name in columns]
    blocks = len(np.unique(numbers))
    width = len(columns) + 1.6 + sum(map(len, shown)) + GAP * (len(shown) - 1)
    height = len(head) + 2 * blocks + GAP * (blocks - 1) + 0.2
    figure, axis = plt.subplots(figsize=(width * CELL[0], height * CELL[1]))
    figure.subplots_adjust(0, 0, 1, 1)
    axis.set(xlim=(0, width), ylim=(height, 0))
    axis.axis("off")
    top = (height - len(head) - 1) / 2
    _title(axis, 0, top, f"the table, {len(head)} of {table.rows:,} rows")
    colours = np.add.outer(numbers * len(groups), own)
    for i, name in enumerate(columns):
        keyed = cut.groups and name == plan.groups.key if plan.groups else False
        tints = ["white"] * len(head) if keyed else [_tint(part) for part in colours[:, i]]
        _column(axis, i, top, name, cells[name].to_list(), tints)
    _arrow(axis, len(columns), height / 2)
    y = 0.0
    for number in np.unique(numbers):
        inside = np.flatnonzero(numbers == number)
        x = len(columns) + 1.6
        for group, names in enumerate(shown):
            part = int(number) * len(groups) + group
            _title(axis, x, y + 1, f"part {part}{_group_name(plan, group)}")
            for i, name in enumerate(names):
                tints = [_tint(part)] * len(inside)
                _column(axis, x + i, y + 1, name, cells[name][inside].to_list(), tints)
            x += len(names) + GAP
        y += len(inside) + 2 + GAP
    return figure


def _group_name(plan: Plan, group: int) -> str:
    """The name that a group was given, behind a colon."""
    name = plan.groups.groups[group][0] if plan.groups else str(group)
    return "" if name == str(group) else f": {name}"


def _short(value: Any) -> str:
    text = f"{value:.2f}" if isinstance(value, float) else str(value)
    return text if len(text) <= 16 else f"{text[:15]}…"


def _tint(part: int) -> Any:
    return TINTS[int(part) % len(TINTS)]


def _title(axis: Axes, x: float, y: float, words: str) -> None:
    axis.text(x, y - 0.25, words, fontsize=9, weight="bold", va="bottom")


def _column(
    axis: Axes, x: float, y: float, name: str, values: Sequence[str], tints: Sequence[Any]
) -> None:
    """A column of a drawn table: its name, and below it a cell for each value."""
    axis.text(x + 0.5, y + 0.5, name, fontsize=8.5, style="italic", ha="center", va="center")
    for i, (value, tint) in enumerate(zip(values, tints, strict=True), 1):
        axis.add_patch(Rectangle((x, y + i), 1, 1, facecolor=tint, edgecolor="white", lw=1.5))
        axis.text(x + 0.5, y + i + 0.5, value, fontsize=7.5, ha="center", va="center")


def _arrow(axis: Axes, x: float, y: float) -> None:
    axis.annotate(
        "", xy=(x + 1.3, y), xytext=(x + 0.3, y),
        arrowprops={"arrowstyle": "-|>", "color": "black", "linewidth": 2},
    )  # fmt: skip


def draw_sizes(sizes: Mapping[str, npt.ArrayLike], what: str = "rows") -> Figure:
    """The sizes of the parts of some plans, a panel each, with their mean, skew and Gini.

    Args:
        sizes: by a name for each plan, (parts,) the size of each of its parts.
        what: they are counted in.

    Taught in: notebooks/05_data_partitioning, "Skew".
    """
    count = len(sizes)
    figure, axes = plt.subplots(
        1, count, figsize=(2.5 * count, 3.0), sharey=True, squeeze=False, layout="constrained"
    )
    for axis, (name, known) in zip(axes[0], sizes.items(), strict=True):
        values = np.asarray(known)
        axis.bar(np.arange(len(values)), values, color=COLOURS[0])
        axis.axhline(values.mean(), color="black", linewidth=1, linestyle="--")
        facts = f"skew {skew_of(values):.2f}   Gini {gini_of(values):.2f}"
        axis.set_title(f"{name}\n{facts}", fontsize=9)
        axis.set_xlabel("part")
        _whole_ticks(axis)
    axes[0, 0].set_ylabel(what)
    return figure


def draw_moves(
    parts: Sequence[int],
    shares: Mapping[str, npt.ArrayLike],
    theory: Mapping[str, npt.ArrayLike],
    what: str = "rows",
) -> Figure:
    """The share of rows, or of keys, that move when there is one part more, measured and expected.

    Args:
        parts: how many there were before, (n,).
        shares: measured, (n,), by the name of a method.
        theory: expected, (n,), by its formula.
        what: they are shares of.

    Taught in: notebooks/05_data_partitioning, "A part is added".
    """
    figure, axis = plt.subplots(figsize=(6.4, 3.8), layout="constrained")
    for name, expected in theory.items():
        axis.plot(parts, np.asarray(expected), color="grey", linewidth=1, linestyle="--")
        axis.annotate(
            name, (parts[-1], np.asarray(expected)[-1]), xytext=(8, 0),
            textcoords="offset points", va="center", fontsize=9, annotation_clip=False,
        )  # fmt: skip
    for i, (name, measured) in enumerate(shares.items()):
        axis.plot(parts, np.asarray(measured), **curve_style(i), linestyle="", label=name)
    axis.set(xlabel="parts before one is added", ylabel=f"share of {what} that move", ylim=(0, 1))
    axis.xaxis.set_major_locator(MaxNLocator(integer=True))
    axis.legend(loc="center right")
    return figure


def draw_bytes(read: Mapping[str, int | None]) -> Figure:
    """What was read, a bar for each way to ask.

    Args:
        read: bytes, by a name for the way; None where they were not counted.

    Taught in: notebooks/05_data_partitioning, "Only the columns that a question needs".
    """
    figure, axis = plt.subplots(figsize=(6.4, 0.5 * len(read) + 0.9), layout="constrained")
    megabytes = [(count or 0) / 1e6 for count in read.values()]
    bars = axis.barh(list(read), megabytes, color=COLOURS[: len(read)])
    known = [f"{count / 1e6:.1f} MB" if count else "not counted" for count in read.values()]
    axis.bar_label(bars, known, padding=3)
    axis.invert_yaxis()
    axis.set(xlabel="MB read", xlim=(0, 1.2 * max(megabytes) or 1))
    axis.grid(visible=False, axis="y")
    return figure


def _whole_ticks(axis: Axes) -> None:
    axis.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=8))
    axis.yaxis.set_major_locator(MaxNLocator(nbins=5))
    axis.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    axis.grid(visible=False, axis="x")


def draw_trial(trial: Trial, method: str, parts: int) -> Figure:
    """What a method does to some rows: the sizes of the parts, and with one part more.

    Args:
        trial: the rows with their key.
        method: one of `METHODS`.
        parts: how many there are before one is added.

    Raises:
        DataError: a method that cannot cut such keys.

    Taught in: notebooks/05_data_partitioning, "Choose for yourself".
    """
    figure = plt.figure(figsize=PartitionExplorer.SIZE)
    _draw_trial(figure, trial.numbers(method, parts), trial.with_one_more(method, parts), parts)
    return figure


def _draw_trial(figure: Figure, before: Array, after: Array, parts: int) -> None:
    """Two rows of bars in one frame: who leaves on the left, who arrives on the right."""
    axis = figure.add_axes((0.105, 0.14, 0.885, 0.74))
    moved, start = before != after, parts + 1.5
    top = 1.05 * max(1, part_sizes(before, parts).max(), part_sizes(after, parts + 1).max())
    for numbers, x, count, colour in ((before, 0, parts, LEAVES), (after, start, parts + 1, COMES)):
        stay, other = (part_sizes(numbers[which], count) for which in (~moved, moved))
        axis.add_collection(_bars(x, np.zeros(count), stay, STAYS), autolim=False)
        axis.add_collection(_bars(x, stay, stay + other, colour), autolim=False)
        axis.hlines(len(numbers) / count, x - 0.6, x + count - 0.4, "black", "--", linewidth=1)
        axis.text(x - 0.5, 1.02 * top, "1 part" if count == 1 else f"{count} parts", fontsize=10)
    axis.set(xlim=(-0.8, start + parts + 0.8), ylim=(0, top), ylabel="rows")
    axis.set_xlabel("number of the part   (dashed: the mean)", labelpad=20)
    for x, colour, word in (
        (0.7, STAYS, "stays"),
        (0.8, LEAVES, "leaves"),
        (0.9, COMES, "arrives"),
    ):
        figure.text(x, 0.91, "\u25a0", color=colour, fontsize=12, va="baseline")
        figure.text(x + 0.02, 0.912, word, fontsize=9, va="baseline")
    _number_parts(axis, parts, start)


def _bars(x: float, low: npt.ArrayLike, high: npt.ArrayLike, colour: str) -> PolyCollection:
    """A bar from low to high for each part, the first one at x; one artist, drawn quickly."""
    bottom, top = np.asarray(low, float), np.asarray(high, float)
    left = x + np.arange(len(top)) - 0.4
    corners = [(left, bottom), (left, top), (left + 0.8, top), (left + 0.8, bottom)]
    return PolyCollection(list(np.array(corners).transpose(2, 0, 1)), facecolor=colour, linewidth=0)


def _number_parts(axis: Axes, parts: int, start: float) -> None:
    """The numbers of the parts below both rows of bars, each or every third.

    They are texts, because ticks take twice as long to draw.
    """
    step = 1 if parts <= 8 else 3
    for x, count in ((0.0, parts), (start, parts + 1)):
        for part in range(0, count, step):
            axis.text(x + part, -0.03, str(part), transform=axis.get_xaxis_transform(), **_BELOW)
    axis.set_xticks([])
    axis.yaxis.set_major_locator(MaxNLocator(nbins=5))
    axis.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    axis.spines[["top", "right"]].set_visible(False)


_BELOW: dict[str, Any] = {"ha": "center", "va": "top", "fontsize": 9}


class PartitionExplorer(View):
    """The parts of a table for each key and method, and what moves when a part is added.

    Args:
        table: the table; its first rows are looked at.
        keys: the columns to choose from; left out, all.
        method: one of `METHODS`, at the start.
        parts: how many, at the start; 1 to 16.
        rows: how many rows are looked at.

    Raises:
        DataError: an argument that there is not.

    Taught in: notebooks/05_data_partitioning, "Choose for yourself".
    """

    SIZE: ClassVar[tuple[float, float]] = (8.4, 3.6)
    MOST: ClassVar[int] = 16

    def __init__(
        self,
        table: Table,
        keys: Sequence[str] | None = None,
        method: str = "hash",
        parts: int = 8,
        rows: int = 100_000,
    ) -> None:
        names = list(table.schema if keys is None else keys)
        for name in names or [""]:
            _require("key", name, table.schema)
        _require("method", method, METHODS)
        _require("parts", parts, range(1, self.MOST + 1))
        self.table = table
        self.rows = min(rows, table.rows)
        self._trials: dict[str, Trial] = {}
        self.key = ipywidgets.Dropdown(description="key", options=names)
        self.method = ipywidgets.Dropdown(description="method", options=list(METHODS), value=method)
        self.parts = ipywidgets.IntSlider(description="parts", value=parts, min=1, max=self.MOST)
        super().__init__([self.key, self.method, self.parts], self.SIZE)
        self.method.style.description_width = "4.8em"  # its letters are wider than most

    def paint(self, figure: Figure) -> str:
        """The sizes of the parts, now and with one part more."""
        trial, method, parts = self._trial(), self.method.value, self.parts.value
        before, after = trial.numbers(method, parts), trial.with_one_more(method, parts)
        _draw_trial(figure, before, after, parts)
        return (
            f"{self._sizes_in_words(before, parts)} {_moves_in_words(method, before, after, parts)}"
        )

    def _trial(self) -> Trial:
        name = self.key.value
        if name not in self._trials:
            self._trials[name] = Trial(self.table, name, self.rows)
        return self._trials[name]

    def _sizes_in_words(self, before: Array, parts: int) -> str:
        sizes = part_sizes(before, parts)
        first = "" if self.rows == self.table.rows else "the first "
        by = (
            "Dealt in turn"
            if self.method.value == "round robin"
            else (f"By {self.method.value} of {self.key.value}")
        )
        empty = int(np.count_nonzero(sizes == 0))
        none = f", {empty} of them empty" if empty else ""
        return (
            f"{by}, {first}{self.rows:,} rows lie in {parts} part{'s' * (parts > 1)} of "
            f"{sizes.min():,} to {sizes.max():,}{none}: skew {skew_of(sizes):.2f}, "
            f"Gini {gini_of(sizes):.2f}."
        )


def _moves_in_words(method: str, before: Array, after: Array, parts: int) -> str:
    share, moved = share_moved(before, after), before != after
    to_new = int(np.count_nonzero(after[moved] == parts))
    said = f"With one part more {share:.1%} of the rows move"
    fair = f"a new part's fair share is {moved_by_rendezvous(parts):.1%}"
    if method in ("range", "rendezvous") and not moved.any():
        return f"With one part more no row moves; {fair}."
    match method:
        case "window":
            return "A further window begins where the last one ends: no row moves, it waits."
        case "rendezvous":
            return f"{said}, all of them to the new one; {fair}."
        case "range":
            return f"{said}, because all bounds are chosen anew; {fair}."
    return (
        f"{said}, {to_new:,} rows to the new one; of keys {moved_by_modulo(parts):.1%} are "
        f"expected to move, and {fair}."
    )


def _require(what: str, value: Any, known: Any) -> None:
    if value not in known:
        listed = f"{known[0]} to {known[-1]}" if isinstance(known, range) else ", ".join(known)
        raise DataError(
            situation="While making a PartitionExplorer",
            seen=f"{what}={value!r}",
            wrong=f"there is no such {what}",
            fix=f"use one of: {listed}",
        )
