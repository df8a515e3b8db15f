"""The views of notebooks/06_distributed_engines: a shuffle, engines, a cluster on paper."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import ClassVar

import ipywidgets
import numpy as np
import numpy.typing as npt
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.ticker import LogLocator, NullLocator

from amaas_kit.errors import DataError
from amaas_kit.partition.on_paper import PaperCluster
from amaas_kit.session import COLOURS
from amaas_kit.views.view import View

Seconds = Mapping[str, Sequence[float]]
"""By engine, the seconds of its first run and of later ones."""

GB = 1e9
GIGABIT = 1e9 / 8

SMALLEST, LARGEST = 0.01, 1e5
"""Of the tables on paper, in GB."""


def draw_shuffle(counts: npt.ArrayLike) -> Figure:
    """How the rows of several machines travel to the parts; a line is as thick as rows are many.

    Args:
        counts: (machines, parts) the rows that each machine has for each part.

    Taught in: notebooks/06_distributed_engines, "The idea in one picture".
    """
    table = np.asarray(counts)
    machines, parts = table.shape
    figure, axis = plt.subplots(figsize=(8.4, 3.8), layout="constrained")
    axis.set(xlim=(-0.05, 3.15), ylim=(-0.12, 1.18))
    axis.axis("off")
    left, right = _heights(machines), _heights(parts)
    for machine, part in np.ndindex(table.shape):
        axis.plot(
            [0.95, 2.2], [left[machine], right[part]], color=COLOURS[part % len(COLOURS)],
            linewidth=9 * table[machine, part] / table.max(), alpha=0.55, solid_capstyle="butt",
        )  # fmt: skip
    for machine, y in enumerate(left):
        _box(axis, 0, y, f"machine {machine}\n{table[machine].sum():,} rows", "white")
    for part, y in enumerate(right):
        rows = table[:, part].sum()
        _box(axis, 2.2, y, f"part {part}\n{rows:,} rows", COLOURS[part % len(COLOURS)])
    for x, words in ((0.45, "map: a part for each row"), (1.6, "shuffle"), (2.65, "reduce: write")):
        axis.text(x, 1.1, words, ha="center", weight="bold")
    return figure


def _heights(count: int) -> npt.NDArray[np.float64]:
    return (np.arange(count)[::-1] + 0.5) / count


def _box(axis: Axes, x: float, y: float, words: str, colour: str) -> None:
    axis.add_patch(
        Rectangle((x, y - 0.085), 0.9, 0.17, facecolor=colour, edgecolor="black", alpha=0.35)
    )
    axis.add_patch(Rectangle((x, y - 0.085), 0.9, 0.17, fill=False, edgecolor="black"))
    axis.text(x + 0.45, y, words, ha="center", va="center", fontsize=9)


def draw_engines(seconds: Seconds, copy_seconds: float) -> Figure:
    """What each engine took here: its start, and the cut, beside copying the file.

    Args:
        seconds: by engine, of its first run and of later ones.
        copy_seconds: of a copy of the file.

    Raises:
        DataError: an engine without two runs, or none at all.

    Taught in: notebooks/06_distributed_engines, "Measured here".
    """
    figure = plt.figure(figsize=EngineComparison.SIZE)
    _draw_bars(figure, _split(seconds), copy_seconds, cuts=1)
    return figure


def _split(seconds: Seconds) -> dict[str, tuple[float, float]]:
    """Of each engine its start and its cut: what the first run took longer, and the later ones."""
    if not seconds or any(len(runs) < 2 for runs in seconds.values()):
        raise DataError(
            situation="While comparing engines",
            seen=", ".join(f"{name}: {len(runs)} runs" for name, runs in seconds.items()) or "none",
            wrong="the start of an engine is what its first run takes longer than the next",
            fix="run each engine at least twice",
        )
    cuts = {name: float(np.median(runs[1:])) for name, runs in seconds.items()}
    return {name: (max(0.0, runs[0] - cuts[name]), cuts[name]) for name, runs in seconds.items()}


def _draw_bars(
    figure: Figure, times: Mapping[str, tuple[float, float]], copy_seconds: float, cuts: int
) -> None:
    axis = figure.add_axes((0.13, 0.16, 0.84, 0.72))
    names = ["copy", *times]
    starts = [0.0, *(start / cuts for start, _ in times.values())]
    works = [copy_seconds, *(cut for _, cut in times.values())]
    places = np.arange(len(names))
    axis.barh(places, works, color=COLOURS[0], label="cut (first bar: copy)")
    axis.barh(places, starts, left=works, color=COLOURS[4], label="its share of the start")
    for place, (start, work) in enumerate(zip(starts, works, strict=True)):
        axis.text(start + work, place, f" {start + work:.3g} s", va="center", fontsize=9)
    axis.set_yticks(places, names)
    axis.invert_yaxis()
    longest = max(start + work for start, work in zip(starts, works, strict=True))
    axis.set(xlabel="seconds per cut", xlim=(0, 1.12 * longest))
    axis.grid(visible=False, axis="y")
    figure.legend(loc="upper center", ncols=2, frameon=False, fontsize=9)


class EngineComparison(View):
    """What a cut takes on each engine where one start serves several cuts.

    Args:
        seconds: by engine, of its first run and of later ones, as they were measured.
        copy_seconds: of a copy of the file.

    Raises:
        DataError: an engine without two runs, or none at all.

    Taught in: notebooks/06_distributed_engines, "Measured here".
    """

    SIZE: ClassVar[tuple[float, float]] = (7.6, 3.2)

    def __init__(self, seconds: Seconds, copy_seconds: float) -> None:
        self._times = _split(seconds)
        self._copy_seconds = copy_seconds
        self.cuts = ipywidgets.SelectionSlider(
            description="cuts per start", options=[1, 2, 5, 10, 20, 50, 100, 1000]
        )
        super().__init__([self.cuts], self.SIZE)

    def paint(self, figure: Figure) -> str:
        """Bars of the seconds per cut, the start shared out."""
        cuts = self.cuts.value
        _draw_bars(figure, self._times, self._copy_seconds, cuts)
        each = {name: start / cuts + cut for name, (start, cut) in self._times.items()}
        listed = ", ".join(f"{name} {time:.3g} s" for name, time in each.items())
        many = "1 cut" if cuts == 1 else f"{cuts:,} cuts"
        return f"One start for {many}: {listed} a cut; a copy {self._copy_seconds:.3g} s."


def draw_on_paper(cluster: PaperCluster, rate: float, size: float) -> Figure:
    """The time of a cut against the size of the table, on one machine and on a cluster.

    Args:
        cluster: the machines.
        rate: bytes per second of the one machine.
        size: bytes of the table that is marked.

    Taught in: notebooks/06_distributed_engines, "On paper: the same job on 100 machines".
    """
    figure = plt.figure(figsize=ClusterOnPaper.SIZE)
    _draw_times(figure, cluster, rate, size)
    return figure


def _draw_times(figure: Figure, cluster: PaperCluster, rate: float, size: float) -> None:
    axis = figure.add_axes((0.12, 0.15, 0.82, 0.72))
    sizes = np.geomspace(SMALLEST, LARGEST, 121) * GB
    many = np.array([cluster.stages(one).total for one in sizes])
    machines = "1 machine of it" if cluster.nodes == 1 else f"{cluster.nodes:,} machines"
    axis.plot(sizes / GB, sizes / rate, color=COLOURS[0], label="one machine, no cluster")
    axis.plot(sizes / GB, many, "--", color=COLOURS[1], label=f"cluster of {machines}")
    axis.axvline(size / GB, color="black", linewidth=0.9, linestyle=":", label="this table")
    crossing = cluster.crossover(rate)
    if SMALLEST * GB <= crossing <= LARGEST * GB:
        axis.plot(crossing / GB, crossing / rate, "o", color="black", label="equally fast")
    axis.set(
        xscale="log", yscale="log", xlabel="table, GB", ylabel="seconds", xlim=(SMALLEST, LARGEST)
    )
    for side in (axis.xaxis, axis.yaxis):
        side.set_major_locator(LogLocator(numticks=5))
        side.set_minor_locator(NullLocator())
        # Plain text: powers of ten in mathtext take a quarter of the time of a painting.
        side.set_major_formatter(lambda value, _: f"{value:,.12g}")
    figure.legend(loc="upper center", ncols=4, frameon=False, fontsize=9)


class ClusterOnPaper(View):
    """One machine against a cluster, calculated; each number can be changed.

    Args:
        cluster: the machines at the start.
        rate: bytes per second that the one machine reads, cuts and writes.
        size: bytes of the table.

    Raises:
        DataError: a number that no cluster has.

    Taught in: notebooks/06_distributed_engines, "On paper: the same job on 100 machines".
    """

    SIZE: ClassVar[tuple[float, float]] = (7.6, 3.6)

    def __init__(
        self, cluster: PaperCluster | None = None, rate: float = 200e6, size: float = 1000 * GB
    ) -> None:
        now = cluster or PaperCluster()
        if not (size > 0 and rate > 0):
            raise DataError(
                situation="While making a ClusterOnPaper",
                seen=f"rate={rate!r}, size={size!r}",
                wrong="both are above 0",
                fix="pass bytes per second and bytes",
            )
        self.size = _round_slider("table, GB", size / GB, SMALLEST, LARGEST)
        self.rate = _round_slider("alone, MB/s", rate / 1e6, 1, 10_000)
        self.nodes = ipywidgets.IntSlider(
            description="machines", value=now.nodes, min=1, max=max(1000, now.nodes)
        )
        self.node_rate = _round_slider("each, MB/s", now.node_rate / 1e6, 1, 10_000)
        self.bandwidth = _round_slider("network, Gbit/s", now.bandwidth / GIGABIT, 0.01, 1000)
        self.start = ipywidgets.IntSlider(
            description="start, s", value=round(now.start), min=0, max=max(600, round(now.start))
        )
        super().__init__(
            [self.size, self.rate, self.nodes, self.node_rate, self.bandwidth, self.start],
            self.SIZE,
        )

    def paint(self, figure: Figure) -> str:
        """Both lines, the table's place, and where they cross."""
        cluster = PaperCluster(
            nodes=self.nodes.value,
            node_rate=self.node_rate.value * 1e6,
            bandwidth=self.bandwidth.value * GIGABIT,
            start=self.start.value,
        )
        size, rate = self.size.value * GB, self.rate.value * 1e6
        _draw_times(figure, cluster, rate, size)
        return f"{_times_in_words(cluster, rate, size)} {_crossing_in_words(cluster, rate)}"


def _round_slider(
    description: str, value: float, least: float, most: float
) -> ipywidgets.SelectionSlider:
    """A slider over 1, 2, 5, 10, 20, … between two powers of ten, and over a value of its own."""
    powers = range(round(math.log10(least)), round(math.log10(most)))
    marks = [float(f"{digit}e{power}") for power in powers for digit in (1, 2, 5)]
    known = sorted({*marks, float(most), float(f"{value:.3g}")})
    options = [(_rounded(mark), mark) for mark in known]
    return ipywidgets.SelectionSlider(
        description=description, options=options, value=float(f"{value:.3g}")
    )


def _times_in_words(cluster: PaperCluster, rate: float, size: float) -> str:
    stages = cluster.stages(size)
    machines = "1 machine" if cluster.nodes == 1 else f"{cluster.nodes:,} machines"
    return (
        f"A table of {_rounded(size / GB)} GB: alone {_duration(size / rate)}; {machines} "
        f"{_duration(stages.total)} (start {_duration(stages.start)}, work "
        f"{_duration(stages.work)}, network {_duration(stages.shuffle)})."
    )


def _crossing_in_words(cluster: PaperCluster, rate: float) -> str:
    crossing = cluster.crossover(rate)
    if not math.isfinite(crossing):
        return "The cluster is never faster."
    if not crossing:
        return "The cluster is always faster."
    return f"From {_rounded(crossing / GB)} GB on the cluster is faster."


def _rounded(number: float) -> str:
    """Three digits, without an exponent."""
    return f"{float(f'{number:.3g}'):,.12g}"


def _duration(seconds: float) -> str:
    for unit, length in (("h", 3600), ("min", 60)):
        if seconds >= 2 * length:
            return f"{_rounded(seconds / length)} {unit}"
    return f"{_rounded(seconds)} s"
