"""What the figures of lesson 3 show is what they were given."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib import pyplot as plt

from amaas_kit.views import gradient_descent as views


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


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
