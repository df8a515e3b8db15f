"""A neuron of two inputs, as a map of its answers: a figure, and a widget whose numbers move."""

from __future__ import annotations

import math
from typing import Any

import ipywidgets
import numpy as np
import numpy.typing as npt
from matplotlib import colormaps
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.colors import Normalize
from matplotlib.figure import Figure

from amaas_kit.errors import NetworkError
from amaas_kit.network import ACTIVATIONS, Activation, Dense, Elementwise, find_activation
from amaas_kit.network.arrays import Array, as_array, as_floats
from amaas_kit.session import COLOURS
from amaas_kit.views.picture import note_on
from amaas_kit.views.view import View

BANDS = colormaps["cividis"].resampled(20)
"""Few colours in flat bands, which can be counted, and which a PNG packs quickly."""

MAP_SIDE = 151
"""So many points in each direction a neuron is asked for."""

LARGEST = 1000.0
"""So large a weight, a bias or an input may be."""

SMALLEST_MAP = 0.001
"""So near to 0 a map may end; z is said to two decimals."""

DECIMALS = 10
"""So many decimals of a slider's value count; the page returns it with the error of rounding."""

SIZE = (7.2, 3.6)
SITUATION = "While drawing a neuron"


def draw_neuron(
    w: npt.ArrayLike,
    b: float,
    activation: str = "sigmoid",
    limit: float = 3.0,
    at: npt.ArrayLike | None = None,
) -> Figure:
    """What a neuron of two inputs answers, for every pair of inputs between -limit and limit.

    Args:
        w: its two weights.
        b: its bias.
        activation: name of its activation.
        limit: where the map ends, in both directions; from 0.001 to 1,000.
        at: a point (x1, x2) to mark on the map and on the activation's curve; one off the map is
            said to be there.

    Raises:
        NetworkError: weights, a bias, a point or a limit that are no finite numbers, too large, or
            too many or few of them; an activation that is unknown or does not work on each number
            alone.

    Taught in: notebooks/01_forward_pass, A neuron.
    """
    neuron = _neuron(w, b, activation)
    point = None if at is None else _two_numbers(at, "at")
    figure = plt.figure(figsize=SIZE)
    _paint_neuron(figure, neuron, _end_of_map(limit), point)
    return figure


class NeuronExplorer(View):
    """A neuron of two inputs whose weights, bias and activation can be moved.

    The picture is that of `draw_neuron`; the sentence says z and a at a point of one's choice.

    The sliders begin at the very numbers that are passed. They move in steps of 0.1, of an input
    in finer ones where the map ends below 1. A number of up to two digits more makes the steps so
    much finer; one of still more is kept to ten decimals, and its slider counts its steps from it.

    Args:
        w: the two weights to begin with.
        b: the bias to begin with.
        activation: its name to begin with.
        at: the point (x1, x2) to begin with.
        limit: where the map ends, in both directions; from 0.001 to 1,000.

    Raises:
        NetworkError: as `draw_neuron`.

    Taught in: notebooks/01_forward_pass, A neuron.
    """

    def __init__(
        self,
        w: npt.ArrayLike = (1.5, -1.0),
        b: float = 0.5,
        activation: str = "sigmoid",
        at: npt.ArrayLike = (2.0, 1.0),
        limit: float = 3.0,
    ) -> None:
        neuron = _neuron(w, b, activation)
        x1, x2 = _two_numbers(at, "at")
        self._limit = round(_end_of_map(limit), DECIMALS)
        w1, w2 = neuron.w[:, 0]
        self._w1 = _slider("weight 1", w1, 4.0)
        self._w2 = _slider("weight 2", w2, 4.0)
        self._b = _slider("bias", neuron.b[0], 4.0)
        self._activation = ipywidgets.Dropdown(
            options=list(elementwise()), value=activation, description="activation"
        )
        self._x1 = _slider("input x1", x1, self._limit)
        self._x2 = _slider("input x2", x2, self._limit)
        controls = (self._w1, self._w2, self._b, self._x1, self._x2, self._activation)
        super().__init__(controls, size=SIZE)

    def paint(self, figure: Figure) -> str:
        """The neuron's map and curve, and its z and a at the chosen point."""
        sliders = (self._w1, self._w2, self._b, self._x1, self._x2)
        w1, w2, b, x1, x2 = (round(slider.value, DECIMALS) for slider in sliders)
        neuron = _neuron((w1, w2), b, self._activation.value)
        z, a, told = _paint_neuron(figure, neuron, self._limit, np.array([x1, x2]))
        products = f"{_factor(x1)} * {_factor(w1)} + {_factor(x2)} * {_factor(w2)}"
        return (
            f"z = x1 w1 + x2 w2 + b = {products} + {_factor(b)} = {z:z.2f}, "
            f"and a = {neuron.activation.name}(z) = {a:z.2f}. {told}"
        )


def _paint_neuron(
    figure: Figure, neuron: Dense, limit: float, point: npt.NDArray[Any] | None
) -> tuple[float, float, str]:
    """Map and curve into an empty figure; z and a at the point (nan without one), more in words."""
    plane = figure.add_axes((0.1, 0.14, 0.415, 0.83))
    curve = figure.add_axes((0.65, 0.14, 0.33, 0.83))
    ticks = np.linspace(-limit, limit, MAP_SIDE)
    x1, x2 = np.meshgrid(ticks, ticks)
    x = np.column_stack([x1.ravel(), x2.ravel()])
    sums = neuron.weighted_sums(x).reshape(x1.shape)
    colours = _paint_curve(curve, neuron.activation, max(1.0, float(np.abs(sums).max())))
    plane.imshow(
        neuron.forward(x).reshape(x1.shape), cmap=BANDS, norm=colours, origin="lower",
        extent=(-limit, limit, -limit, limit), interpolation="nearest",
    )  # fmt: skip
    marks = [-limit, 0.0, limit]
    ends = (-limit, limit)
    plane.set(xlabel="x1", ylabel="x2", xticks=marks, yticks=marks, xlim=ends, ylim=ends)
    plane.yaxis.set_label_coords(-0.13, 0.75)
    for axis in (plane.xaxis, plane.yaxis):
        axis.set_major_formatter("{x:.4g}")
    plane.grid(visible=False)
    border = _paint_border(plane, x1, x2, sums, neuron.w[:, 0])
    if point is None:
        return math.nan, math.nan, border
    row = point[None, :]
    z, a = float(neuron.weighted_sums(row)[0, 0]), float(neuron.forward(row)[0, 0])
    dot: dict[str, Any] = {"color": COLOURS[1], "markeredgecolor": "white", "markersize": 9}
    if np.abs(point).max() <= limit:
        plane.plot(*point, "o", clip_on=False, **dot)
    else:
        border += " The point is off the map."
        note_on(plane, "the point is off the map")
    curve.plot([z, z, curve.get_xlim()[0]], [curve.get_ylim()[0], a, a], ":", color=COLOURS[1])
    curve.plot(z, a, "o", **dot)
    return z, a, border


def _paint_border(axis: Axes, x1: Array, x2: Array, z: Array, weights: Array) -> str:
    """The line z = 0 where the map has one, with the weights as an arrow on it."""
    if not z.min() < 0 < z.max():
        side = "0" if not z.any() else "above 0" if z.max() > 0 else "below 0"
        return f"There is no border on this map: z is {side} everywhere."
    line = axis.contour(x1, x2, z, levels=[0.0], colors="white", linewidths=2).allsegs[0][0]
    middle = (line[0] + line[-1]) / 2
    near_1 = weights / np.abs(weights).max()  # the square of a tiny weight is 0
    tip = middle + x1.max() / 3 * near_1 / np.linalg.norm(near_1)
    axis.annotate(
        "", xy=tip, xytext=middle, annotation_clip=False,
        arrowprops={"arrowstyle": "-|>", "color": COLOURS[1], "linewidth": 2.5, "shrinkA": 0},
    )  # fmt: skip
    return "The white line is the border, z = 0; the arrow, the weights, says where z grows."


def _paint_curve(axis: Axes, activation: Activation, limit: float) -> Normalize:
    """a over z with the map's colours along the axis of a; returns which colour stands for what."""
    z = np.linspace(-limit, limit, 201)
    a = activation.value(z)
    colours = Normalize(a.min(), a.max())
    room = 0.06 * (a.max() - a.min())
    strip = np.linspace(a.min(), a.max(), BANDS.N)[:, None]
    axis.imshow(
        strip, cmap=BANDS, norm=colours, origin="lower", aspect="auto",
        extent=(-limit, -0.92 * limit, a.min(), a.max()), interpolation="nearest",
    )  # fmt: skip
    axis.plot(z, a, color=COLOURS[0])
    axis.set(
        xlabel="z", ylabel=f"a = {activation.name}(z)",
        xlim=(-limit, limit), ylim=(a.min() - room, a.max() + room),
        xticks=[-limit, 0.0, limit], yticks=[a.min(), a.max()],
    )  # fmt: skip
    axis.xaxis.set_major_formatter("{x:.1f}")
    axis.yaxis.set_major_formatter("{x:.2f}")
    axis.spines[["top", "right"]].set_visible(False)
    return colours


def _neuron(w: npt.ArrayLike, b: float, activation: str) -> Dense:
    """One unit of two inputs, of finite numbers, whose activation works on it alone."""
    weights = _two_numbers(w, "w")
    bias = _bias(b)
    if find_activation(str(activation)).name not in elementwise():
        raise NetworkError(
            situation=SITUATION,
            seen=f"the activation {activation!r}",
            wrong="it needs several numbers, and a neuron makes one",
            fix=f"choose one of: {', '.join(elementwise())}",
        )
    return Dense(weights[:, None], np.array([bias]), activation)


def _bias(b: object) -> float:
    bias = _one_number(b, "b", 0.5)
    if not math.isfinite(bias):
        raise NetworkError(
            situation=SITUATION,
            seen=f"b={bias}",
            wrong="a neuron computes with finite numbers",
            fix="pass a finite number, for example b=0.5",
        )
    return float(_drawable(bias, "b"))


def _one_number(value: Any, name: str, example: float) -> float:
    """A real number, finite or not, that stands alone."""
    array = as_array(value, name=name, situation=SITUATION)
    if array.ndim == 0 and array.dtype.kind in "biuf":
        return float(array)
    shape = f" of shape {array.shape}" if array.ndim else ""
    raise NetworkError(
        situation=SITUATION,
        seen=f"{name} is a {type(value).__name__}{shape}",
        wrong=f"{name} is one number",
        fix=f"pass a number by itself, for example {name}={example}",
    )


def _two_numbers(values: npt.ArrayLike, name: str) -> npt.NDArray[Any]:
    numbers = _drawable(values, name)
    if numbers.shape != (2,):
        raise NetworkError(
            situation=SITUATION,
            seen=f"{name} of shape {numbers.shape}",
            wrong="a map has two directions, so there are two inputs and two weights",
            fix=f"pass two numbers, for example {name}=(1.5, -1.0)",
        )
    return numbers


def _drawable(values: npt.ArrayLike, name: str) -> Array:
    """Finite numbers, none so large that a map or a slider shows nothing of it."""
    numbers = as_floats(values, np.dtype("float64"), name=name, situation=SITUATION)
    if np.abs(numbers).max(initial=0.0) > LARGEST:
        raise NetworkError(
            situation=SITUATION,
            seen=f"{name} = {numbers}",
            wrong=f"a map of inputs of a few units shows nothing of numbers beyond {LARGEST:,.0f}",
            fix="divide w and b by the same number; the border stays where it is",
        )
    return numbers


def elementwise() -> dict[str, Elementwise]:
    """The activations that work on each number alone, by name."""
    return {name: f for name, f in ACTIVATIONS.items() if isinstance(f, Elementwise)}


def _end_of_map(limit: object) -> float:
    end = _one_number(limit, "limit", 3.0)
    if not SMALLEST_MAP <= end <= LARGEST:
        raise NetworkError(
            situation=SITUATION,
            seen=f"limit={end}",
            wrong="the map reaches from -limit to limit, and that must be inputs it can show",
            fix=f"pass a number from {SMALLEST_MAP} to {LARGEST:,.0f}, for example limit=3.0",
        )
    return end


def _factor(value: float) -> str:
    """A number as it stands in a product: a negative one in parentheses."""
    return f"{value:.6g}" if value >= 0 else f"({value:.6g})"


def _slider(description: str, value: float, limit: float) -> ipywidgets.FloatSlider:
    """From -limit to limit, or as far as the value needs, with the value on one of its marks.

    The page moves a slider to its nearest mark, so one that begins between two would move itself.
    """
    value = round(float(value), DECIMALS)
    reach = limit if abs(value) <= limit else math.ceil(abs(value))
    least, greatest, step = _marks(value, reach, _decimals(limit))
    return ipywidgets.FloatSlider(
        value=value, min=least, max=greatest, step=step, description=description,
        readout_format=f".{max(2, round(-math.log10(step)))}f",
    )  # fmt: skip


def _decimals(limit: float) -> int:
    """Of the steps on the way to a limit: one, or so many more that there are ten and more."""
    return max(1, 1 - math.floor(math.log10(limit)))


def _marks(value: float, reach: float, decimals: int) -> tuple[float, float, float]:
    """Least and greatest value and step of a slider, none beyond reach, one mark on the value."""
    for digits in range(decimals, decimals + 3):
        if value == round(value, digits):
            most = math.floor(round(reach * 10**digits, 6)) / 10**digits
            return -most, most, 10.0**-digits
    step = 10.0**-decimals
    below, above = (math.floor(way / step) for way in (value + reach, reach - value))
    return value - below * step, value + above * step, step
