"""The figures of lesson 01 show the numbers that the rooms compute."""

import numpy as np
import pytest

from amaas_kit.network import ACTIVATIONS, Network
from amaas_kit.views import forward_pass as views


def texts(axis):
    return " ".join(text.get_text() for text in axis.texts)


def test_layers_are_labelled_with_sizes_and_parameter_counts():
    net = Network([64, 128, 10], seed=0)
    axis = views.draw_layers(net).axes[0]
    for words in ("64 numbers", "layer 1: relu", "w0: 64 x 128", "8,320 parameters", "b1: 10"):
        assert words in texts(axis)


@pytest.mark.parametrize(("sizes", "circles"), [([3, 2], [3, 2]), ([64, 9, 10], [8, 9, 8])])
def test_the_middle_of_many_units_is_left_out(sizes, circles):
    axis = views.draw_layers(Network(sizes, seed=0)).axes[0]
    assert [len(points.get_offsets()) for points in axis.collections] == circles


def test_the_neurons_map_is_its_answers():
    axis = views.draw_neuron([1.5, -1.0], 0.5, "sigmoid").axes[0]
    mesh = axis.collections[0]
    x1, x2 = mesh.get_coordinates()[30, 80]
    answers = mesh.get_array()
    ticks = np.linspace(-3, 3, len(answers))
    expected = 1 / (1 + np.exp(-(1.5 * ticks[80] - ticks[30] + 0.5)))
    assert answers[30, 80] == pytest.approx(expected)
    assert (x1, x2) == pytest.approx((ticks[80], ticks[30]), abs=0.03)


def test_a_neuron_that_never_changes_its_mind_has_no_border():
    assert len(views.draw_neuron([0.0, 0.0], 1.0).axes[0].collections) == 1


def test_activations_are_drawn_with_their_own_slopes():
    figure = views.draw_activations(["tanh", "relu"])
    assert [axis.get_title() for axis in figure.axes] == ["tanh", "relu"]
    value, slope = figure.axes[0].lines
    np.testing.assert_allclose(value.get_ydata(), np.tanh(value.get_xdata()))
    np.testing.assert_allclose(slope.get_ydata(), 1 / np.cosh(slope.get_xdata()) ** 2, atol=1e-12)


def test_all_activations_but_softmax_are_drawn_by_default():
    titles = [axis.get_title() for axis in views.draw_activations().axes if axis.lines]
    assert titles == [name for name in ACTIVATIONS if name != "softmax"]


def test_the_journey_shows_pixels_activations_and_outputs():
    net = Network([64, 128, 20, 10], seed=0)
    x = np.random.default_rng(0).random(64).astype("float32")
    figure = views.draw_journey(net, x, title="a four")
    axes = [axis for axis in figure.axes if axis.get_label() != "<colorbar>"]
    trace = net.trace(x[None])
    assert axes[0].get_title() == "a four"
    np.testing.assert_array_equal(axes[0].images[0].get_array().ravel(), x)
    for axis, step in zip(axes[1:-1], trace, strict=False):
        drawn = axis.images[0].get_array().compressed()
        np.testing.assert_allclose(drawn, step.a[0])
    lengths = [bar.get_width() for bar in axes[-1].patches]
    np.testing.assert_allclose(lengths, trace[-1].a[0])


def test_losses_are_those_of_the_probability():
    cross_entropy, squared = views.draw_losses().axes[0].lines[:2]
    np.testing.assert_allclose(np.exp(-cross_entropy.get_ydata()), cross_entropy.get_xdata())
    np.testing.assert_allclose(squared.get_ydata(), (1 - squared.get_xdata()) ** 2)


def test_sizes_are_bars_of_their_length_between_two_marks():
    axis = views.draw_sizes({"small": 17_226, "big": 405_000_000_000}, ours=["small"]).axes[0]
    assert [bar.get_width() for bar in axis.patches] == [17_226, 405_000_000_000]
    assert axis.patches[0].get_facecolor() != axis.patches[1].get_facecolor()
    assert sorted(line.get_xdata()[0] for line in axis.lines) == [1_000_000, 10_000_000]
    for words in ("17,226", "405 billion", "1 million", "10 million"):
        assert words in texts(axis)
