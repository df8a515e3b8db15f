"""A digit on its way through a network: a figure, and a widget that goes layer by layer."""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from typing import Any

import ipywidgets
import numpy as np
import numpy.typing as npt
from matplotlib import colormaps
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.patches import Rectangle
from matplotlib.textpath import text_to_path

from amaas_kit.errors import NetworkError
from amaas_kit.network import ACTIVATIONS, LayerTrace, Network
from amaas_kit.network.arrays import Array, as_array, as_floats, as_rows
from amaas_kit.session import COLOURS
from amaas_kit.views.view import View

CELLS_SHOWN = 256
"""So many units of a layer are drawn as cells of a grid; of more, only every so-many-th."""

OUTPUTS_SHOWN = 12
"""So many numbers of a last layer are drawn as bars; of more, the largest."""

LAYERS_SHOWN = 3
"""So many layers before the last are drawn at once; of more, those around the chosen one."""

Place = tuple[float, float, float]
"""Left, bottom and side of a square, in inches."""

LARGE, SMALL = 10.0, 9.0
"""Sizes of letters, in points."""

EDGE, GAP = 0.1, 0.26
"""Free inches at the sides of the picture and between two stations."""

PIXELS, UNITS = colormaps["gray_r"], colormaps["cividis"]
SIZE = (8.6, 3.0)
SITUATION = "While drawing a row's way through a network"


def draw_journey(net: Network, x: npt.ArrayLike, title: str = "") -> Figure:
    """One row on its way through a network: the input, what each layer made, the last numbers.

    Args:
        net: the network. An input of 64 numbers is drawn as an image of 8 x 8; one whose number is
            no square, as a grid.
        x: one row, of shape (d,).
        title: over the input.

    Raises:
        NetworkError: a row that does not fit; no layer; a parameter that is no finite number;
            outputs that overflow.

    Taught in: notebooks/01_forward_pass, A digit on its way through the layers.
    """
    _require_sound(net)
    steps = _trace(net, as_array(x, name="x", situation=SITUATION)[None], len(net.layers))
    figure = plt.figure(figsize=SIZE)
    _paint_journey(figure, net, steps, len(steps), str(title) or "input")
    return figure


class JourneyExplorer(View):
    """A digit on its way through a network: choose the digit, and how far it has come.

    The picture is that of `draw_journey`, up to the chosen layer; the sentence reads that layer, or
    says that the outputs overflow on the way there.

    Args:
        net: the network; it is asked, not changed.
        x: rows (n, d) to choose from.
        y: their true classes (n,), if they are known.

    Raises:
        NetworkError: rows that do not fit the network; no layer; a parameter that is no finite
            number; another number of truths than rows.

    Taught in: notebooks/01_forward_pass, A digit on its way through the layers.
    """

    def __init__(self, net: Network, x: npt.ArrayLike, y: npt.ArrayLike | None = None) -> None:
        _require_sound(net)
        self._net = net
        self._x = as_rows(x, net.sizes[0], net.dtype, situation=SITUATION)
        self._y = None if y is None else as_array(y, name="y", situation=SITUATION)
        if self._y is not None and self._y.shape != (len(self._x),):
            raise NetworkError(
                situation=SITUATION,
                seen=f"y of shape {self._y.shape} for {len(self._x)} rows",
                wrong="each row has one truth",
                fix="pass x and y of the same rows, for example x, y = split.test",
            )
        self._digit = ipywidgets.IntSlider(
            value=0, min=0, max=max(1, len(self._x) - 1), description="digit"
        )
        stops = [("input", 0), *((str(i), i + 1) for i in range(len(net.layers)))]
        self._layer = ipywidgets.SelectionSlider(options=stops, description="layer")
        only_one = len(self._x) == 1
        controls = [self._layer] if only_one else [self._digit, self._layer]
        super().__init__(controls, size=SIZE)

    def paint(self, figure: Figure) -> str:
        """The digit as far as it has come, and what the layer there made of it."""
        _require_sound(self._net)
        row, reached = self._digit.value, self._layer.value
        steps = _trace(self._net, self._x[[row]], reached)
        truth = None if self._y is None else self._y[row]
        title = f"digit {row}" if truth is None else f"digit {row}: a {truth}"
        _paint_journey(figure, self._net, steps, reached, title)
        if reached == 0:
            return _say_input(steps[0].x[0], title)
        if reached < len(steps):
            return _say_layer(self._net, steps, reached)
        return _say_outputs(self._net, steps[-1], truth)


def _paint_journey(
    figure: Figure, net: Network, steps: Sequence[LayerTrace], reached: int, title: str
) -> None:
    """All stations in a row; those after `reached` are empty frames.

    `reached` counts the layers that are done: 0 is the input, 1 what layer 0 made of it.

    The stations share one axes, measured in inches, because each axes costs milliseconds.
    """
    inner = _layers_around(len(steps) - 1, reached)
    wide, high = SIZE
    narrowest, low, tallest = 1.8, 0.66, 1.9
    free = wide - 2 * EDGE - narrowest - GAP * (len(inner) + 2)
    side = min(tallest, free / (len(inner) + 1))
    bottom = low + (tallest - side) / 2
    stage = figure.add_axes((0, 0, 1, 1), xlim=(0, wide), ylim=(0, high))
    stage.set_axis_off()
    _paint_input(stage, (EDGE, bottom, side), steps[0].x[0], title)
    left = EDGE + side + GAP
    for i in inner:
        a = steps[i - 1].a[0]
        below = (_count(a, "units"), _range(a) if i <= reached else "not yet")
        frame = {"color": COLOURS[1], "linewidth": 3} if i == reached else {}
        _paint_frame(
            stage, (left, bottom, side), f"layer {i - 1}: {net.activations[i - 1]}", below, **frame
        )
        if i <= reached:
            _paint_cells(stage, (left, bottom, side), _grid(a[:: _step(len(a))]), cmap=UNITS)
        left += side + GAP
    left += GAP + 0.08 * len(str(net.sizes[-1]))
    place = (left / wide, low / high, (wide - EDGE - left) / wide, tallest / high)
    last = figure.add_axes(place)
    title = f"layer {len(steps) - 1}: {net.activations[-1]}"
    _paint_outputs(last, steps[-1].a[0], title, seen=reached == len(steps))


def _paint_input(stage: Axes, place: Place, x: Array, title: str) -> None:
    """A square number of inputs as an image, any other as a grid."""
    side = math.isqrt(len(x))
    if side * side == len(x):
        _paint_frame(stage, place, title, (f"{len(x):,} pixels", _range(x)))
        pixels = x.reshape(side, side)
        _paint_cells(stage, place, pixels, cmap=PIXELS, vmin=min(0.0, x.min()))
    else:
        _paint_frame(stage, place, title, (_count(x, "inputs"), _range(x)))
        _paint_cells(stage, place, _grid(x[:: _step(len(x))]), cmap=UNITS)


def _paint_frame(stage: Axes, place: Place, title: str, below: Sequence[str], **line: Any) -> None:
    """A square with words over and under it, no wider than it and the room at its sides."""
    left, bottom, side = place
    middle, room = left + side / 2, side + 2 * EDGE
    stage.add_patch(Rectangle((left, bottom), side, side, fill=False, **line))
    style: dict[str, Any] = {"ha": "center", "parse_math": False}
    over = _fitted(title, room, LARGE)
    stage.text(middle, bottom + side + 0.07, over, va="bottom", fontsize=LARGE, **style)
    under = "\n".join(_fitted(words, room, SMALL) for words in below)
    stage.text(middle, bottom - 0.07, under, va="top", fontsize=SMALL, **style)


def _paint_cells(stage: Axes, place: Place, cells: Array, **colours: Any) -> None:
    left, bottom, side = place
    limits = {"xlim": stage.get_xlim(), "ylim": stage.get_ylim()}
    extent = (left, left + side, bottom, bottom + side)
    stage.imshow(cells, extent=extent, aspect="auto", interpolation="nearest", **colours)
    stage.set(**limits)


def _paint_outputs(axis: Axes, a: Array, title: str, *, seen: bool) -> None:
    """The last numbers as bars; of many, the largest.

    All words are plain texts and all bars are one collection of lines, because ticks, labels and
    patches cost several times as much.
    """
    shown = np.arange(len(a))
    inches = axis.get_window_extent().width / axis.figure.dpi
    if len(a) > OUTPUTS_SHOWN:
        shown = np.sort(np.argsort(-a, kind="stable")[:OUTPUTS_SHOWN])
    places = np.arange(len(shown))
    axis.set_axis_off()
    axis.set_ylim(len(shown) - 0.5, -0.5)
    axis.axvline(0, color="black", linewidth=0.8)
    _write(axis, 0.5, 1.04, _fitted(title, inches, LARGE), va="bottom", fontsize=LARGE)
    _write(axis, -0.03, 1.04, "unit", ha="right", va="bottom")
    for place, unit in zip(places, shown, strict=True):
        height = 1 - (place + 0.5) / len(shown)
        _write(axis, -0.03, height, f"{unit}", ha="right", va="center")
    if not seen:
        axis.set_xlim(-1, 1)
        _write(axis, 0.5, -0.15, "not yet")
        return
    colours = [COLOURS[1] if unit == a.argmax() else COLOURS[0] for unit in shown]
    thick = 0.8 * 72 * axis.get_window_extent().height / axis.figure.dpi / len(shown)
    axis.hlines(places, 0, a[shown], colours, linewidth=thick)
    for under, word in _ends_of_bars(a[shown], axis.get_xlim(), inches):
        _write(axis, under, -0.03, word)
    which = "a" if len(shown) == len(a) else f"a, the {len(shown)} largest of {len(a):,}"
    _write(axis, 0.5, -0.13, _fitted(which, inches + EDGE, SMALL))


def _ends_of_bars(a: Array, limits: tuple[float, float], inches: float) -> list[tuple[float, str]]:
    """The words under the bars and their places, in parts of the axes, as many as find room.

    The longest bar's number comes first, then the 0, then the other end's.
    """
    low, high = limits
    least, greatest = sorted((float(a.min()), float(a.max())), key=abs)
    said: list[tuple[float, str, float]] = []
    for end, word in [(greatest, _brief(greatest)), (0.0, "0"), (least, _brief(least))]:
        half = (_width(word, SMALL) / 2 + 0.03) / inches
        place = min(max((end - low) / (high - low), half), 1 - half)
        if all(abs(place - other) > half + its_half for other, _, its_half in said):
            said.append((place, word, half))
    return [(place, word) for place, word, _ in said]


def _write(
    axis: Axes, x: float, y: float, word: str, ha: str = "center", va: str = "top",
    fontsize: float = SMALL,
) -> None:  # fmt: skip
    """Words at a place that is given in parts of the axes."""
    axis.text(
        x, y, word, transform=axis.transAxes, ha=ha, va=va, fontsize=fontsize, parse_math=False
    )


def _fitted(words: str, inches: float, size: float) -> str:
    """Words in one line or two, none wider than so many inches; what finds no room is cut off."""
    first, rest = "", words.split()
    while rest and _width(f"{first} {rest[0]}".strip(), size) <= inches:
        first = f"{first} {rest.pop(0)}".strip()
    lines = [first] if first else []
    if rest:
        lines.append(_cut(" ".join(rest), inches, size))
    return "\n".join(lines)


def _cut(words: str, inches: float, size: float) -> str:
    """As many letters as find room, with an ellipsis where some are missing."""
    if _width(words, size) <= inches:
        return words
    while words and _width(f"{words}…", size) > inches:
        words = words[:-1]
    return f"{words}…"


@functools.lru_cache(maxsize=4096)
def _width(words: str, size: float) -> float:
    """Of words in one line, in inches, with a little over for the rounding to pixels."""
    font = FontProperties(size=size)
    points, _, _ = text_to_path.get_text_width_height_descent(words, font, ismath=False)
    return 1.03 * float(points) / 72


def _step(units: int) -> int:
    """Every so-many-th unit of a layer is drawn."""
    return math.ceil(units / CELLS_SHOWN)


def _count(a: Array, kind: str) -> str:
    step = _step(len(a))
    return f"{len(a):,} {kind}" + (f", every {_ordinal(step)} drawn" if step > 1 else "")


def _ordinal(n: int) -> str:
    """2nd, 3rd, 4th, …"""
    teens = n % 100 in (11, 12, 13)
    return f"{n:,}{'th' if teens else {1: 'st', 2: 'nd', 3: 'rd'}.get(n % 10, 'th')}"


def _range(a: Array) -> str:
    return f"from {_brief(a.min())} to {_brief(a.max())}"


def _brief(number: float) -> str:
    """A number with two decimals; one that they would make long or 0, with three digits."""
    usual = number == 0 or 0.01 <= abs(number) < 10_000
    return f"{number:z.2f}" if usual else f"{number:.3g}"


def _layers_around(hidden: int, reached: int) -> range:
    """Which layers before the last are drawn, as counts like `reached`: all, or those near it."""
    first = min(max(1, reached - LAYERS_SHOWN // 2), max(1, hidden - LAYERS_SHOWN + 1))
    return range(first, min(hidden, first + LAYERS_SHOWN - 1) + 1)


def _say_input(x: Array, title: str) -> str:
    return f"{title[:1].upper()}{title[1:]}. {len(x):,} numbers, {(x > 0).sum():,} of them above 0."


def _say_layer(net: Network, steps: Sequence[LayerTrace], reached: int) -> str:
    """What a layer before the last made."""
    x, _, a = (row[0] for row in steps[reached - 1])
    told = (
        f"Layer {reached - 1} ({net.activations[reached - 1]}) made {len(a):,} numbers of "
        f"{len(x):,}: {(a == 0).sum():,} are 0, the largest is {_brief(a.max())}, "
        f"of unit {a.argmax()}."
    )
    step = _step(len(a))
    if step > 1:
        told += f" Only every {_ordinal(step)} unit is drawn."
    if len(steps) - 1 > LAYERS_SHOWN:
        drawn = _layers_around(len(steps) - 1, reached)
        told += f" Only the layers {drawn[0] - 1} to {drawn[-1] - 1} and the last are drawn."
    return told


def _say_outputs(net: Network, step: LayerTrace, truth: Any) -> str:
    """What the last layer says: a value, or a class with its probability."""
    a = step.a[0]
    told = f"Layer {len(net.layers) - 1}, the last ({net.activations[-1]}), made "
    if len(a) == 1:
        told += f"one number: {_brief(a[0])}."
    else:
        told += f"{len(a):,} numbers. The largest is {_brief(a.max())}: "
        told += f"the network says {a.argmax()}"
        p = _probabilities(net, a)
        told += "." if p is None else f", with the probability {_brief(p.max())}."
        if len(a) > OUTPUTS_SHOWN:
            told += f" Only the {OUTPUTS_SHOWN} largest are drawn."
    return told if truth is None else f"{told} The truth is {truth}."


def _probabilities(net: Network, a: Array) -> Array | None:
    """The outputs as probabilities: logits through softmax; None where they are neither."""
    if net.activations[-1] == "softmax":
        return a
    if net.activations[-1] != "identity":
        return None
    with np.errstate(over="ignore"):  # where two huge numbers lie too far apart, the less has 0
        return ACTIVATIONS["softmax"].value(a)


def _trace(net: Network, x: npt.ArrayLike, reached: int) -> list[LayerTrace]:
    """The forward pass of one row, whose first layers, `reached` of them, made finite numbers."""
    with np.errstate(all="ignore"):
        steps = net.trace(x)
    for i, step in enumerate(steps[:reached]):
        strange = step.a[~np.isfinite(step.a)]
        if strange.size:
            raise NetworkError(
                situation=SITUATION,
                seen=f"layer {i} made {strange[0]}",
                wrong="its weights are so large that its outputs overflow",
                fix="train the network again with a smaller learning rate, or scale w and b down",
            )
    return steps


def _require_sound(net: object) -> None:
    """A network with at least one layer, and parameters that are finite numbers."""
    if not isinstance(net, Network) or not net.layers:
        raise NetworkError(
            situation=SITUATION,
            seen="a network without layers" if isinstance(net, Network) else type(net).__name__,
            wrong="there is no way to draw",
            fix="make one with Network(sizes=[64, 128, 64, 10])",
        )
    for i, layer in enumerate(net.layers):
        as_floats(layer.w, net.dtype, name=f"w{i}", situation=SITUATION)
        as_floats(layer.b, net.dtype, name=f"b{i}", situation=SITUATION)


def _grid(a: Array) -> Array:
    """Units in rows of eight or, of more than 64, sixteen; places without a unit are NaN."""
    columns = 8 if len(a) <= 64 else 16
    rows = math.ceil(len(a) / columns)
    grid = np.full(rows * columns, np.nan)
    grid[: len(a)] = a
    return grid.reshape(rows, columns)
