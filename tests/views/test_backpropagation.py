"""The figures of lesson 02 show the values, slopes and gradients that the rooms compute."""

import itertools
import math

import numpy as np
import pytest
from matplotlib.collections import LineCollection

from amaas_kit.errors import NetworkError
from amaas_kit.network import Network, Value
from amaas_kit.views import backpropagation as views
from amaas_kit.views.graph_stepper import (
    BOX,
    STEPPER_SIZE,
    State,
    Walk,
    layout,
    paint_graph,
)
from amaas_kit.views.picture import empty_figure
from amaas_kit.views.view import leaves


def texts(axis):
    return [text.get_text() for text in axis.texts]


def test_the_slope_is_that_of_the_two_points():
    axis = views.draw_slope(lambda x: x**3, at=1.0, step=0.5).axes[0]
    assert axis.get_title().endswith("4.75")
    curve, line = axis.lines[:2]
    np.testing.assert_allclose(curve.get_ydata(), curve.get_xdata() ** 3)
    x, y = line.get_xdata(), line.get_ydata()
    np.testing.assert_allclose(np.interp([1.0, 1.5], x, y), [1.0, 1.5**3])


def test_gradients_flow_back_in_the_shapes_of_the_values():
    words = " ".join(texts(views.draw_passes(Network([64, 128, 10], seed=0), rows=5).axes[0]))
    for shape in ("x\n5 x 64", "a0\n5 x 128", "dL/da0\n5 x 128", "w1: 128 x 10", "dw1: 128 x 10"):
        assert shape in words


def shared():
    a = Value(2, "a")
    b = a * a
    return b * (b + a)


def drawn(result, state=None):
    """The figure of a graph and what is written in it."""
    figure = empty_figure(STEPPER_SIZE)
    if state is None:
        order = result.topological_order()
        state = State(frozenset(order), {value: value.grad for value in order})
    return figure, paint_graph(figure, layout(result), state)


def lines(figure):
    """The curves of the arrows, in inches."""
    (collection,) = (c for c in figure.artists if isinstance(c, LineCollection))
    return [path.vertices for path in collection.get_paths()]


def test_each_value_of_the_graph_has_a_box_with_its_number_and_gradient():
    result = shared()
    result.backward()
    figure, labels = drawn(result)
    words = [label.text for label in labels]
    for value in result.topological_order():
        assert f"value {value.data:g}" in words
        assert f"grad {value.grad:g}" in words
    assert words.count("grad 44") == 1
    boxes = figure.artists[-2]
    assert len(boxes.get_paths()) == len(result.topological_order())


def test_each_use_of_a_value_has_an_arrow_with_its_slope():
    result = shared()
    figure, labels = drawn(result)
    slopes = sorted(label.text for label in labels if label.text.startswith("slope"))
    expected = [s for value in result.topological_order() for s in value.slopes]
    assert slopes == sorted(f"slope {slope:g}" for slope in expected)
    assert len(lines(figure)) == len(expected)


def test_everything_written_is_drawn_where_it_belongs():
    figure, labels = drawn(shared())
    outlines = figure.artists[-1].get_paths()
    assert len(outlines) == len(labels)
    for outline, label in zip(outlines, labels, strict=True):
        (left, top), (right, low) = outline.vertices.min(axis=0), outline.vertices.max(axis=0)
        assert (left + right) / 2 == pytest.approx(label.place[0], abs=0.01)
        assert top < label.place[1] < low
        assert right - left == pytest.approx(0.08 * len(label.text), rel=0.5)


@pytest.mark.parametrize(
    "make",
    [
        lambda w, x: (w * x + x - 1) ** 2,
        lambda w, x: (w * x).exp() * w + x.tanh() * w,
        lambda w, x: w * x + w * x + w * x,
        lambda w, x: w,
    ],
)
def test_no_two_boxes_of_a_graph_overlap_and_arrows_go_right(make):
    result = make(Value(0.5, "w"), Value(-2, "x"))
    figure, labels = drawn(result)
    boxes = [label.place for label in labels if label.text.startswith("value")]
    assert len(set(boxes)) == len(result.topological_order())
    for x0, y0 in boxes:
        assert not any(x0 == x1 and 0 < abs(y0 - y1) < BOX[1] for x1, y1 in boxes)
    assert all(curve[0][0] < curve[-1][0] for curve in lines(figure))


def test_a_figure_of_a_graph_is_as_large_as_the_graph_needs():
    short, long = Value(2.0, "a") * 3, Value(2.0, "a")
    for _ in range(8):
        long = long * 3
    widths = [views.draw_graph(result).get_size_inches()[0] for result in (short, long)]
    assert widths[1] > 2 * widths[0]


@pytest.mark.parametrize("name", views.lesson_graphs())
def test_a_walk_computes_forwards_and_then_adds_up_the_rule(name):
    result = views.lesson_graphs()[name]
    walk = Walk(result)
    order = result.topological_order()
    operations = [value for value in order if value.parents]
    edges = [
        (parent, slope, value)
        for value in reversed(order)
        for parent, slope in zip(value.parents, value.slopes, strict=True)
    ]
    assert walk.last == len(operations) + 1 + len(edges)
    gradients = dict.fromkeys(order, 0.0)
    for step in range(walk.last + 1):
        state = walk.state(step)
        assert set(operations) & state.computed == set(operations[:step])
        if step <= len(operations):
            assert state.gradients == {}
        elif step == len(operations) + 1:
            gradients[result] = 1.0
            assert state.gradients == gradients
        else:
            parent, slope, child = edges[step - len(operations) - 2]
            gradients[parent] += slope * gradients[child]
            assert state.gradients == gradients
            assert state.now is parent
            ((edge_child, number),) = state.edges
            assert (edge_child, edge_child.parents[number]) == (child, parent)
    result.backward()
    assert gradients == {value: value.grad for value in order}


def test_the_steps_say_what_was_computed_and_who_must_wait():
    walk = Walk(views.lesson_graphs()["a number that is used three times"])
    said = [walk.say(step) for step in range(walk.last + 1)]
    assert said[0] == "Step 0 of 10. Given: a = 2."
    assert said[2] == "Step 2 of 10. Forwards: c = b + a = 6, with the slopes 1 by b, 1 by a."
    assert "grad of b += slope 6 x grad 1 of L: now 6. 1 more to come, so b must wait." in said[5]
    assert "now 10. b has all of it, so it may hand on." in said[7]
    assert said[10].endswith("slope 2 x grad 10 of b: now 44. All gradients are whole.")


def test_values_without_a_label_can_be_told_apart():
    result = -((Value(2.0, "x") * 3) ** 2).tanh() + 1
    walk = Walk(result)
    said = [walk.say(step) for step in range(6)]
    assert said[0].endswith("Given: x = 2, 3, 1.")
    assert "v1 = x * 3 = 6" in said[1]
    assert "v2 = v1 ** 2 = 36" in said[2]
    assert "v3 = tanh(v2) = 1" in said[3]
    assert "v4 = -v3 = -1" in said[4]
    assert "v5 = v4 + 1 = 0" in said[5]


def controls(view):
    return {control.description: control for control in leaves(view.children[:1])}


def test_the_stepper_goes_forth_and_back_and_stops_at_the_ends():
    view = views.GraphStepper()
    step, back, forth = (controls(view)[name] for name in ("step", "back", "next"))
    back.click()
    assert step.value == 0
    forth.click()
    assert view.sentence.startswith("Step 1 of 12. Forwards: u = w * x = 6")
    step.value = 11
    assert "grad of w += slope 3 x grad 8 of u: now 24" in view.sentence
    before = view._picture.png
    for _ in range(3):
        forth.click()
    assert step.value == 12
    assert view._picture.png != before
    back.click()
    assert view._picture.png == before
    assert repr(view) == f"GraphStepper: {view.sentence}"


def test_another_graph_begins_at_its_start():
    view = views.GraphStepper(step=12)
    assert view.sentence.endswith("All gradients are whole.")
    graph = controls(view)["graph"]
    for name in reversed(graph.options):
        graph.value = name
        step = controls(view)["step"]
        assert view.sentence.startswith(f"Step 0 of {step.max}. Given:")
        step.value = step.max
        assert view.sentence.endswith("All gradients are whole.")


def test_a_graph_has_a_slider_of_its_own_in_the_place_of_the_old_one():
    view = views.GraphStepper()
    before = controls(view)
    before["graph"].value = before["graph"].options[1]
    after = controls(view)
    assert list(after) == list(before) == ["graph", "step", "back", "next"]
    assert [after[name] is before[name] for name in before] == [True, False, True, True]
    assert after["step"].style.description_width == before["graph"].style.description_width
    assert before["step"].comm is None
    after["next"].click()
    assert (after["step"].value, view.sentence[:7]) == (1, "Step 1 ")


def test_a_graph_of_ones_own_keeps_whole_gradients_while_it_is_watched():
    a = Value(2.0, "a")
    view = views.GraphStepper({"mine": a * a * a})
    assert a.grad == 12
    controls(view)["step"].value = 3
    assert a.grad == 12
    assert views.GraphStepper(a * a).sentence == "Step 0 of 4. Given: a = 2."


def test_a_shut_relu_lets_no_gradient_through():
    graphs = views.lesson_graphs()
    shut = graphs["a neuron with ReLU that is shut"]
    shut.backward()
    by_name = {value.label: value for value in shut.topological_order()}
    assert by_name["z"].data < 0
    assert by_name["a"].grad != 0
    assert [by_name[name].grad for name in "zwxb"] == [0, 0, 0, 0]


def chain(count):
    value = Value(1.0)
    for _ in range(count):
        value = value + 1.0
    return value


def total(count):
    """The sum of many numbers, added in pairs."""
    values = [Value(float(number)) for number in range(count)]
    while len(values) > 1:
        values.append(values.pop(0) + values.pop(0))
    return values[0]


@pytest.mark.parametrize(
    ("graphs", "word"),
    [
        ({}, "at least one is needed"),
        ({"mine": 3.0}, "a float"),
        (7, "7"),
        (Value(float("nan"), "w") * 2, "finite"),
        (Value(1e308) * Value(1e308), "finite"),
        (chain(5_000), "10,001 nodes"),
        (chain(8), "8 operations that wait for one another"),
        (total(16), "16 numbers below one another"),
    ],
)
def test_what_cannot_be_shown_is_refused_at_once(graphs, word):
    with pytest.raises(NetworkError, match=word):
        views.GraphStepper(graphs)


def test_a_figure_refuses_what_the_stepper_refuses():
    with pytest.raises(NetworkError, match="finite"):
        views.draw_graph(Value(math.inf) + 1)
    with pytest.raises(NetworkError, match="last Value"):
        views.draw_graph(3.0)


def test_the_longest_graph_that_is_taken_can_be_stepped_through():
    view = views.GraphStepper(chain(7), step=99)
    assert "All gradients are whole." in view.sentence


@pytest.mark.parametrize("count", range(2, 13))
def test_of_many_numbers_no_box_lies_on_another(count):
    view = views.GraphStepper({"many": total(count), "few": total(2)}, step=99)
    boxes = [path.get_extents() for path in view.figure().artists[-2].get_paths()]
    assert len(boxes) == 2 * count - 1
    for one, other in itertools.combinations(boxes, 2):
        assert not one.overlaps(other)


def test_the_mask_lets_through_what_came_from_a_positive_sum():
    figure = views.draw_relu_mask([[2.0, -1.0], [0.0, 3.0]], [[-5.0, 6.0], [7.0, 8.0]])
    tables = {axis.get_title(): texts(axis) for axis in figure.axes}
    assert tables["mask f'(z)"] == ["1", "0", "0", "1"]
    assert tables["dL/dz"] == ["-5", "0", "0", "8"]


def test_curves_are_drawn_as_given():
    steps, errors = [0.1, 0.01], {"one-sided": [1e-2, 1e-3], "central": [1e-3, 1e-5]}
    axis = views.draw_step_errors(steps, errors).axes[0]
    for line, (name, curve) in zip(axis.lines, errors.items(), strict=True):
        assert line.get_label() == name
        assert list(line.get_xdata()) == steps
        assert list(line.get_ydata()) == curve
    marked = views.draw_step_errors(steps, errors, {"best": 0.02}).axes[0]
    assert list(marked.lines[2].get_xdata()) == [0.02, 0.02]
    assert texts(marked) == ["best"]
    sizes = views.draw_gradient_sizes({"relu": [0.5, 0.25, 0.125]}).axes[0]
    assert list(sizes.lines[0].get_ydata()) == [0.5, 0.25, 0.125]
    assert list(sizes.lines[0].get_xdata()) == [1, 2, 3]


@pytest.mark.parametrize("count", [1, 6])
def test_no_curve_is_left_out(count):
    curves = {f"curve {i}": [0.5, 0.25] for i in range(count)}
    for figure in (views.draw_gradient_sizes(curves), views.draw_step_errors([0.1, 0.01], curves)):
        assert [line.get_label() for line in figure.axes[0].lines] == list(curves)


def test_directions_are_all_counted_and_the_gradient_stands_out():
    changes = [-0.1, 0.0, 0.1, 0.2]
    axis = views.draw_directions(changes, gradient=-3.0).axes[0]
    assert sum(bar.get_height() for bar in axis.patches) == len(changes)
    assert any(list(line.get_xdata()) == [-3.0, -3.0] for line in axis.lines)


@pytest.mark.parametrize("z", [[1.0, 2.0], [[]], np.ones((20, 20)), np.ones((2, 2, 2))])
def test_tables_that_cannot_be_read_are_refused(z):
    with pytest.raises(NetworkError, match="of one shape"):
        views.draw_relu_mask(z, z)


def test_two_tables_of_different_shapes_are_refused():
    with pytest.raises(NetworkError, match=r"\(1, 2\) and upstream of shape \(2, 1\)"):
        views.draw_relu_mask([[1.0, 2.0]], [[1.0], [2.0]])


def test_a_function_that_is_the_same_everywhere_has_slope_0():
    axis = views.draw_slope(lambda x: 3.0, at=1.0, step=0.1).axes[0]
    assert axis.get_title() == "slope = rise / step = 0"


@pytest.mark.parametrize("step", [-1, "2", None])
def test_a_step_that_is_none_is_refused(step):
    with pytest.raises(NetworkError, match="counted from 0"):
        views.GraphStepper(shared(), step=step)
