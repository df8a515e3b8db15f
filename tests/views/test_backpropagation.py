"""The figures of lesson 02 show the values, slopes and gradients that the rooms compute."""

import matplotlib as mpl
import numpy as np
import pytest

from amaas_kit.network import Network, Value
from amaas_kit.views import backpropagation as views


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


def test_each_value_of_the_graph_has_a_box_with_its_number_and_gradient():
    result = shared()
    result.backward()
    words = texts(views.draw_graph(result).axes[0])
    for value in result.topological_order():
        box = [text for text in words if f"\nvalue {value.data:g}\ngrad" in text]
        assert len(box) == 1
        assert box[0].endswith(f"grad {value.grad:g}")


def test_each_use_of_a_value_has_an_arrow_with_its_slope():
    result = shared()
    axis = views.draw_graph(result).axes[0]
    slopes = sorted(text for text in texts(axis) if text.startswith("slope"))
    expected = [s for value in result.topological_order() for s in value.slopes]
    assert slopes == sorted(f"slope {slope:g}" for slope in expected)
    arrows = [text for text in axis.texts if isinstance(text, mpl.text.Annotation)]
    assert len(arrows) == len(expected)


@pytest.mark.parametrize(
    "make",
    [
        lambda w, x: (w * x + x - 1) ** 2,
        lambda w, x: (w * x).exp() * w + x.tanh() * w,
        lambda w, x: w * x + w * x + w * x,
    ],
)
def test_no_two_boxes_of_a_graph_overlap_and_arrows_go_right(make):
    result = make(Value(0.5, "w"), Value(-2, "x"))
    axis = views.draw_graph(result).axes[0]
    boxes = {text.get_position() for text in axis.texts if "grad" in text.get_text()}
    assert len(boxes) == len(result.topological_order())
    for x0, y0 in boxes:
        assert not any(x0 == x1 and 0 < abs(y0 - y1) < 0.9 for x1, y1 in boxes)
    arrows = [text for text in axis.texts if isinstance(text, mpl.text.Annotation)]
    assert all(arrow.xy[0] > arrow.xyann[0] for arrow in arrows)


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
    sizes = views.draw_gradient_sizes({"relu": [0.5, 0.25, 0.125]}).axes[0]
    assert list(sizes.lines[0].get_ydata()) == [0.5, 0.25, 0.125]
    assert list(sizes.lines[0].get_xdata()) == [0, 1, 2]


def test_directions_are_all_counted_and_the_gradient_stands_out():
    changes = [-0.1, 0.0, 0.1, 0.2]
    axis = views.draw_directions(changes, gradient=-3.0).axes[0]
    assert sum(bar.get_height() for bar in axis.patches) == len(changes)
    assert any(list(line.get_xdata()) == [-3.0, -3.0] for line in axis.lines)
