"""Walks over losses of two weights, and the rate beyond which they diverge."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from amaas_kit.errors import TrainingError
from amaas_kit.training import SGD, Adam, Momentum, Nesterov, RMSProp
from amaas_kit.training.descent import SURFACES, Surface, descend, largest_rate, quadratic

H = 1e-5


@pytest.mark.parametrize("name", SURFACES)
def test_slopes_and_curvatures_agree_with_differences_of_the_loss(name):
    surface = SURFACES[name]
    for w in np.random.default_rng(0).normal(size=(20, 2)):
        slopes = [(surface.loss(w + H * e) - surface.loss(w - H * e)) / (2 * H) for e in np.eye(2)]
        bends = [
            (surface.gradient(w + H * e) - surface.gradient(w - H * e)) / (2 * H) for e in np.eye(2)
        ]
        np.testing.assert_allclose(surface.gradient(w), slopes, rtol=1e-5, atol=1e-5)
        np.testing.assert_allclose(surface.hessian(w), bends, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("name", SURFACES)
def test_no_place_of_the_window_lies_lower_than_the_bottom(name):
    surface = SURFACES[name]
    grid = np.array(np.meshgrid(np.linspace(*surface.x, 201), np.linspace(*surface.y, 201)))
    assert surface.loss(np.array(surface.bottom)) <= surface.loss(grid).min() + 1e-12
    np.testing.assert_allclose(surface.gradient(np.array(surface.bottom)), 0, atol=1e-12)


def test_the_turned_valley_has_the_curvatures_of_the_valley():
    for name in ("valley", "turned valley"):
        np.testing.assert_allclose(SURFACES[name].curvatures((0.3, -2.0)), [1, 25])


def test_a_walk_is_the_rule_applied_again_and_again():
    surface, rule = SURFACES["bent valley"], Adam(0.2)
    walk = descend(rule, surface, surface.start, 5)
    w, slots = np.array(surface.start), (np.zeros(2), np.zeros(2))
    for t in range(1, 6):
        w, slots = rule.step(w, surface.gradient(w), slots, t, 0.2)
    np.testing.assert_array_equal(walk.path[-1], w)
    np.testing.assert_allclose(walk.losses, [surface.loss(w) for w in walk.path])
    assert walk.stopped is None
    assert len(walk.path) == 6


@given(
    kind=st.sampled_from([SGD, Momentum, Nesterov]),
    curvatures=st.tuples(st.floats(0.5, 40), st.floats(0.5, 40)),
    beta=st.floats(0.05, 0.95),
    angle=st.floats(0, np.pi),
)
def test_one_per_cent_decides_at_the_largest_rate(kind, curvatures, beta, angle):
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    surface = quadratic(turn * curvatures @ turn.T, (1.0, 0.7), (-2, 2), (-2, 2))
    constants = {} if kind is SGD else {"momentum": beta}
    steepest = turn[:, int(np.argmax(curvatures))]

    def ends(share):
        limit = largest_rate(kind(1.0, **constants), max(curvatures))
        walk = descend(kind(share * limit, **constants), surface, steepest, 4000)
        return walk.losses[-1] / walk.losses[0] if walk.stopped is None else np.inf

    assert ends(0.99) < 1e-3
    assert ends(1.01) > 1e3


@pytest.mark.parametrize("rule", [RMSProp(0.1), Adam(0.1)])
def test_a_rule_that_divides_by_the_size_of_slopes_has_no_largest_rate(rule):
    assert largest_rate(rule, 25.0) is None
    valley = SURFACES["valley"]
    wild = dataclasses.replace(rule, learning_rate=50.0)
    assert descend(wild, valley, valley.start, 2000).stopped is None


@pytest.mark.parametrize("rate", [1e-300, 10.0, 1e6, 1e300])
@pytest.mark.parametrize("kind", [SGD, Momentum, Nesterov, RMSProp, Adam])
@pytest.mark.parametrize("name", SURFACES)
def test_no_rate_overflows(name, kind, rate):
    surface = SURFACES[name]
    walk = descend(kind(rate), surface, surface.start, 200)
    assert np.all(np.isfinite(walk.path))
    assert np.all(np.isfinite(walk.losses))
    assert len(walk.path) == len(walk.losses) == (walk.stopped or 201)


def test_a_walk_ends_before_the_step_at_which_the_loss_becomes_nan():
    bowl = SURFACES["bowl"]

    def cut_off(w):
        return np.where(np.asarray(w[0]) > -0.5, np.nan, bowl.loss(w))

    surface = dataclasses.replace(bowl, loss=cut_off)
    walk = descend(SGD(0.1), surface, surface.start, 50)
    assert walk.stopped == len(walk.path)
    assert walk.path[-1][0] <= -0.5


def test_a_loss_that_is_nan_at_the_start_is_refused():
    bowl = SURFACES["bowl"]
    surface: Surface = dataclasses.replace(bowl, loss=lambda w: np.nan * w[0])
    with pytest.raises(TrainingError, match="a finite number where it begins"):
        descend(SGD(0.1), surface, surface.start, 5)


def test_a_negative_number_of_steps_is_refused():
    with pytest.raises(TrainingError, match="steps=-1"):
        descend(SGD(0.1), SURFACES["bowl"], (1.0, 1.0), -1)
