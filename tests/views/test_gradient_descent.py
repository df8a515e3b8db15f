"""What the figures of lesson 3 show is what they were given."""

from __future__ import annotations

import dataclasses
import io
import re
import subprocess
import sys

import numpy as np
import pytest
from matplotlib import image

from amaas_kit.errors import NetworkError, TrainingError
from amaas_kit.network import Network
from amaas_kit.training import SGD, Adam, Momentum
from amaas_kit.training.descent import SURFACES, descend
from amaas_kit.training.landscape import Landscape
from amaas_kit.views import gradient_descent as views
from amaas_kit.views.picture import png_of


def bowl(w):
    return (w[0] - 1) ** 2 + 9 * (w[1] + 2) ** 2


def labelled(axis, label):
    (line,) = [line for line in axis.lines if line.get_label() == label]
    return np.column_stack(line.get_data())


def test_a_tangent_touches_the_curve_with_its_slope():
    figure = views.draw_slopes(np.square, lambda w: 2 * w, [-1.0, 0.0, 2.0], (-3.0, 3.0))
    ends = labelled(figure.axes[0], "slope +4.0")
    assert np.diff(ends[:, 1]) / np.diff(ends[:, 0]) == pytest.approx(4)
    assert ends.mean(axis=0) == pytest.approx([2, 4])


def test_the_arrows_point_downhill_and_none_stands_on_the_bottom():
    axis = views.draw_slopes(np.square, lambda w: 2 * w, [-1.0, 0.0, 2.0], (-3.0, 3.0)).axes[0]
    ways = [np.sign(arrow.xy[0] - arrow.xyann[0]) for arrow in axis.texts]
    assert ways == [1, -1]


def test_each_walk_has_its_panel_and_all_its_steps():
    walks = {"short": [3.0, 2.0], "long": [3.0, 0.5, 0.25]}
    axes = views.draw_steps(np.square, walks, (-4.0, 4.0)).axes
    assert [axis.get_title() for axis in axes] == ["short", "long"]
    for axis, walk in zip(axes, walks.values(), strict=True):
        np.testing.assert_allclose(axis.lines[1].get_xdata(), walk)
        np.testing.assert_allclose(axis.lines[1].get_ydata(), np.square(walk))


def test_measured_factors_lie_on_the_lines_of_theory():
    rates, curvatures = np.array([0.05, 0.1, 0.15]), [2.0, 10.0]
    measured = np.abs(1 - rates[:, None] * curvatures)
    axis = views.draw_factors(curvatures, rates, measured).axes[0]
    for curvature in curvatures:
        line = labelled(axis, f"|1 - rate x {curvature:g}|")
        dots = labelled(axis, f"measured, curvature {curvature:g}")
        np.testing.assert_allclose(np.interp(dots[:, 0], *line.T), dots[:, 1], atol=0.01)
    assert "0.2" in axis.texts[0].get_text()


@pytest.mark.parametrize("together", [False, True])
def test_paths_are_drawn_whole_on_one_map_or_on_a_map_each(together):
    paths = {"a": np.array([[0.0, 0], [1, -1], [1, -2]]), "b": np.array([[0.0, 0], [0.5, -2]])}
    figure = views.draw_paths(bowl, paths, (-1, 3), (-4, 1), bottom=(1, -2), together=together)
    assert len(figure.axes) == (1 if together else 2)
    for i, (name, path) in enumerate(paths.items()):
        axis = figure.axes[0 if together else i]
        np.testing.assert_allclose(labelled(axis, name), path)


def test_the_lines_of_a_map_rise_away_from_the_bottom():
    axis = views.draw_paths(bowl, {"a": [[0.0, 0.0], [1.0, 1.0]]}, (-1, 3), (-4, 1)).axes[0]
    (contour,) = axis.collections
    assert np.all(np.diff(contour.levels) > 0)
    assert contour.levels[0] < bowl(np.array([0.0, -1.0])) < contour.levels[-1]


def test_losses_are_counted_from_the_given_number():
    axis = views.draw_losses({"SGD": [3.0, 2.0, 1.0], "Adam": [3.0, 1.0]}, "epoch", first=1).axes[0]
    np.testing.assert_allclose(labelled(axis, "SGD"), [[1, 3], [2, 2], [3, 1]])
    np.testing.assert_allclose(labelled(axis, "Adam"), [[1, 3], [2, 1]])
    assert axis.get_yscale() == "log"


def test_first_steps_are_numbered_from_one():
    axis = views.draw_first_steps({"with": [1.0, 1.0], "without": [3.0, 4.0]}).axes[0]
    np.testing.assert_allclose(labelled(axis, "without"), [[1, 3], [2, 4]])


def test_noise_is_held_against_one_over_the_root_of_the_size():
    axis = views.draw_noise([4, 16, 64], [2.0, 0.9, 0.5]).axes[0]
    np.testing.assert_allclose(labelled(axis, "measured")[:, 1], [2.0, 0.9, 0.5])
    expected = labelled(axis, "proportional to 1 / sqrt(batch size)")[:, 1]
    np.testing.assert_allclose(expected, [2.0, 1.0, 0.5])


def test_rates_are_drawn_for_each_rule_above_the_baseline():
    axis = views.draw_rates([0.01, 0.1], {"SGD": [0.3, 0.9], "Adam": [0.9, 0.1]}, 0.12).axes[0]
    np.testing.assert_allclose(labelled(axis, "Adam"), [[0.01, 0.9], [0.1, 0.1]])
    np.testing.assert_allclose(labelled(axis, "most frequent class")[:, 1], 0.12)


def test_cuts_are_drawn_beside_the_baseline():
    figure = views.draw_cuts([-1, 0, 1], {"net": [3, 1, 2], "twin": [9, 1, 8]}, 2.3)
    np.testing.assert_allclose(labelled(figure.axes[0], "twin"), [[-1, 9], [0, 1], [1, 8]])
    np.testing.assert_allclose(labelled(figure.axes[0], "all outputs 0")[:, 1], 2.3)


def test_each_rate_has_its_curvatures_and_the_line_of_its_limit():
    axis = views.draw_curvatures({0.5: [6.0, 4.1, 3.9]}, every=50).axes[0]
    np.testing.assert_allclose(labelled(axis, "rate 0.5"), [[0, 6], [50, 4.1], [100, 3.9]])
    assert any(np.allclose(line.get_ydata(), 4) for line in axis.lines)


def path_on(axis):
    """The line of a walk: the one with a round marker at every step."""
    return max((line for line in axis.lines), key=lambda line: len(line.get_xdata())).get_xydata()


def loss_in(sentence):
    return float(re.search(r"the loss is (\S+) after", sentence)[1])


def test_the_explorer_walks_as_the_rule_does():
    explorer = views.DescentExplorer("bent valley", "SGD", rate=0.02, step=7)
    surface = SURFACES["bent valley"]
    walk = descend(SGD(explorer.rate.value), surface, surface.start, 7)
    np.testing.assert_allclose(path_on(explorer.figure().axes[0]), walk.path)
    assert loss_in(explorer.sentence) == pytest.approx(walk.losses[7], rel=0.01)


def test_a_step_moves_the_dot_and_the_loss():
    explorer = views.DescentExplorer(step=3)
    before = explorer.sentence
    explorer.step.value += 1
    walk = descend(SGD(explorer.rate.value), SURFACES["valley"], SURFACES["valley"].start, 4)
    assert explorer.sentence != before
    assert loss_in(explorer.sentence) == pytest.approx(walk.losses[4], rel=0.01)
    assert len(path_on(explorer.figure().axes[0])) == 5


def test_the_rate_stands_on_a_mark_of_the_slider():
    rate = views.DescentExplorer(rate=0.0813).rate
    marks = (np.log10(rate.value) - rate.min) / rate.step
    assert marks == pytest.approx(round(marks), abs=1e-6)
    assert rate.value == pytest.approx(0.0813, rel=0.01)


@pytest.mark.parametrize(
    ("rule", "limit"), [("SGD", 2 / 25), ("Momentum", 3.8 / 25), ("Nesterov", 3.8 / 2.8 / 25)]
)
@pytest.mark.parametrize("surface", ["valley", "turned valley"])
def test_the_verdict_turns_at_the_limit_and_the_walk_agrees(rule, limit, surface):
    below, above = (
        views.DescentExplorer(surface, rule, rate=share * limit, step=300, steps=300)
        for share in (0.97, 1.03)
    )
    assert "It converges" in below.sentence
    assert "It diverges" in above.sentence
    assert f"= {limit:.3g}." in above.sentence
    assert loss_in(below.sentence) < 1
    assert loss_in(above.sentence) > 1000


@pytest.mark.parametrize(("rule", "momentum"), [("SGD", 0.9), ("Momentum", 0.0)])
def test_at_the_limit_a_walk_neither_converges_nor_diverges(rule, momentum):
    explorer = views.DescentExplorer("bowl", rule, rate=1.0, momentum=momentum)
    start = SURFACES["bowl"].loss(np.array(SURFACES["bowl"].start))
    assert loss_in(explorer.sentence) == pytest.approx(start)
    assert "It neither converges nor diverges: the rate 1 is the limit" in explorer.sentence


def test_the_factors_in_the_sentence_are_those_of_a_step():
    explorer = views.DescentExplorer("valley", "SGD", rate=0.06)
    across, along = 1 - 25 * explorer.rate.value, 1 - explorer.rate.value
    assert f"by {across:.3g} across the valley and by {along:.3g} along it" in explorer.sentence


def test_on_a_surface_without_one_curvature_the_limit_is_that_of_the_place():
    explorer = views.DescentExplorer("bent valley", "Momentum", rate=0.005, step=0)
    steepest = SURFACES["bent valley"].curvatures(SURFACES["bent valley"].start)[-1]
    assert f"2 (1 + 0.90) / {steepest:.3g} = {3.8 / steepest:.3g}" in explorer.sentence
    assert "from place to place" in explorer.sentence


def test_a_rule_without_limit_says_so():
    assert "no limit like 2 / curvature" in views.DescentExplorer(rule="Adam", rate=5).sentence


def test_momentum_can_be_moved_only_where_the_rule_has_it():
    explorer = views.DescentExplorer(rule="SGD")
    assert explorer.momentum.layout.display == "none"
    explorer.rule.value = "Nesterov"
    assert explorer.momentum.layout.display is None
    before = explorer.sentence
    explorer.momentum.value = 0.5
    assert explorer.sentence != before


@pytest.mark.parametrize("rule", views.DescentExplorer.RULES)
@pytest.mark.parametrize("surface", SURFACES)
@pytest.mark.parametrize("rate", [1e-300, 1e4, 1e300])
def test_absurd_rates_are_painted(surface, rule, rate):
    explorer = views.DescentExplorer(surface, rule, rate=rate, step=60)
    assert explorer.rate.value == pytest.approx(rate, rel=0.02)
    assert "fault" not in explorer.sentence
    assert len(explorer.figure().axes) == 2


def test_a_walk_that_leaves_the_numbers_says_at_which_step():
    sentence = views.DescentExplorer(rate=10, step=60).sentence
    walk = descend(SGD(10), SURFACES["valley"], SURFACES["valley"].start, 60)
    assert f"step {walk.stopped} leaves the numbers" in sentence


def test_losses_of_many_sizes_stand_at_factors_of_ten_or_more():
    _, aside = views.DescentExplorer(rate=0.0813, step=60).figure().axes
    low, high = aside.get_ylim()
    ticks = np.array([tick for tick in aside.get_yticks() if low <= tick <= high])
    assert 2 <= len(ticks) <= 6
    assert (ticks[1:] / ticks[:-1] > 9.9).all()


@pytest.mark.parametrize("rate", [0, -0.1, np.inf, np.nan, "fast"])
def test_a_rate_that_is_none_is_refused(rate):
    with pytest.raises(TrainingError, match="learning_rate"):
        views.DescentExplorer(rate=rate)


@pytest.mark.parametrize(
    "wrong",
    [{"surface": "hill"}, {"rule": "sgd"}, {"steps": 0}, {"steps": 10**7}, {"step": 61},
     {"momentum": 1.0}, {"rule": "Momentum", "momentum": -0.1}, {"surfaces": {}},
     {"step": "3"}, {"step": None}, {"steps": 2.5}, {"surface": ["valley"]}],
)  # fmt: skip
def test_settings_that_fit_nothing_are_refused(wrong):
    with pytest.raises(TrainingError):
        views.DescentExplorer(**wrong)


@pytest.mark.parametrize(("passed", "shown"), [(0.855, 0.85), (0.999, 0.99), (0.5, 0.5)])
def test_momentum_stands_on_a_mark_of_its_slider(passed, shown):
    explorer = views.DescentExplorer(rule="Momentum", momentum=passed)
    assert explorer.momentum.value == pytest.approx(shown, abs=0.006)
    marks = explorer.momentum.value / explorer.momentum.step
    assert marks == pytest.approx(round(marks), abs=1e-6)


def test_however_large_the_losses_their_numbers_stay_off_the_map():
    explorer = views.DescentExplorer(rate=0.2, step=60)
    figure = explorer.figure()
    above, aside = figure.axes
    aside_box = aside.get_tightbbox(figure.canvas.get_renderer())
    assert aside_box.x0 > above.get_window_extent().x1


def test_a_surface_that_returns_nan_says_so():
    hole = dataclasses.replace(SURFACES["bowl"], loss=lambda w: np.nan * w[0])
    explorer = views.DescentExplorer("hole", surfaces={"hole": hole})
    assert "the loss nan at the start" in explorer.sentence


def test_a_surface_with_a_hole_on_the_way_is_walked_up_to_it():
    bowl = SURFACES["bowl"]

    def loss(w):
        return np.where(np.asarray(w[0]) > -0.5, np.nan, bowl.loss(w))

    torn = dataclasses.replace(bowl, loss=loss)
    explorer = views.DescentExplorer("torn", rate=0.1, step=50, surfaces={"torn": torn})
    assert "leaves the numbers" in explorer.sentence


def test_the_figure_of_a_walk_is_the_explorers():
    explorer = views.DescentExplorer("valley", "Momentum", rate=0.02, step=30, steps=30)
    figure = views.draw_descent(SURFACES["valley"], Momentum(explorer.rate.value), steps=30)
    for drawn, shown in zip(figure.axes, explorer.figure().axes, strict=True):
        assert drawn.get_position().bounds == shown.get_position().bounds
        np.testing.assert_allclose(path_on(drawn), path_on(shown))


def test_moving_through_surfaces_and_scales_shows_what_a_fresh_painting_would():
    sunk = dataclasses.replace(SURFACES["bowl"], loss=lambda w: SURFACES["bowl"].loss(w) - 1)
    explorer = views.DescentExplorer(surfaces={**SURFACES, "sunk": sunk})
    states = [
        ("valley", "SGD", 0.0813, 60), ("sunk", "SGD", 0.1, 60), ("bent valley", "SGD", 10, 60),
        ("sunk", "SGD", 0.001, 3), ("two hollows", "Adam", 0.5, 0), ("valley", "Momentum", 0.02, 7),
    ]  # fmt: skip
    for surface, rule, rate, step in states:
        explorer.surface.value, explorer.rule.value = surface, rule
        explorer.rate.value, explorer.step.value = rate, step
        shown, fresh = (
            image.imread(io.BytesIO(png), format="png")
            for png in (explorer._picture.png, png_of(explorer.figure()))
        )
        different = np.abs(shown - fresh).max(axis=-1) > 0.02
        # Where a path leaves the map, it crosses the frame; else nothing differs.
        assert different.sum() <= 300, (surface, rule, rate, step)


@pytest.fixture(scope="module")
def trained():
    rng = np.random.default_rng(0)
    x = rng.uniform(size=(80, 6))
    y = (x[:, :4] * [1, 1.1, 0.9, 1]).argmax(axis=1)
    net = Network([6, 12, 4], seed=1, dtype="float64")
    rule, slots = Adam(0.01), [(np.zeros_like(w),) * 2 for w in net.parameters]
    for t in range(1, 300):
        _, gradients = net.loss_and_gradients(x, y)
        for i, dw in enumerate(array for pair in gradients for array in pair):
            net.parameters[i], slots[i] = rule.step(net.parameters[i], dw, slots[i], t, 0.01)
    return net, x, y


def test_the_landscape_starts_at_the_trained_network(trained):
    view = views.LossLandscape(*trained)
    net, x, y = trained
    loss = net.loss_and_gradients(x, y)[0]
    assert (
        f"At the trained network the loss is {loss:.2f}, with all outputs 0 1.39" in view.sentence
    )
    assert repr(view) == f"LossLandscape: {view.sentence}"


def test_the_sliders_move_the_network_and_the_sentence_reads_its_loss(trained):
    view = views.LossLandscape(*trained, seed=4)
    view.first.value, view.second.value = 0.6, -0.35
    there = Landscape(*trained, seed=4).network_at(0.6, -0.35)
    loss = there.loss_and_gradients(*trained[1:])[0]
    assert f"At (0.60, -0.35) the loss is {loss:.2f}" in view.sentence
    dot = [line for line in view.figure().axes[0].lines if line.get_marker() == "o"]
    np.testing.assert_allclose(dot[0].get_xydata(), [[0.6, -0.35]])


def test_the_map_is_computed_once(trained, monkeypatch):
    view = views.LossLandscape(*trained)
    monkeypatch.setattr(Landscape, "map", None)
    view.first.value = 0.3
    assert "At (0.30, 0.00)" in view.sentence


def test_the_figure_of_a_landscape_has_the_views_curves(trained):
    figure = views.draw_landscape(Landscape(*trained))
    view = views.LossLandscape(*trained)
    for label in ("direction 1", "direction 2", "all outputs 0"):
        np.testing.assert_allclose(
            labelled(figure.axes[1], label), labelled(view.figure().axes[1], label)
        )
    places, losses = Landscape(*trained).map()
    drawn = labelled(figure.axes[1], "direction 2")
    np.testing.assert_allclose(drawn, np.column_stack([places, losses[:, 10]]))


def test_a_network_of_ten_thousand_units_is_thinned_out_and_says_so(trained):
    _, x, y = trained
    view = views.LossLandscape(Network([6, 10_000, 40, 4], seed=1), x, y)
    assert "thinned out, because the network is large" in view.sentence


def test_a_network_of_nan_and_one_without_layers_are_refused(trained):
    net, x, y = trained
    spoilt, empty = net.copy(), net.copy()
    spoilt.layers[0].w[0, 0] = np.nan
    empty.layers.clear()
    for bad in (spoilt, empty, None):
        with pytest.raises(NetworkError):
            views.LossLandscape(bad, x, y)


@pytest.mark.parametrize("reach", [0, -1, 11, np.nan, np.inf])
def test_a_map_without_width_is_refused(trained, reach):
    with pytest.raises(TrainingError, match="width"):
        views.LossLandscape(*trained, reach=reach)


def test_a_network_of_zeros_has_a_flat_map(trained):
    net, x, y = trained
    flat = net.copy()
    flat.set_parameters([0 * array for array in net.parameters])
    view = views.LossLandscape(flat, x, y)
    assert "the loss is 1.39, with all outputs 0 1.39" in view.sentence
    assert "no slope" in view.figure().axes[0].texts[0].get_text()


def test_places_where_the_loss_overflows_are_left_out_of_the_map(trained):
    net, x, y = trained
    steep = net.copy(dtype="float32")
    steep.set_parameters([array * 1e18 for array in net.parameters])
    view = views.LossLandscape(steep, x, y, reach=10)
    _, losses = view.landscape.map(10)
    assert 0 < np.isfinite(losses).sum() < losses.size
    view.first.value = 10
    assert view.sentence.startswith("At (10.00, 0.00) the loss is ")


def test_views_and_exercises_of_the_lesson_need_no_tensorflow():
    program = (
        "import sys; from amaas_kit.views import gradient_descent; "
        "from amaas_kit.exercises import gradient_descent as ex; "
        "ex.adam_rule.examine(ex.adam_rule.answer, seed=0); "
        "gradient_descent.DescentExplorer(); print('tensorflow' in sys.modules)"
    )
    command = [sys.executable, "-c", program]
    said = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    assert said.strip() == "False"


def test_more_curves_than_colours_can_be_drawn():
    walks = {f"walk {i}": np.ones((3, 2)) for i in range(8)}
    paths = views.draw_paths(lambda w: w[0] ** 2, walks, (-1, 1), (-1, 1), together=True)
    losses = views.draw_losses({name: walk[:, 0] for name, walk in walks.items()})
    for figure in (paths, losses):
        labels = [line.get_label() for line in figure.axes[0].lines]
        assert [label for label in labels if label.startswith("walk")] == list(walks)
