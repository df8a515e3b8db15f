"""The neuron at the ends of what it can be given."""

import numpy as np
import pytest

from amaas_kit.errors import NetworkError
from amaas_kit.views.neuron import NeuronExplorer, draw_neuron
from amaas_kit.views.view import leaves


@pytest.mark.parametrize("activation", [None, 3, ["relu"]])
def test_what_is_no_name_of_an_activation_is_refused(activation):
    with pytest.raises(NetworkError, match="no activation is called that"):
        NeuronExplorer(activation=activation)


def test_an_answer_just_below_0_is_said_as_0():
    view = NeuronExplorer(w=(-4, 0), b=0, activation="gelu", at=(3, 0))
    assert "a = gelu(z) = 0.00." in view.sentence


@pytest.mark.filterwarnings("error")
def test_the_arrow_of_tiny_weights_points_where_z_grows():
    arrow = draw_neuron((3e-300, 4e-300), 0.0).axes[0].texts[0]
    np.testing.assert_allclose(np.subtract(arrow.xy, arrow.xyann), (0.6, 0.8))


def sliders(view):
    return [control for control in leaves(view.children[:1]) if control.has_trait("step")]


def nearest_mark(slider):
    """Where the page moves a slider when it shows it."""
    steps = round((slider.value - slider.min) / slider.step)
    return slider.min + steps * slider.step


@pytest.mark.parametrize(
    ("given", "products"),
    [
        ({}, "2 * 1.5 + 1 * (-1) + 0.5 ="),
        ({"w": (1.23, -0.77)}, "2 * 1.23 + 1 * (-0.77) + 0.5 ="),
        ({"limit": 0.05, "at": (0.01, -0.05)}, "0.01 * 1.5 + (-0.05) * (-1) + 0.5 ="),
        ({"w": (1 / 3, 2), "b": -0.123456}, "2 * 0.333333 + 1 * 2 + (-0.123456) ="),
        ({"limit": np.pi, "at": (np.pi, 0.1)}, "3.14159 * 1.5 + 0.1 * (-1) + 0.5 ="),
        ({"limit": 1 / 3, "at": (0.3, 0)}, "0.3 * 1.5 + 0 * (-1) + 0.5 ="),
        ({"w": (999.123, 0), "limit": 1000}, "2 * 999.123 + 1 * 0 + 0.5 ="),
    ],
)
def test_the_page_moves_none_of_the_numbers_that_were_passed(given, products):
    view = NeuronExplorer(**given)
    assert products in view.sentence
    said = view.sentence
    for slider in sliders(view):
        mark = nearest_mark(slider)
        assert mark == pytest.approx(slider.value, abs=1e-11)
        assert slider.min <= mark <= slider.max + 1e-11
        slider.value = mark
    assert view.sentence == said


@pytest.mark.parametrize(
    ("limit", "step"), [(1000, 0.1), (3, 0.1), (1, 0.1), (0.9, 0.01), (0.05, 0.001), (0.001, 1e-4)]
)
def test_the_steps_of_an_input_are_fitted_to_the_map_and_stay_on_it(limit, step):
    x1 = sliders(NeuronExplorer(limit=limit, at=(0, 0)))[3]
    assert (x1.description, x1.step) == ("input x1", pytest.approx(step))
    assert (x1.min, x1.max) == (-limit, limit)


@pytest.mark.parametrize("at", [(100, 100), (0, -3.1)])
def test_a_point_off_the_map_is_said_to_be_there_and_the_map_stays(at):
    view = NeuronExplorer(at=at)
    assert view.sentence.endswith(" The point is off the map.")
    for figure in (view.figure(), draw_neuron((1.5, -1.0), 0.5, at=at)):
        plane = figure.axes[0]
        assert (plane.get_xlim(), plane.get_ylim()) == ((-3, 3), (-3, 3))
        assert [text.get_text() for text in plane.texts if text.get_text()] == [
            "the point is off the map"
        ]
        assert not plane.lines


def test_a_point_at_the_very_end_of_the_map_is_on_it():
    view = NeuronExplorer(at=(np.pi, -np.pi), limit=np.pi)
    assert "off the map" not in view.sentence
    assert view.figure().axes[0].lines


@pytest.mark.parametrize("limit", [0.001, 0.05, 3, 999.123, 1000])
def test_the_words_beside_the_map_lie_within_the_picture(limit):
    figure = draw_neuron((1.5, -1.0), 0.5, limit=limit)
    figure.canvas.draw()
    plane = figure.axes[0]
    label = plane.yaxis.label.get_window_extent()
    for words in plane.get_yticklabels():
        assert words.get_window_extent().x0 > 0
        assert not words.get_window_extent().overlaps(label)
    assert label.x0 > 0


@pytest.mark.parametrize(
    ("given", "seen"),
    [
        ({"limit": "3"}, "limit is a str"),
        ({"limit": None}, "limit is a NoneType"),
        ({"limit": [3]}, r"limit is a list of shape \(1,\)"),
        ({"limit": 1e9}, "limit=1000000000.0"),
        ({"limit": 1e-300}, "limit=1e-300"),
        ({"b": [0.5]}, r"b is a list of shape \(1,\)"),
        ({"b": "a"}, "b is a str"),
        ({"b": None}, "b is a NoneType"),
        ({"b": 2000}, "b = 2000"),
        ({"b": np.inf}, "b=inf"),
        ({"w": None}, "w has dtype object"),
    ],
)
def test_a_refusal_speaks_of_what_was_passed(given, seen):
    for make in (NeuronExplorer, draw_neuron):
        with pytest.raises(NetworkError, match=seen):
            make(**{"w": (1.0, 2.0), "b": 0.0, **given})
