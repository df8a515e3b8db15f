"""The computation graph of a Value: as a figure, and step by step."""

from __future__ import annotations

import functools
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import ipywidgets
import numpy as np
import numpy.typing as npt
from matplotlib import pyplot as plt
from matplotlib.collections import Collection, LineCollection, PathCollection, PolyCollection
from matplotlib.figure import Figure
from matplotlib.path import Path
from matplotlib.textpath import TextPath
from matplotlib.transforms import Affine2D, Transform

from amaas_kit.errors import NetworkError
from amaas_kit.network import BackwardStep, Value
from amaas_kit.session import COLOURS
from amaas_kit.views.view import View

FORWARD, BACKWARD = COLOURS[0], COLOURS[1]
"""Values are drawn in one colour and gradients in the other, in every figure of the lesson."""

WIDE, HIGH = 2.1, 1.15
"""Inches from column to column and from row to row of a graph, where there is room."""

POINTS_PER_INCH = 72

BOX = np.array([1.0, 0.74])
"""Width and height of a node's box, in inches."""

MARGIN = 0.2

CORNERS = np.array([(-1, -1), (1, -1), (1, 1), (-1, 1)])
"""Of a rectangle of half width and half height 1."""

STEPPER_SIZE = (9.4, 4.2)
GREY, FAINT = "#767676", "#cccccc"

MOST_NODES = 40
"""More boxes than these cannot be read."""

MOST_COLUMNS = 8
"""Of more columns, the boxes in the stepper's picture would leave no room for arrows."""

MOST_ROWS = 12
"""A picture of more rows is higher than a page."""

LEAST_HIGH = 0.9
"""Inches from row to row at least; boxes of one column, 0.9 rows apart, do not touch then."""

Points = npt.NDArray[np.float64]
Place = tuple[float, float]


class Label(NamedTuple):
    """A few words about a place in inches, from the upper left corner; `size` is in points."""

    place: Place
    text: str
    colour: str
    size: float = 9.5


class State(NamedTuple):
    """How far a graph has been computed.

    Attributes:
        computed: the values whose numbers are known.
        gradients: what each value has received so far; empty before the way back begins.
        now: the value that the latest step was about.
        edges: those used by the latest step, as (parent, child).
        colour: of the latest step's direction.
    """

    computed: frozenset[Value]
    gradients: Mapping[Value, float]
    now: Value | None = None
    edges: frozenset[tuple[Value, int]] = frozenset()
    colour: str = FORWARD


def draw_graph(result: Value) -> Figure:
    """The graph of a value: each box a number with its gradient, each arrow with its slope.

    Args:
        result: the last value, on which `backward` was called.

    Raises:
        NetworkError: a graph with a number that is not finite, or of too many nodes to be read.

    Taught in: notebooks/02_backpropagation, A scalar graph.
    """
    _require_readable(result)
    order = result.topological_order()
    grid = layout(result)
    low, high = _extent(_spread(grid, WIDE, HIGH))
    figure = plt.figure(figsize=high - low + 2 * MARGIN)
    figure.add_axes((0, 0, 1, 1)).set_axis_off()  # without axes a notebook shows no picture
    whole = State(frozenset(order), {value: value.grad for value in order})
    paint_graph(figure, grid, whole)
    return figure


class GraphStepper(View):
    """A graph that is computed before one's eyes: the values forwards, then the gradients back.

    A step is one operation on the way forward, and one addition on the way back, in the order and
    with the numbers of `Value.backward_steps`. The gradients of the graph are whole afterwards.

    Args:
        graphs: by name, the last value of each graph; or one Value; None for four of the lesson.
        step: to begin with; one beyond the last is the last.

    Raises:
        NetworkError: no graph, something that is no Value, a number that is not finite, or too many
            nodes, operations in a row, or numbers in a column, to be read.

    Taught in: notebooks/02_backpropagation, A scalar graph.
    """

    def __init__(self, graphs: Mapping[str, Value] | Value | None = None, step: int = 0) -> None:
        self._graphs = _named(lesson_graphs() if graphs is None else graphs)
        for result in self._graphs.values():
            _require_readable(result)
            _require_room(result)
        if not isinstance(step, int) or step < 0:
            raise NetworkError(
                situation="While showing a computation graph step by step",
                seen=f"step={step!r}",
                wrong="steps are counted from 0",
                fix="pass step=0",
            )
        self._walk = Walk(next(iter(self._graphs.values())))
        self._expression = ipywidgets.Dropdown(options=list(self._graphs), description="graph")
        self._step = self._slider(step)
        back, forth = (ipywidgets.Button(description=name) for name in ("back", "next"))
        back.on_click(lambda _: self._go(-1))
        forth.on_click(lambda _: self._go(1))
        self._expression.observe(self._choose, "value")
        width, height = STEPPER_SIZE
        size = width, max(height, *map(_least_height, self._graphs.values()))
        super().__init__([self._expression, self._step, back, forth], size)

    def paint(self, figure: Figure) -> str:
        """The graph after the chosen step."""
        paint_graph(figure, self._walk.grid, self._walk.state(self._step.value))
        return self._walk.say(self._step.value)

    def _slider(self, step: int) -> ipywidgets.IntSlider:
        last = self._walk.last
        return ipywidgets.IntSlider(description="step", min=0, max=last, value=min(step, last))

    def _choose(self, change: object) -> None:
        self._walk = Walk(self._graphs[self._expression.value])
        old, self._step = self._step, self._slider(0)
        self.exchange(old, self._step)

    def _go(self, steps: int) -> None:
        self._step.value = min(max(self._step.value + steps, 0), self._step.max)


class Walk:
    """All steps of a graph: the operations forwards, then the additions of `backward_steps`.

    Args:
        result: the last value of the graph.

    Attributes:
        last: the number of the last step; step 0 is the graph before anything was computed.
        grid: a column and a row for each value.
    """

    def __init__(self, result: Value) -> None:
        order = result.topological_order()
        self.grid = layout(result)
        self.given = [value for value in order if not value.parents]
        self.forward = [value for value in order if value.parents]
        self.backward: list[BackwardStep] = list(result.backward_steps())
        self.last = len(self.forward) + len(self.backward)
        self._names = _names(order)

    def state(self, step: int) -> State:
        """What is known after so many steps."""
        done = self.forward[:step]
        computed = frozenset([*self.given, *done])
        back = self.backward[: max(step - len(self.forward), 0)]
        if back:
            latest = back[-1]
            gradients = {**dict.fromkeys(computed, 0.0), **{s.value: s.total for s in back}}
            edges = frozenset() if latest.child is None else frozenset([_edge_of(back)])
            return State(computed, gradients, latest.value, edges, BACKWARD)
        if not done:
            return State(computed, {})
        now = done[-1]
        return State(computed, {}, now, frozenset((now, i) for i in range(len(now.parents))))

    def say(self, step: int) -> str:
        """What the latest of so many steps did, with its numbers."""
        if step == 0:
            return f"{self._count(0)} Given: {self._numbers(self.given)}."
        if step <= len(self.forward):
            return f"{self._count(step)} Forwards: {self._computed(self.forward[step - 1])}"
        back = self.backward[: step - len(self.forward)]
        return f"{self._count(step)} Backwards: {self._received(back)}"

    def _count(self, step: int) -> str:
        return f"Step {step} of {self.last}."

    def _numbers(self, values: Sequence[Value]) -> str:
        named = (f"{self._names[v]} = {_number(v.data)}" for v in values if v.label)
        unnamed = (f"{_number(v.data)}" for v in values if not v.label)
        return ", ".join([*named, *unnamed])

    def _computed(self, value: Value) -> str:
        names = [self._names[parent] for parent in value.parents]
        slopes = ", ".join(
            f"{_number(slope)} by {name}" for name, slope in zip(names, value.slopes, strict=True)
        )
        noun = "slope" if len(names) == 1 else "slopes"
        said = f"{self._names[value]} = {_written(value.operation, names)} = {_number(value.data)}"
        return f"{said}, with the {noun} {slopes}."

    def _received(self, back: Sequence[BackwardStep]) -> str:
        latest = back[-1]
        name = self._names[latest.value]
        if latest.child is None:
            return f"the gradient of {name} by itself is 1. It has all, so it may hand on."
        said = (
            f"grad of {name} += slope {_number(latest.slope)} x grad {_number(latest.upstream)} of "
            f"{self._names[latest.child]}: now {_number(latest.total)}."
        )
        waiting = sum(step.value is latest.value for step in self.backward[len(back) :])
        if len(back) == len(self.backward):
            return f"{said} All gradients are whole."
        if waiting:
            return f"{said} {waiting} more to come, so {name} must wait."
        return f"{said} {name} has all of it{', so it may hand on' * bool(latest.value.parents)}."


def lesson_graphs() -> dict[str, Value]:
    """The graphs that the lesson steps through: a neuron, a number used twice, tanh and ReLU.

    Taught in: notebooks/02_backpropagation, A scalar graph.
    """
    return {
        "a neuron and its squared error": _neuron(2, 3, -1, 1),
        "a number that is used three times": _shared(2),
        "a neuron with tanh": _neuron(-0.5, 1.5, 1, 1, Value.tanh),
        "a neuron with ReLU that is shut": _neuron(1, -2, 0.5, 1, Value.relu),
    }


def _neuron(w: float, x: float, b: float, y: float, activation: Any = None) -> Value:
    u = Value(w, "w") * Value(x, "x")
    z = u + Value(b, "b")
    a = activation(z) if activation else z
    e = a - Value(y, "y")
    loss = e**2
    for value, label in ((u, "u"), (a, "a"), (z, "z"), (e, "e"), (loss, "L")):
        value.label = label
    return loss


def _shared(number: float) -> Value:
    a = Value(number, "a")
    b = a * a
    c = b + a
    loss = b * c
    b.label, c.label, loss.label = "b", "c", "L"
    return loss


def _named(graphs: Mapping[str, Value] | Value) -> dict[str, Value]:
    named = {"graph": graphs} if isinstance(graphs, Value) else graphs
    if not isinstance(named, Mapping) or not named:
        raise _no_graph(repr(graphs))
    for name, result in named.items():
        if not isinstance(result, Value):
            raise _no_graph(f"{name!r}: a {type(result).__name__}")
    return {str(name): result for name, result in named.items()}


def _no_graph(seen: str) -> NetworkError:
    return NetworkError(
        situation="While showing a computation graph",
        seen=seen,
        wrong="a graph is given by its last Value, and at least one is needed",
        fix='pass a Value, such as (w * x + b) ** 2, or several by name, {"mine": loss}',
    )


def _require_readable(result: Value) -> None:
    if not isinstance(result, Value):
        raise _no_graph(repr(result))
    situation = "While drawing a computation graph"
    order = result.topological_order()
    if len(order) > MOST_NODES:
        raise NetworkError(
            situation=situation,
            seen=f"{len(order):,} nodes",
            wrong=f"more than {MOST_NODES} boxes cannot be read",
            fix="draw a value from the middle of it, which has fewer nodes before it",
        )
    for value in order:
        if not all(map(math.isfinite, (value.data, *value.slopes))):
            raise NetworkError(
                situation=situation,
                seen=f"{value}",
                wrong="a graph can only be followed when all its numbers are finite",
                fix="look at how this number came about; another input may avoid it",
            )


def _least_height(result: Value) -> float:
    """Inches that the picture of a graph needs, so that no box lies on another."""
    low, high = _extent(_spread(layout(result), WIDE, LEAST_HIGH))
    return float(high[1] - low[1] + 2 * MARGIN)


def _require_room(result: Value) -> None:
    columns, rows = (1 + max(place[i] for place in layout(result).values()) for i in (0, 1))
    if rows > MOST_ROWS:
        raise NetworkError(
            situation="While showing a computation graph step by step",
            seen=f"{rows:.0f} numbers below one another",
            wrong=f"more than {MOST_ROWS} make a picture higher than a page",
            fix="step through a graph of fewer given numbers; draw_graph shows the whole, as high "
            "as it needs",
        )
    if columns > MOST_COLUMNS:
        raise NetworkError(
            situation="While showing a computation graph step by step",
            seen=f"{columns - 1:.0f} operations that wait for one another",
            wrong=f"more than {MOST_COLUMNS - 1} do not fit side by side into the picture",
            fix="step through a value from the middle of it; draw_graph shows the whole, as wide "
            "as it needs",
        )


def _names(order: Sequence[Value]) -> dict[Value, str]:
    """The labels; what has none is called by its number if it was given, else v1, v2, …"""
    names, count = {}, 0
    for value in order:
        if value.label:
            names[value] = value.label
        elif value.parents:
            count += 1
            names[value] = f"v{count}"
        else:
            names[value] = f"{_number(value.data)}"
    return names


def _written(operation: str, names: Sequence[str]) -> str:
    """An operation on names as it is written in Python: "w * x", "tanh(z)", "e ** 2"."""
    if len(names) == 2:
        return f"{names[0]} {operation} {names[1]}"
    if operation.startswith("**"):
        return f"{names[0]} ** {operation[2:]}"
    return f"-{names[0]}" if operation == "neg" else f"{operation}({names[0]})"


def _edge_of(back: Sequence[BackwardStep]) -> tuple[Value, int]:
    """The arrow of the latest addition: its child, and which of the child's parents was meant."""
    child = back[-1].child
    assert child is not None
    return child, sum(step.child is child for step in back) - 1


def paint_graph(figure: Figure, grid: Mapping[Value, Place], state: State) -> list[Label]:
    """Draw a graph as far as it has been computed, in inches from the upper left corner.

    It is drawn on the figure itself, all lines in one collection, all arrow heads, boxes and labels
    in others: axes, and an artist for each line and label, would take ten times as long.

    Returns:
        What was written.
    """
    width, height = figure.get_size_inches()
    inches = Affine2D().scale(1, -1).translate(0, height) + figure.dpi_scale_trans
    places = _places(grid, width, height)
    slopes = _paint_arrows(figure, inches, places, state)
    _paint_boxes(figure, inches, places, state)
    labels = [*slopes, *_box_labels(places, state)]
    if slopes and not slopes[0].text.startswith("slope"):
        labels.append(Label((width / 2, 0.14), "beside each arrow: its slope", GREY, 9.0))
    _paint_labels(figure, inches, labels)
    return labels


def _paint_arrows(
    figure: Figure, inches: Transform, places: Mapping[Value, Place], state: State
) -> list[Label]:
    """The arrows; their slopes, which are returned, stand in a gap, or above where that is short.

    They point to the child, but for the one by which a gradient just came back.
    """
    arrows = list(_arrows(places))
    curves = []
    for arrow in arrows:
        curve = _outside(_curve(arrow), arrow.start, arrow.end)
        back = state.gradients and (arrow.child, arrow.number) in state.edges
        curves.append(curve[::-1] if back else curve)
    columns = sorted({x for x, _ in places.values()})
    word = "slope " if min(np.diff(columns), default=WIDE) > 0.9 * WIDE else ""
    colours, widths, labels = [], [], []
    for arrow, curve in zip(arrows, curves, strict=True):
        used = (arrow.child, arrow.number) in state.edges
        known = arrow.child in state.computed
        colours.append(state.colour if used else GREY if known else FAINT)
        widths.append(2.6 if used else 1.3)
        if known:
            x, y = curve[len(curve) // 2] if word else _above(curve)
            text = f"{word}{_number(arrow.child.slopes[arrow.number])}"
            labels.append(Label((x, y), text, state.colour if used else "#303030", 8.5))
    gaps = [label.place + CORNERS * (0.036 * len(label.text) + 0.02, 0.085) for label in labels]
    gaps = gaps if word else []
    heads = [_head(curve) for curve in curves]
    for shapes in (
        LineCollection(curves, colors=colours, linewidths=widths, zorder=1),
        PolyCollection(heads, facecolors=colours, linewidths=0, zorder=2),
        PolyCollection(gaps, facecolors="white", linewidths=0, zorder=2),
    ):
        _add(figure, inches, shapes)
    return labels


def _paint_boxes(
    figure: Figure, inches: Transform, places: Mapping[Value, Place], state: State
) -> None:
    now = [value is state.now for value in places]
    boxes = PolyCollection(
        [place + CORNERS * BOX / 2 for place in places.values()],
        facecolors="white",
        edgecolors=[
            state.colour if it else GREY if value in state.computed else FAINT
            for value, it in zip(places, now, strict=True)
        ],
        linewidths=[2.6 if it else 1.2 for it in now],
        zorder=3,
    )
    _add(figure, inches, boxes)


def _box_labels(places: Mapping[Value, Place], state: State) -> Iterator[Label]:
    """What stands in the boxes: the name with the operation, the number, the gradient."""
    names = _names(list(places))
    for value, (x, y) in places.items():
        operation = f" ({value.operation})" if value.operation else ""
        yield Label((x, y - 0.22), f"{names[value]}{operation}", "black")
        if value in state.computed:
            yield Label((x, y), f"value {_number(value.data)}", FORWARD)
        else:
            yield Label((x, y), "value ?", GREY)
        if value in state.gradients:
            yield Label((x, y + 0.22), f"grad {_number(state.gradients[value])}", BACKWARD)


def _paint_labels(figure: Figure, inches: Transform, labels: Sequence[Label]) -> None:
    paths = []
    for label in labels:
        outline = _outline(label.text, label.size)
        paths.append(Path(outline.vertices + np.array(label.place), outline.codes))
    colours = [label.colour for label in labels]
    _add(figure, inches, PathCollection(paths, facecolors=colours, linewidths=0, zorder=4))


@functools.lru_cache(maxsize=1024)
def _outline(text: str, size: float) -> Path:
    """The letters of a text as shapes in inches, y downwards, about their middle.

    Shapes are kept from step to step, in which few texts change; to set a text anew takes longer
    than to draw all of the picture's shapes.
    """
    path = TextPath((0, 0), text, size=size)
    box = path.get_extents()
    middle = ((box.x0 + box.x1) / 2, 0.36 * size)
    return Path((path.vertices - middle) / POINTS_PER_INCH * (1, -1), path.codes)


def _add(figure: Figure, inches: Transform, shapes: Collection) -> None:
    shapes.set_transform(inches)
    shapes.set_snap(False)
    figure.add_artist(shapes)


def _number(number: float) -> str:
    """Three digits, or four where there is much before the point; never -0."""
    return f"{number + 0.0:.{3 if abs(number) < 1000 else 4}g}"


def layout(result: Value) -> dict[Value, Place]:
    """A column and a row for each value: parents to the left, as near to their child as can be."""
    order = result.topological_order()
    column: dict[Value, int] = {}
    for value in order:
        column[value] = 1 + max((column[parent] for parent in value.parents), default=-1)
    for value in reversed(order):
        for parent in value.parents:
            if not parent.parents:
                readers = [child for child in order if parent in child.parents]
                column[parent] = min(column[child] for child in readers) - 1
    rows: dict[Value, float] = {}
    for row, leaf in enumerate(value for value in order if not value.parents):
        rows[leaf] = float(row)
    for value in order:
        if value.parents:
            place = float(np.mean([rows[parent] for parent in value.parents]))
            while any(column[v] == column[value] and abs(place - y) < 0.9 for v, y in rows.items()):
                place += 0.5
            rows[value] = place
    top = min(rows.values())
    return {value: (float(column[value]), rows[value] - top) for value in order}


def _places(grid: Mapping[Value, Place], width: float, height: float) -> dict[Value, Place]:
    """The middle of each box in inches, in the middle of a figure of that size, y downwards."""
    columns, rows = (max(place[i] for place in grid.values()) for i in (0, 1))
    across = min(WIDE, (width - BOX[0] - 2 * MARGIN) / max(columns, 1))
    places = _spread(grid, across, HIGH)
    low, high = _extent(places)
    too_high = high[1] - low[1] + 2 * MARGIN - height
    if rows and too_high > 0:
        places = _spread(grid, across, HIGH - too_high / rows)
        low, high = _extent(places)
    shift = (np.array([width, height]) - low - high) / 2
    return {value: (x + shift[0], y + shift[1]) for value, (x, y) in places.items()}


def _spread(grid: Mapping[Value, Place], across: float, down: float) -> dict[Value, Place]:
    return {value: (across * column, down * row) for value, (column, row) in grid.items()}


def _extent(places: Mapping[Value, Place]) -> tuple[Points, Points]:
    """The upper left and the lower right corner of all boxes and arrows."""
    marks = np.concatenate(
        [place + CORNERS * BOX / 2 for place in places.values()]
        + [_curve(arrow) for arrow in _arrows(places)]
    )
    return marks.min(axis=0), marks.max(axis=0)


class _Arrow(NamedTuple):
    """From a parent to its child; `bend` says how far it swings out, 0 for straight."""

    parent: Value
    child: Value
    number: int
    start: Place
    end: Place
    bend: float


def _arrows(places: Mapping[Value, Place]) -> Iterator[_Arrow]:
    """All arrows; those that would run through a box, or over each other, are bent."""
    columns = sorted({x for x, _ in places.values()})
    side = 1.0
    for child, end in places.items():
        for number, parent in enumerate(child.parents):
            start = places[parent]
            bend = 0.0
            if child.parents.count(parent) > 1:
                bend = 0.35 * (-1) ** number
            elif columns.index(end[0]) - columns.index(start[0]) > 1:
                bend, side = 0.45 * side, -side
            yield _Arrow(parent, child, number, start, end, bend)


def _curve(arrow: _Arrow) -> Points:
    """Points on the way from middle to middle of the two boxes."""
    (x0, y0), (x1, y1) = arrow.start, arrow.end
    across = np.array([-(y1 - y0), x1 - x0])
    turn = (np.add(arrow.start, arrow.end)) / 2 + arrow.bend * across
    t = np.linspace(0, 1, 61)[:, None]
    curve: Points = (1 - t) ** 2 * arrow.start + 2 * t * (1 - t) * turn + t**2 * np.array(arrow.end)
    return curve


def _outside(curve: Points, start: Place, end: Place) -> Points:
    """The part of a curve that lies in neither box, with a little air at both ends."""
    free = np.ones(len(curve), bool)
    for middle in (start, end):
        free &= (np.abs(curve - middle) > BOX / 2 + 0.05).any(axis=1)
    return curve[free]


def _above(curve: Points) -> Points:
    """A place beside the middle of a curve, on its upper side."""
    x, y = curve[-1] - curve[0]
    upwards = np.array([y, -x]) * np.sign(x or 1) / np.hypot(x, y)
    place: Points = curve[len(curve) // 2] + 0.13 * upwards
    return place


def _head(curve: Points) -> Points:
    """The triangle at the end of a curve."""
    tip, before = curve[-1], curve[-3]
    along = (tip - before) / np.hypot(*(tip - before))
    across = np.array([-along[1], along[0]])
    tip = tip + 0.04 * along
    return np.array([tip, tip - 0.13 * along + 0.06 * across, tip - 0.13 * along - 0.06 * across])
