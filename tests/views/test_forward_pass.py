"""The figures and widgets of lesson 01 show the numbers that the rooms compute."""

import itertools

import numpy as np
import pytest

from amaas_kit.errors import NetworkError
from amaas_kit.network import ACTIVATIONS, Dense, Network
from amaas_kit.views import forward_pass as views
from amaas_kit.views.view import leaves


def texts(axis):
    return " ".join(text.get_text().replace("\n", " ") for text in axis.texts)


def test_layers_are_labelled_with_sizes_and_parameter_counts():
    net = Network([64, 128, 10], seed=0)
    axis = views.draw_layers(net).axes[0]
    for words in ("64 numbers", "layer 0: relu", "w0: 64 x 128", "layer 1: identity", "b1: 10"):
        assert words in texts(axis)


def test_the_layers_do_not_give_away_how_many_parameters_there_are():
    net = Network([64, 128, 10], seed=0)
    shown = texts(views.draw_layers(net).axes[0])
    for layer in net.layers:
        assert f"{layer.w.size + layer.b.size:,}" not in shown


@pytest.mark.parametrize(("sizes", "circles"), [([3, 2], [3, 2]), ([64, 9, 10], [8, 9, 8])])
def test_the_middle_of_many_units_is_left_out(sizes, circles):
    axis = views.draw_layers(Network(sizes, seed=0)).axes[0]
    assert [len(points.get_offsets()) for points in axis.collections] == circles


def lengths(bars):
    """Of the bars of a journey's last layer, each from 0 to its number."""
    segments = np.array([line for lines in bars.collections for line in lines.get_segments()])
    if not len(segments):
        return []
    assert not segments[:, 0, 0].any()
    return segments[:, 1, 0].tolist()


def test_the_neurons_map_is_its_answers():
    plane, curve = views.draw_neuron([1.5, -1.0], 0.5, "sigmoid").axes
    answers = plane.images[0].get_array()
    ticks = np.linspace(-3, 3, len(answers))
    x1, x2 = np.meshgrid(ticks, ticks)
    np.testing.assert_allclose(answers, 1 / (1 + np.exp(-(1.5 * x1 - x2 + 0.5))))
    assert plane.images[0].get_extent() == [-3, 3, -3, 3]
    assert plane.images[0].norm is curve.images[0].norm


def test_the_border_is_where_the_weighted_sum_is_0():
    plane = views.draw_neuron([1.5, -1.0], 0.5, "relu").axes[0]
    points = plane.collections[0].get_paths()[0].vertices
    assert len(points) > 2
    np.testing.assert_allclose(1.5 * points[:, 0] - points[:, 1] + 0.5, 0, atol=1e-9)
    arrow = plane.texts[0]
    assert np.cross([*np.subtract(arrow.xy, arrow.xyann), 0], [1.5, -1.0, 0])[2] == (
        pytest.approx(0, abs=1e-9)
    )


def test_a_neuron_that_never_changes_its_mind_has_no_border():
    plane = views.draw_neuron([0.0, 0.0], 1.0).axes[0]
    assert not plane.collections
    assert not plane.texts


def test_a_marked_point_stands_on_the_map_and_on_the_curve():
    plane, curve = views.draw_neuron([1.5, -1.0], 0.5, "tanh", at=(2.0, 1.0)).axes
    assert plane.lines[-1].get_xydata().tolist() == [[2.0, 1.0]]
    np.testing.assert_allclose(curve.lines[-1].get_xydata(), [[2.5, np.tanh(2.5)]])


@pytest.mark.parametrize("activation", [name for name in ACTIVATIONS if name != "softmax"])
def test_the_explorer_says_what_a_dense_layer_computes(activation):
    view = views.NeuronExplorer(w=(1.5, -1.0), b=0.5, activation=activation, at=(2.0, 1.0))
    layer = Dense(np.array([[1.5], [-1.0]]), np.array([0.5]), activation)
    a = layer.forward(np.array([[2.0, 1.0]]))[0, 0]
    assert "2 * 1.5 + 1 * (-1) + 0.5 = 2.50" in view.sentence
    assert f"a = {activation}(z) = {a:.2f}." in view.sentence
    assert repr(view) == f"NeuronExplorer: {view.sentence}"


def control(view, description):
    return next(c for c in leaves(view.children[:1]) if c.description == description)


def picture(view):
    return view.children[1].png


@pytest.mark.parametrize(
    ("description", "value", "sum_"),
    [
        ("weight 1", -2.0, "2 * (-2) + 1 * (-1) + 0.5 = -4.50"),
        ("weight 2", 0.0, "2 * 1.5 + 1 * 0 + 0.5 = 3.50"),
        ("bias", -4.0, "2 * 1.5 + 1 * (-1) + (-4) = -2.00"),
        ("input x1", -3.0, "(-3) * 1.5 + 1 * (-1) + 0.5 = -5.00"),
        ("input x2", 0.3, "2 * 1.5 + 0.3 * (-1) + 0.5 = 3.20"),
    ],
)
def test_every_slider_moves_the_neuron(description, value, sum_):
    view = views.NeuronExplorer()
    before = picture(view)
    control(view, description).value = value
    assert sum_ in view.sentence
    assert picture(view) != before


def test_the_explorer_says_when_the_border_leaves_the_map():
    view = views.NeuronExplorer(w=(1.0, 0.0), b=4.0)
    assert "no border on this map: z is above 0 everywhere" in view.sentence
    control(view, "bias").value = -4.0
    assert "z is below 0 everywhere" in view.sentence
    control(view, "bias").value = 0.0
    control(view, "weight 1").value = 0.0
    assert "z is 0 everywhere" in view.sentence
    control(view, "weight 1").value = 1.0
    assert "the border, z = 0" in view.sentence


def test_weights_beyond_the_usual_sliders_are_kept():
    view = views.NeuronExplorer(w=(25.5, -1.0))
    assert "2 * 25.5" in view.sentence


@pytest.mark.parametrize(
    ("faults", "wrong"),
    [
        ({"w": (np.nan, 1.0)}, "finite numbers"),
        ({"b": np.inf}, "finite numbers"),
        ({"at": (0.0, np.nan)}, "finite numbers"),
        ({"w": (1e308, 1e308), "at": (0, 0)}, "beyond 1,000"),
        ({"w": (1.0, 2.0, 3.0)}, "two inputs"),
        ({"at": 1.0}, "two inputs"),
        ({"w": ("a", "b")}, "real numbers"),
        ({"activation": "softmax"}, "several numbers"),
        ({"activation": "swish"}, "no activation is called that"),
        ({"limit": 0.0}, "from -limit to limit"),
        ({"limit": np.nan}, "from -limit to limit"),
    ],
)
def test_a_neuron_that_cannot_be_drawn_says_why(faults, wrong):
    given = {"w": (1.5, -1.0), "b": 0.5, "activation": "sigmoid", "at": (2.0, 1.0), **faults}
    with pytest.raises(NetworkError, match=wrong):
        views.draw_neuron(**given)
    with pytest.raises(NetworkError, match=wrong):
        views.NeuronExplorer(**given)


def test_activations_are_drawn_with_their_own_slopes():
    figure = views.draw_activations(["tanh", "relu"])
    assert [axis.get_title() for axis in figure.axes] == ["tanh", "relu"]
    value, slope = figure.axes[0].lines
    np.testing.assert_allclose(value.get_ydata(), np.tanh(value.get_xdata()))
    np.testing.assert_allclose(slope.get_ydata(), 1 / np.cosh(slope.get_xdata()) ** 2, atol=1e-12)


@pytest.mark.parametrize("names", [["nix"], ["softmax"]])
def test_activations_that_cannot_be_drawn_are_refused(names):
    with pytest.raises(NetworkError, match="choose from: "):
        views.draw_activations(names)


def test_all_activations_but_softmax_are_drawn_by_default():
    titles = [axis.get_title() for axis in views.draw_activations().axes if axis.lines]
    assert titles == [name for name in ACTIVATIONS if name != "softmax"]


def test_the_journey_shows_pixels_activations_and_outputs():
    net = Network([64, 128, 20, 10], seed=0)
    x = np.random.default_rng(0).random(64).astype("float32")
    stage, bars = views.draw_journey(net, x, title="a four").axes
    trace = net.trace(x[None])
    for words in ("a four", "64 pixels", "layer 0: relu", "128 units", "layer 1: relu", "20 units"):
        assert words in texts(stage)
    pixels, *units = stage.images
    np.testing.assert_array_equal(pixels.get_array().ravel(), x)
    for image, step in zip(units, trace[:-1], strict=True):
        np.testing.assert_allclose(np.ma.compressed(image.get_array()), step.a[0])
    np.testing.assert_allclose(lengths(bars), trace[-1].a[0])


@pytest.fixture
def rows():
    return np.random.default_rng(0).random((5, 64)).astype("float32")


def test_the_digit_travels_layer_by_layer(rows):
    net = Network([64, 128, 20, 10], seed=0)
    view = views.JourneyExplorer(net, rows, y=[4, 3, 2, 1, 0])
    assert view.sentence == "Digit 0: a 4. 64 numbers, 64 of them above 0."
    stage, bars = view.figure().axes
    assert len(stage.images) == 1
    assert lengths(bars) == []
    control(view, "digit").value = 3
    control(view, "layer").value = 2
    trace = net.trace(rows[[3]])
    a = trace[1].a[0]
    assert view.sentence == (
        f"Layer 1 (relu) made 20 numbers of 128: {(a == 0).sum()} are 0, "
        f"the largest is {a.max():.2f}, of unit {a.argmax()}."
    )
    stage, bars = view.figure().axes
    assert len(stage.images) == 3
    assert lengths(bars) == []
    assert "not yet" in texts(bars)
    assert control(view, "layer").label == "1"
    control(view, "layer").value = 3
    logits = trace[2].a[0]
    p = np.exp(logits) / np.exp(logits).sum()
    assert f"the network says {logits.argmax()}" in view.sentence
    assert f"with the probability {p.max():.2f}. The truth is 1." in view.sentence
    assert lengths(view.figure().axes[1]) == pytest.approx(logits)


@pytest.mark.parametrize("last", ["softmax", "identity", "sigmoid"])
def test_only_what_is_a_probability_is_called_one(rows, last):
    net = Network([64, 8, 3], activations=["relu", last], seed=0)
    view = views.JourneyExplorer(net, rows)
    control(view, "layer").value = 2
    assert ("probability" in view.sentence) == (last != "sigmoid")
    if last == "softmax":
        assert f"probability {net.forward(rows[:1]).max():.2f}" in view.sentence


def test_a_single_number_is_said_as_a_value(rows):
    net = Network([64, 8, 1], seed=0)
    view = views.JourneyExplorer(net, rows)
    control(view, "layer").value = 2
    assert view.sentence.endswith(f"made one number: {net.forward(rows[:1])[0, 0]:.2f}.")


def test_a_single_row_needs_no_choice_of_a_digit(rows):
    view = views.JourneyExplorer(Network([64, 10], seed=0), rows[:1])
    assert [c.description for c in leaves(view.children[:1])] == ["layer"]


def test_ten_thousand_units_are_thinned_out_and_it_is_said():
    net = Network([64, 10_000, 300], seed=0)
    rows = np.random.default_rng(0).random((2, 64))
    view = views.JourneyExplorer(net, rows)
    control(view, "layer").value = 1
    assert "Only every 40th unit is drawn." in view.sentence
    stage, _ = view.figure().axes
    assert "10,000 units, every 40th drawn" in texts(stage)
    drawn = np.ma.compressed(stage.images[1].get_array())
    np.testing.assert_allclose(drawn, net.trace(rows[:1])[0].a[0][::40])
    control(view, "layer").value = 2
    assert "Only the 12 largest are drawn." in view.sentence
    widths = sorted(lengths(view.figure().axes[1]))
    np.testing.assert_allclose(widths, np.sort(net.forward(rows[:1])[0])[-12:])


def test_of_many_layers_those_around_the_chosen_one_are_drawn(rows):
    net = Network([64, *[20] * 12, 10], seed=0)
    view = views.JourneyExplorer(net, rows)
    control(view, "layer").value = 6
    assert "Only the layers 4 to 6 and the last are drawn." in view.sentence
    assert "layer 6" in texts(view.figure().axes[0])
    assert "layer 7" not in texts(view.figure().axes[0])


def test_an_input_that_is_no_square_image_is_drawn_as_a_grid():
    net = Network([10, 5, 1], seed=0)
    x = np.random.default_rng(0).normal(size=10)
    stage, _ = views.draw_journey(net, x).axes
    assert "10 inputs" in texts(stage)
    np.testing.assert_allclose(np.ma.compressed(stage.images[0].get_array()), x, rtol=1e-6)


def scaled(*factors):
    net = Network([64, 16, 10], seed=0)
    for layer, factor in zip(net.layers, factors, strict=True):
        layer.w[...] *= factor
    return net


@pytest.mark.filterwarnings("error")
def test_outputs_that_overflow_are_said_so_from_the_layer_on_where_they_do(rows):
    net = scaled(1e30, 1e30)
    view = views.JourneyExplorer(net, rows)
    control(view, "layer").value = 1
    assert "the largest is 7.49e+29, " in view.sentence
    control(view, "layer").value = 2
    assert "layer 1 made " in view.sentence
    assert "its weights are so large that its outputs overflow" in view.sentence
    assert picture(view) == b""
    with pytest.raises(NetworkError, match="outputs overflow"):
        views.draw_journey(net, rows[0])


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("factors", [(1e30, 1), (1e37, 1), (-1e-9, 1), (1e4, 1)])
def test_large_and_small_numbers_are_said_briefly(rows, factors):
    view = views.JourneyExplorer(scaled(*factors), rows)
    for layer in (1, 2):
        control(view, "layer").value = layer
        said = [view.sentence, *(texts(axis) for axis in view.figure().axes)]
        assert max(len(word) for words in said for word in words.split()) < 15


NETWORKS = {
    "the lesson's": [64, 128, 64, 10],
    "wide": [64, 10_000, 30, 20, 8, 1000],
    "deep": [64, *[20] * 120, 10],
    "one layer": [64, 10],
    "one number": [10, 5, 1],
    "many inputs": [9999, 300, 12_345],
}
TRUTHS = [3, "a very long handwritten name of a class that never ends", "W" * 60, "$x$"]
CASES = [(1, TRUTHS), (-1e30, TRUTHS[:1]), (1e-20, TRUTHS[:1])]


def places(figure):
    renderer = figure.canvas.get_renderer()
    words = [text for axis in figure.axes for text in axis.texts]
    return [(text.get_text(), text.get_window_extent(renderer)) for text in words]


@pytest.mark.parametrize(("scale", "truths"), CASES)
@pytest.mark.parametrize("sizes", NETWORKS.values(), ids=NETWORKS)
def test_no_words_of_a_journey_are_cut_or_lie_over_others(sizes, scale, truths):
    net = Network(sizes, seed=0)
    net.layers[-1].w[...] *= scale
    rows = np.random.default_rng(0).random((1, sizes[0]))
    for truth in truths:
        view = views.JourneyExplorer(net, rows, [truth])
        for layer in {0, 1, len(sizes) - 2, len(sizes) - 1}:
            control(view, "layer").value = layer
            figure = view.figure()
            shown = places(figure)
            for words, place in shown:
                assert figure.bbox.containsx(place.x0), words
                assert figure.bbox.containsx(place.x1), words
                assert figure.bbox.containsy(place.y0), words
                assert figure.bbox.containsy(place.y1), words
            for (words, place), (others, other) in itertools.combinations(shown, 2):
                assert not place.overlaps(other), (words, others)


def test_a_title_of_any_kind_is_written_as_it_is(rows):
    net = Network([64, 10], seed=0)
    assert "5" in texts(views.draw_journey(net, rows[0], title=5).axes[0])
    assert "$x$" in texts(views.draw_journey(net, rows[0], title="$x$").axes[0])


@pytest.mark.parametrize(("units", "word"), [(300, "2nd"), (600, "3rd"), (2900, "12th")])
def test_every_so_many_th_unit_is_said_in_english(units, word):
    stage, _ = views.draw_journey(Network([4, units, 2], seed=0), np.ones(4)).axes
    assert f"every {word} drawn" in texts(stage)


def broken(what):
    net = Network([64, 8, 10], seed=0)
    if what == "no layer":
        net.layers.clear()
    else:
        net.layers[1].w[3, 4] = np.nan
    return net


@pytest.mark.parametrize(
    ("what", "said"), [("no layer", "without layers"), ("nan", "w1\\[3, 4\\]")]
)
def test_a_broken_network_is_refused_at_once(rows, what, said):
    for show in (views.JourneyExplorer, lambda net, x: views.draw_journey(net, x[0])):
        with pytest.raises(NetworkError, match=said):
            show(broken(what), rows)


def test_a_network_that_breaks_later_is_said_in_place_of_the_picture(rows):
    net = Network([64, 8, 10], seed=0)
    view = views.JourneyExplorer(net, rows)
    net.layers[0].b[2] = np.inf
    control(view, "layer").value = 1
    assert "b0[2] = inf" in view.sentence
    assert picture(view) == b""


@pytest.mark.parametrize("nothing", [None, "net", [1, 2]])
def test_what_is_no_network_is_refused_by_its_type(nothing):
    with pytest.raises(NetworkError, match=type(nothing).__name__):
        views.JourneyExplorer(nothing, [[0.0]])


def test_rows_of_another_width_or_with_too_few_truths_are_refused(rows):
    net = Network([64, 10], seed=0)
    with pytest.raises(NetworkError, match="64 columns"):
        views.JourneyExplorer(net, rows[:, :60])
    with pytest.raises(NetworkError, match="one truth"):
        views.JourneyExplorer(net, rows, y=[1, 2])


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
