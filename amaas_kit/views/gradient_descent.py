"""The views of notebooks/03_gradient_descent: slopes, paths over a surface, losses, a landscape."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

import ipywidgets
import numpy as np
import numpy.typing as npt
from matplotlib import pyplot as plt
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.legend import Legend
from matplotlib.lines import Line2D
from matplotlib.ticker import LogLocator, MaxNLocator, NullLocator

from amaas_kit.errors import TrainingError
from amaas_kit.network import Network
from amaas_kit.session import COLOURS
from amaas_kit.training import SGD, Adam, Momentum, Nesterov, RMSProp, Rule
from amaas_kit.training.descent import SURFACES, Surface, Walk, descend, largest_rate
from amaas_kit.training.landscape import Landscape
from amaas_kit.views.curves import curve_style
from amaas_kit.views.picture import Scene, empty_figure, note_on
from amaas_kit.views.view import View

Loss = Callable[[Any], Any]
"""A loss of one weight; or of two, w[0] and w[1], each a number or an array."""


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
    for i, place in enumerate(places):
        colour = curve_style(i)["color"]
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
        style = curve_style(i)
        axis.plot(line, theory, color=style["color"], label=f"|1 - rate x {curvature:g}|")
        axis.plot(
            tried, seen[:, i], **style, linestyle="", markersize=6,
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
            steps[:, 0], steps[:, 1], **curve_style(i), markersize=3.5, linewidth=1.2, label=title
        )
        axis.plot(*steps[0], "o", color="black", markersize=7, zorder=5)
        if not together:
            axis.set_title(title)
    if together:
        axes[0, 0].legend()
    return figure


def _draw_map(axis: Axes, loss: Loss, x: tuple[float, float], y: tuple[float, float]) -> None:
    """Lines of equal loss, closer near the bottom; none where the loss is not finite."""
    grid = np.array(np.meshgrid(np.linspace(*x, 121), np.linspace(*y, 121)))
    with np.errstate(all="ignore"):
        heights = np.ma.masked_invalid(np.broadcast_to(loss(grid), grid.shape[1:]))
    axis.grid(visible=False)
    axis.set(xlim=x, ylim=y)
    if _has_slopes(axis, heights):
        low, high = heights.min(), heights.max()
        levels = low + (high - low) * np.linspace(0.02, 1, 14) ** 2.5
        axis.contour(*grid, heights, levels=levels, colors="grey", linewidths=0.6, alpha=0.7)


def _has_slopes(axis: Axes, heights: npt.NDArray[Any]) -> bool:
    """Whether lines of equal loss can be drawn; where they cannot, the map says so."""
    if np.ma.count(heights) and heights.max() > heights.min():
        return True
    axis.text(0.5, 0.6, "no slope on this map", transform=axis.transAxes, ha="center")
    return False


def draw_descent(surface: Surface, rule: Rule, steps: int = 25) -> Figure:
    """A walk over a surface: the path on the map, and the loss after each step.

    Args:
        surface: to walk on, from its start.
        rule: whose steps are taken.
        steps: how many.

    Taught in: notebooks/03_gradient_descent, A valley.
    """
    figure = plt.figure(figsize=DescentExplorer.SIZE)
    _WalkDrawing(figure, surface, steps).show(descend(rule, surface, surface.start, steps), steps)
    return figure


class _WalkDrawing:
    """A map with a walk on it, and the walk's losses; the walk changes, the map stays.

    Args:
        figure: an empty one.
        surface: whose map it is.
        steps: how many the curve of losses has room for.
    """

    def __init__(self, figure: Figure, surface: Surface, steps: int) -> None:
        self._surface = surface
        self._above = self._map(figure.add_axes((0.085, 0.135, 0.39, 0.79)))
        [self._path] = self._above.plot([], "o-", color=COLOURS[0], markersize=3.5, linewidth=1.2)
        [cross] = self._above.plot(
            *surface.bottom, "x", color="black", markersize=9, markeredgewidth=2
        )
        [self._start] = self._above.plot([], "s", color="black", markersize=7)
        [self._now] = self._above.plot([], "o", color=COLOURS[1], markersize=8)
        self._note = note_on(self._above, "the dot is off the map")
        self._aside = figure.add_axes((0.575, 0.135, 0.41, 0.79))
        [self._all] = self._aside.plot([], color="grey", linewidth=0.8)
        [self._taken] = self._aside.plot([], "-", color=COLOURS[0], linewidth=2)
        [self._latest] = self._aside.plot([], "o", color=COLOURS[1], markersize=8)
        self._first = self._aside.axhline(1, color="black", linewidth=0.9, linestyle=":")
        self._aside.set(xlabel="step")
        self._aside.set_title("loss   dotted: at the start", fontsize=9)
        self._aside.set_xlim(-0.02 * steps, steps)
        _few_ticks(self._aside)
        self.moving: list[Artist] = [
            self._path, cross, self._start, self._now, self._note, self._aside
        ]  # fmt: skip

    def _map(self, axis: Axes) -> Axes:
        _draw_map(axis, self._surface.loss, self._surface.x, self._surface.y)
        axis.set(xlabel="weight w[0]", ylabel="weight w[1]")
        axis.set_title("square: start   cross: bottom   dot: now", fontsize=9)
        _few_ticks(axis)
        return axis

    def show(self, walk: Walk, shown: int) -> None:
        """Draw the first `shown` steps of a walk."""
        path = _within_reach(walk.path[: shown + 1], self._surface)
        self._path.set_data(*path.T)
        self._start.set_data(*path[:1].T)
        self._now.set_data(*path[-1:].T)
        self._note.set_visible(not self._is_on_map(path[-1]))
        losses = walk.losses
        now = min(shown, len(losses) - 1)
        self._all.set_data(np.arange(len(losses)), losses)
        self._taken.set_data(np.arange(now + 1), losses[: now + 1])
        self._latest.set_data([now], [losses[now]])
        self._first.set_ydata([losses[0], losses[0]])
        _scale(self._aside, losses)

    def _is_on_map(self, w: npt.NDArray[Any]) -> bool:
        return _lies_within(w[0], self._surface.x) and _lies_within(w[1], self._surface.y)


def _scale(axis: Axes, losses: npt.NDArray[Any]) -> None:
    """Limits that hold the losses, and a logarithmic scale where all of them are positive."""
    if losses.min() > 0:
        start = losses[0]
        low = np.clip(losses.min() / 2, start * 1e-9, start / 10)
        axis.set(yscale="log", ylim=(low, 3 * np.clip(losses.max(), start, start * 1e9)))
        axis.yaxis.set_major_locator(LogLocator(numticks=6))
        axis.yaxis.set_minor_locator(NullLocator())
        # Plain text: powers of ten in mathtext take a quarter of the time of a painting.
        axis.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
    else:
        axis.set_yscale("linear")
        axis.relim()
        axis.autoscale(axis="y")
        _few_ticks(axis)
    axis.grid(visible=True, alpha=0.3)


def _lies_within(value: float, window: tuple[float, float]) -> bool:
    return window[0] <= value <= window[1]


def _few_ticks(axis: Axes) -> None:
    """About five numbers along each side: most of the time of a painting goes into them."""
    for side in (axis.xaxis, axis.yaxis):
        side.set_major_locator(MaxNLocator(5, steps=[1, 2, 5, 10]))


def _within_reach(path: npt.NDArray[Any], surface: Surface) -> npt.NDArray[Any]:
    """A path up to the first place far off the map, pulled near along the line that leads to it."""
    middle = np.array([np.mean(surface.x), np.mean(surface.y)])
    far = 20 * np.array([np.ptp(surface.x), np.ptp(surface.y)])
    distance = (np.abs(path - middle) / far).max(axis=1)
    if distance.max() <= 1:
        return path
    first = int(np.argmax(distance > 1))
    reached = path[: first + 1].copy()
    if first:
        reached[-1] = reached[-2] + (reached[-1] - reached[-2]) / distance[first]
    return reached


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
            np.arange(len(values)) + first, values, **curve_style(i), label=name,
            markersize=4, markevery=max(1, len(values) // 12),
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
        axis.plot(numbers, values, **curve_style(i), label=name)
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
        axis.plot(rates, np.asarray(score), **curve_style(i), label=name)
    axis.axhline(baseline, color="black", linewidth=0.9, linestyle=":", label="most frequent class")
    axis.set(xlabel="learning rate", ylabel="accuracy", xscale="log", ylim=(0, 1.02))
    axis.legend()
    return figure


class DescentExplorer(View):
    """A walk over a loss of two weights: choose the surface, the rule and its rate, then step.

    The steps are those of `amaas_kit.training`'s rules. The sentence says where the walk is, and
    on a quadratic how the rate compares with the largest that the rule can bear.

    Args:
        surface: the name of one in `surfaces`.
        rule: "SGD", "Momentum", "Nesterov", "RMSProp" or "Adam".
        rate: the learning rate, to the nearest hundredth of a power of ten, as the slider has it.
        momentum: of the rules that have it, to the nearest hundredth and 0.99 at most.
        step: how many steps are shown at first.
        steps: how many can be taken.
        surfaces: to choose from; left out, `amaas_kit.training.descent.SURFACES`.

    Raises:
        TrainingError: a rate or momentum that no rule can work with, an unknown surface or rule,
            or steps beyond 1 to 1,000.

    Taught in: notebooks/03_gradient_descent, A valley.
    """

    SIZE: ClassVar[tuple[float, float]] = (8.4, 3.9)
    RULES: ClassVar[dict[str, Callable[..., Rule]]] = {
        "SGD": SGD,
        "Momentum": Momentum,
        "Nesterov": Nesterov,
        "RMSProp": RMSProp,
        "Adam": Adam,
    }
    WITH_MOMENTUM: ClassVar[tuple[str, ...]] = ("Momentum", "Nesterov")

    def __init__(
        self,
        surface: str = "valley",
        rule: str = "SGD",
        rate: float = 0.02,
        momentum: float = 0.9,
        step: int = 25,
        steps: int = 60,
        surfaces: Mapping[str, Surface] | None = None,
    ) -> None:
        self.surfaces = dict(SURFACES if surfaces is None else surfaces)
        _require_known("surface", surface, self.surfaces)
        _require_known("rule", rule, self.RULES)
        Momentum(rate, momentum)
        if not _is_whole(steps, 1, 1000) or not _is_whole(step, 0, steps):
            raise TrainingError(
                situation="While making a DescentExplorer",
                seen=f"step={step!r}, steps={steps!r}",
                wrong="the slider goes from 0 to steps, 1,000 at most",
                fix="pass step=25, steps=60",
            )
        # The page moves a slider to its nearest mark; starting there, nothing moves by itself.
        power = round(float(np.log10(rate)), 2)
        self.surface = ipywidgets.Dropdown(
            description="surface", options=list(self.surfaces), value=surface
        )
        self.rule = ipywidgets.Dropdown(description="rule", options=list(self.RULES), value=rule)
        self.rate = ipywidgets.FloatLogSlider(
            description="rate", value=10.0**power, step=0.01, readout_format=".3g",
            min=min(-4, np.floor(power)), max=max(1, np.ceil(power)),
        )  # fmt: skip
        self.momentum = ipywidgets.FloatSlider(
            description="momentum", value=min(round(momentum, 2), 0.99), min=0, max=0.99, step=0.01
        )
        self.step = ipywidgets.IntSlider(description="step", value=step, min=0, max=steps)
        self._scenes: dict[str, tuple[_WalkDrawing, Scene]] = {}
        super().__init__([self.surface, self.rule, self.rate, self.momentum, self.step], self.SIZE)
        self.momentum.style.description_width = "6.5em"  # its letters are wider than most

    def paint(self, figure: Figure) -> str:
        """The path and the losses, up to the chosen step."""
        walk, sentence = self._walk()
        self._drawing(figure).show(walk, self.step.value)
        return sentence

    def _painted(self) -> tuple[bytes, str]:
        walk, sentence = self._walk()
        name = self.surface.value
        if name not in self._scenes:
            figure = empty_figure(self.SIZE)
            drawing = self._drawing(figure)
            drawing.show(walk, self.step.value)
            self._scenes[name] = drawing, Scene(figure, drawing.moving)
        drawing, scene = self._scenes[name]
        drawing.show(walk, self.step.value)
        return scene.png(), sentence

    def _drawing(self, figure: Figure) -> _WalkDrawing:
        return _WalkDrawing(figure, self.surfaces[self.surface.value], self.step.max)

    def _walk(self) -> tuple[Walk, str]:
        """The walk that the controls ask for, and what is to be said of it."""
        self.momentum.layout.display = None if self.rule.value in self.WITH_MOMENTUM else "none"
        surface, rule = self.surfaces[self.surface.value], self.chosen_rule()
        walk = descend(rule, surface, surface.start, self.step.max)
        judgement = _judgement(surface, rule, walk, self.step.value)
        return walk, f"{self._progress(walk)} {judgement}"

    def chosen_rule(self) -> Rule:
        """The rule with the constants that the sliders show."""
        constants = {"learning_rate": self.rate.value}
        if self.rule.value in self.WITH_MOMENTUM:
            constants["momentum"] = self.momentum.value
        return self.RULES[self.rule.value](**constants)

    def _progress(self, walk: Walk) -> str:
        name, shown = f"{self.rule.value} on the {self.surface.value}", self.step.value
        start = f"{walk.losses[0]:.3g}"
        if walk.stopped is not None and shown >= walk.stopped:
            return (
                f"{name}: the loss was {start} at the start and is {walk.losses[-1]:.1e} after "
                f"step {walk.stopped - 1}; step {walk.stopped} leaves the numbers that can be "
                "computed with."
            )
        return f"{name}: the loss is {walk.losses[shown]:.3g} after step {shown}, from {start}."


def _is_whole(number: object, least: int, most: int) -> bool:
    return isinstance(number, int | np.integer) and bool(least <= number <= most)


def _require_known(what: str, name: str, known: Mapping[str, Any]) -> None:
    if not isinstance(name, str) or name not in known:
        raise TrainingError(
            situation="While making a DescentExplorer",
            seen=f"{what}={name!r}",
            wrong=f"there is no such {what}",
            fix=f"use one of: {', '.join(known)}",
        )


def _judgement(surface: Surface, rule: Rule, walk: Walk, shown: int) -> str:
    """How the rate stands to the largest one that works, where there is such a rate."""
    here = walk.path[min(shown, len(walk.path) - 1)]
    steepest = float(surface.curvatures(here)[-1])
    rate = rule.learning_rate
    limit = largest_rate(rule, steepest) if steepest > 0 else None
    if steepest <= 0:
        return "Here the loss curves downwards in all directions."
    if limit is None:
        return (
            f"{type(rule).__name__} divides each slope by its own size, so a step is about one "
            f"rate long ({rate:.3g}) in each weight, and no limit like 2 / curvature holds."
        )
    how = f"{_as_formula(rule, steepest)} = {limit:.3g}"
    at_limit = np.isclose(rate, limit, rtol=1e-9)
    if not surface.quadratic:
        side = "at" if at_limit else "below" if rate < limit else "above"
        return (
            f"At this place the largest curvature is {steepest:.3g}, and the rate {rate:.3g} is "
            f"{side} {how}; on this surface the limit changes from place to place."
        )
    if at_limit:
        return (
            f"It neither converges nor diverges: the rate {rate:.3g} is the limit {how}."
            f"{_factor(rule, surface)}"
        )
    if rate > limit:
        return f"It diverges: the rate {rate:.3g} is above the limit {how}.{_factor(rule, surface)}"
    return f"It converges: the rate {rate:.3g} is below the limit {how}.{_factor(rule, surface)}"


def _as_formula(rule: Rule, curvature: float) -> str:
    match rule:
        case Momentum(momentum=beta):
            return f"2 (1 + {beta:.2f}) / {curvature:.3g}"
        case Nesterov(momentum=beta):
            return f"2 (1 + {beta:.2f}) / (1 + 2 x {beta:.2f}) / {curvature:.3g}"
    return f"2 / {curvature:.3g}"


def _factor(rule: Rule, surface: Surface) -> str:
    """By how much plain descent multiplies the distance in its two own directions."""
    if not isinstance(rule, SGD):
        return ""
    flattest, steepest = (float(c) for c in surface.curvatures(surface.start))
    across, along = (1 - rule.learning_rate * c for c in (steepest, flattest))
    if flattest == steepest:
        return f" Each step multiplies the distance to the bottom by {across:.3g}."
    return (
        f" Each step multiplies the distance by {across:.3g} across the valley and by {along:.3g} "
        "along it."
    )


def draw_landscape(landscape: Landscape, at: tuple[float, float] = (0.0, 0.0)) -> Figure:
    """The loss around a trained network: a map, and two cuts through its middle.

    Args:
        landscape: around the network.
        at: the place that is marked.

    Taught in: notebooks/03_gradient_descent, The landscape around a trained network.
    """
    figure = plt.figure(figsize=LossLandscape.SIZE)
    _draw_landscape(figure, landscape, landscape.map(), at, landscape.loss_at(*at))
    return figure


def _draw_landscape(
    figure: Figure,
    landscape: Landscape,
    drawn: tuple[npt.NDArray[Any], npt.NDArray[Any]],
    at: tuple[float, float],
    loss: float,
) -> tuple[Line2D, Line2D, Legend]:
    """A map and two cuts; returns what moves with the place: the dot, its loss and the legend."""
    places, losses = drawn[0], np.ma.masked_invalid(drawn[1])
    above = figure.add_axes((0.085, 0.135, 0.39, 0.79))
    if _has_slopes(above, losses):
        low, high = losses.min(), losses.max()
        levels = low + (high - low) * np.linspace(0, 1, 15)[1:] ** 1.5
        lines = above.contour(places, places, losses, levels=levels, colors="grey", linewidths=0.8)
        above.clabel(lines, levels[::3], fontsize=8, fmt="%.2g")
    above.plot(0, 0, "x", color="black", markersize=9, markeredgewidth=2, zorder=4)
    [dot] = above.plot(*at, "o", color=COLOURS[1], markersize=9, zorder=5, clip_on=False)
    above.set_title("cross: the trained network   dot: now", fontsize=9)
    above.set(xlabel="along direction 1", ylabel="along direction 2")
    _few_ticks(above)
    above.grid(visible=False)

    aside = figure.add_axes((0.575, 0.135, 0.41, 0.79))
    middle = len(places) // 2
    aside.plot(places, losses[middle], "o-", color=COLOURS[0], markersize=4, label="direction 1")
    aside.plot(places, losses[:, middle], "s-", color=COLOURS[2], markersize=4, label="direction 2")
    aside.axhline(
        landscape.baseline, color="black", linewidth=0.9, linestyle=":", label="all outputs 0"
    )
    here = aside.axhline(loss, color=COLOURS[1], linewidth=1.2, linestyle="--", label="at the dot")
    aside.set(xlabel="along one direction, the other 0", ylabel="loss")
    if losses.count():
        aside.set_ylim(0, 1.05 * max(float(losses.max()), landscape.baseline))
    legend = aside.legend(fontsize=9, loc="upper center")
    _few_ticks(aside)
    aside.grid(visible=True, alpha=0.3)
    return dot, here, legend


class LossLandscape(View):
    """The loss around a trained network, along two random directions of the length of its weights.

    The map is computed once, in about a second. The sliders move the network itself, and
    the sentence reads its exact loss there. See `amaas_kit.training.landscape.Landscape`.

    Args:
        net: the trained network.
        x, y: rows and truths that the loss is computed on, the first 200 of them.
        seed: of the directions.
        reach: how far the map and the sliders go; 1 is as far as the weights are long.
        loss: as for `Network.loss_and_gradients`.

    Raises:
        NetworkError: as for `Landscape`.
        TrainingError: a reach that is not positive, or beyond 10.

    Taught in: notebooks/03_gradient_descent, The landscape around a trained network.
    """

    SIZE: ClassVar[tuple[float, float]] = (8.4, 3.9)

    def __init__(
        self,
        net: Network,
        x: npt.ArrayLike,
        y: npt.ArrayLike,
        seed: int = 0,
        reach: float = 1.0,
        loss: str | None = None,
    ) -> None:
        if not isinstance(reach, int | float | np.number) or not 0 < reach <= 10:
            raise TrainingError(
                situation="While making a LossLandscape",
                seen=f"reach={reach!r}",
                wrong="the map needs a width, up to ten times the length of the weights",
                fix="pass reach=1.0",
            )
        self.landscape = Landscape(net, x, y, seed=seed, loss=loss)
        self._map = self.landscape.map(reach)
        limits = {"min": -reach, "max": reach, "step": reach / 20, "value": 0.0}
        self.first = ipywidgets.FloatSlider(description="direction 1", **limits)
        self.second = ipywidgets.FloatSlider(description="direction 2", **limits)
        figure = empty_figure(self.SIZE)
        self._dot, self._here, legend = self._draw(figure, *self._place())
        self._scene = Scene(figure, [self._here, legend, self._dot])
        super().__init__([self.first, self.second], self.SIZE)

    def paint(self, figure: Figure) -> str:
        """The map with the present place, and what the network loses there."""
        at, loss = self._place()
        self._draw(figure, at, loss)
        return self._in_words(at, loss)

    def _painted(self) -> tuple[bytes, str]:
        at, loss = self._place()
        self._dot.set_data([at[0]], [at[1]])
        self._here.set_ydata([loss, loss])
        return self._scene.png(), self._in_words(at, loss)

    def _place(self) -> tuple[tuple[float, float], float]:
        at = self.first.value, self.second.value
        return at, self.landscape.loss_at(*at)

    def _draw(
        self, figure: Figure, at: tuple[float, float], loss: float
    ) -> tuple[Line2D, Line2D, Legend]:
        return _draw_landscape(figure, self.landscape, self._map, at, loss)

    def _in_words(self, at: tuple[float, float], loss: float) -> str:
        centre, baseline = self.landscape.centre, self.landscape.baseline
        if at == (0.0, 0.0):
            where = f"At the trained network the loss is {_say(loss)}"
        else:
            where = (
                f"At ({at[0]:.2f}, {at[1]:.2f}) the loss is {_say(loss)}, at the trained network "
            )
            where += _say(centre)
        lower = int(np.count_nonzero(self._map[1] < centre))
        return (
            f"{where}, with all outputs 0 {_say(baseline)}. Of {self._map[1].size} places on the "
            f"map, {lower} lie lower than the trained network{self._thinned()}."
        )

    def _thinned(self) -> str:
        if self.landscape.side == 21:
            return ""
        return (
            f" (thinned out, because the network is large: {self.landscape.side} x "
            f"{self.landscape.side} places, {self.landscape.rows} rows)"
        )


def _say(loss: float) -> str:
    return f"{loss:.2f}" if abs(loss) < 1e4 else f"{loss:.1e}"


def draw_cuts(places: npt.ArrayLike, cuts: Mapping[str, npt.ArrayLike], baseline: float) -> Figure:
    """Losses along one direction through a network, a curve each.

    Args:
        places: along the direction, (n,).
        cuts: the losses there, (n,), by name.
        baseline: the loss of answering all rows alike.

    Taught in: notebooks/03_gradient_descent, The landscape around a trained network.
    """
    figure, axis = plt.subplots(figsize=(6.4, 3.8), layout="constrained")
    for i, (name, losses) in enumerate(cuts.items()):
        axis.plot(
            places, np.asarray(losses), **curve_style(i), linestyle=("-", "--")[i % 2],
            markersize=5, label=name,
        )  # fmt: skip
    axis.axhline(baseline, color="black", linewidth=0.9, linestyle=":", label="all outputs 0")
    axis.set(xlabel="along the direction", ylabel="loss", yscale="log")
    axis.legend()
    return figure


def draw_curvatures(curves: Mapping[float, npt.ArrayLike], every: int) -> Figure:
    """The largest curvature of a network's loss while it trains, with each rate's limit.

    Args:
        curves: the largest curvature at step 0, `every`, 2 `every`, …, by learning rate.
        every: how many steps lie between two of them.

    Taught in: notebooks/03_gradient_descent, The limit in a real network.
    """
    figure, axis = plt.subplots(figsize=(6.4, 3.8), layout="constrained")
    for i, (rate, curve) in enumerate(curves.items()):
        values = np.asarray(curve)
        steps = np.arange(len(values)) * every
        style = curve_style(i)
        axis.plot(steps, values, **style, markersize=4, label=f"rate {rate:g}")
        axis.axhline(2 / rate, color=style["color"], linewidth=1, linestyle="--")
        axis.text(
            1.01, 2 / rate, f"2 / {rate:g}", transform=axis.get_yaxis_transform(), va="center"
        )
    axis.set(xlabel="step", ylabel="largest curvature", ylim=(0, None))
    axis.legend(loc="lower right")
    return figure
