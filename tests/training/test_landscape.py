"""The loss around a network: exact where it is read, fair to the size of weights, never endless."""

from __future__ import annotations

import numpy as np
import pytest

from amaas_kit.errors import NetworkError
from amaas_kit.network import Network
from amaas_kit.training.landscape import (
    AFFORDABLE,
    LARGEST_PARAMETERS,
    Landscape,
    affordable,
    largest_curvature,
)


@pytest.fixture
def rows():
    rng = np.random.default_rng(3)
    return rng.uniform(size=(60, 6)), rng.integers(0, 4, size=60)


@pytest.fixture
def net():
    net = Network([6, 9, 8, 4], seed=1, dtype="float64")
    rng = np.random.default_rng(2)
    for i, array in enumerate(net.parameters):
        net.parameters[i] = array + 0.1 * rng.normal(size=array.shape)
    return net


def test_the_centre_is_the_network_itself(net, rows):
    landscape = Landscape(net, *rows)
    assert landscape.centre == pytest.approx(net.loss_and_gradients(*rows)[0], rel=1e-12)
    for own, moved in zip(net.parameters, landscape.network_at(0, 0).parameters, strict=True):
        np.testing.assert_array_equal(own, moved)


def test_each_unit_is_moved_by_the_length_of_its_own_weights_and_biases_stay(net, rows):
    moved = Landscape(net, *rows, seed=5).network_at(1, 0)
    for before, after in zip(net.layers, moved.layers, strict=True):
        lengths = np.linalg.norm(after.w - before.w, axis=0)
        np.testing.assert_allclose(lengths, np.linalg.norm(before.w, axis=0))
        np.testing.assert_array_equal(before.b, after.b)


def test_the_map_holds_the_loss_of_the_network_at_each_place(net, rows):
    landscape = Landscape(net, *rows, seed=5)
    places, losses = landscape.map(reach=0.8)
    assert losses.shape == (21, 21)
    assert places[[0, 10, -1]].tolist() == [-0.8, 0.0, 0.8]
    assert losses[10, 10] == landscape.centre
    there = landscape.network_at(places[3], places[17])
    assert losses[17, 3] == pytest.approx(there.loss_and_gradients(*rows)[0], rel=1e-12)


def test_two_networks_that_answer_alike_have_the_same_scaled_landscape(net, rows):
    twin = net.copy()
    twin.parameters[0], twin.parameters[1] = 10 * net.parameters[0], 10 * net.parameters[1]
    twin.parameters[2] = net.parameters[2] / 10
    np.testing.assert_allclose(
        Landscape(twin, *rows).map()[1], Landscape(net, *rows).map()[1], rtol=1e-9
    )
    plain, other = (Landscape(one, *rows, normalised=False).loss_at(0.5, 0) for one in (net, twin))
    assert other > 2 * plain


def test_directions_without_normalisation_are_as_long_as_all_weights(net, rows):
    moved = Landscape(net, *rows, normalised=False).network_at(0, 1)
    pairs = list(zip(net.layers, moved.layers, strict=True))
    length = sum(np.sum(before.w**2) for before, _ in pairs)
    assert sum(np.sum((a.w - b.w) ** 2) for b, a in pairs) == pytest.approx(length)


def test_the_baseline_of_four_classes_is_the_logarithm_of_four(net, rows):
    assert Landscape(net, *rows).baseline == pytest.approx(np.log(4))


def test_the_network_is_copied_and_left_as_it_is(net, rows):
    before = [array.copy() for array in net.parameters]
    landscape = Landscape(net, *rows)
    landscape.map()
    for array, own in zip(before, net.parameters, strict=True):
        np.testing.assert_array_equal(array, own)
    net.parameters[0] = 0 * net.parameters[0]
    assert landscape.loss_at(0, 0) == landscape.centre


@pytest.mark.parametrize("sizes", [[6, 10_000, 4], [6, 1024, 1024, 4], [6, 2000, 2000, 4]])
def test_a_large_network_gets_a_thinner_map(sizes, rows):
    landscape = Landscape(Network(sizes, seed=1), *rows)
    losses = landscape.map()[1]
    assert losses.shape == (landscape.side, landscape.side)
    assert landscape.side % 2 == 1
    assert np.all(np.isfinite(losses))
    assert 8 <= landscape.rows <= 60


@pytest.mark.parametrize("parameters", [100, 17_226, 10**5, 10**6, LARGEST_PARAMETERS])
def test_no_map_costs_much_more_than_what_is_affordable(parameters):
    rows, side = affordable(parameters, rows=200)
    assert rows >= 8
    assert parameters * rows * side**2 <= AFFORDABLE
    assert (rows, side) == (200, 21) or parameters > 20_000


def test_a_unit_without_weights_is_not_moved(net, rows):
    w = net.parameters[0].copy()
    w[:, 2] = 0
    net.parameters[0] = w
    assert not Landscape(net, *rows).network_at(1, 1).parameters[0][:, 2].any()


def emptied():
    net = Network([6, 4], activations=["identity"], seed=1)
    net.layers.clear()
    return net


def spoilt(value):
    net = Network([6, 4], activations=["identity"], seed=1)
    net.layers[0].w[1, 2] = value
    return net


@pytest.mark.parametrize(
    ("net", "message"),
    [
        (emptied(), "without layers"),
        ("model", "seen:  str"),
        (spoilt(np.nan), "1 of 28 parameters are NaN"),
        (spoilt(np.inf), "1 of 28 parameters are NaN or infinite"),
        (Network([6, 2500, 2500, 4], seed=1), "at most 5,000,000"),
    ],
)
@pytest.mark.parametrize("measure", [Landscape, largest_curvature])
def test_a_network_that_has_no_landscape_is_refused(measure, net, message, rows):
    with pytest.raises(NetworkError, match=message):
        measure(net, *rows)


def test_rows_that_do_not_fit_are_refused(net, rows):
    for x, y in ((rows[0][:, :5], rows[1]), (rows[0][:0], rows[1][:0]), (rows[0], rows[1][:7])):
        with pytest.raises(NetworkError):
            Landscape(net, x, y)


def test_the_largest_curvature_of_a_linear_network_is_the_hessians_eigenvalue():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(50, 4)), rng.normal(size=50)
    net = Network([4, 1], activations=["identity"], seed=1, dtype="float64")
    columns = np.column_stack([x, np.ones(50)])
    exact = np.linalg.eigvalsh(2 / 50 * columns.T @ columns)[-1]
    assert largest_curvature(net, x, y, rounds=300) == pytest.approx(exact, rel=1e-5)


def test_the_largest_curvature_of_a_network_agrees_with_its_whole_hessian(rows):
    net = Network([6, 5, 4], "tanh", seed=1, dtype="float64")
    centre = np.concatenate([array.ravel() for array in net.parameters])

    def gradient(w):
        moved, start = net.copy(), 0
        for i, array in enumerate(moved.parameters):
            moved.parameters[i] = w[start : start + array.size].reshape(array.shape)
            start += array.size
        pairs = moved.loss_and_gradients(*rows)[1]
        return np.concatenate([array.ravel() for pair in pairs for array in pair])

    hessian = [
        (gradient(centre + 1e-5 * e) - gradient(centre - 1e-5 * e)) / 2e-5
        for e in np.eye(len(centre))
    ]
    exact = np.linalg.eigvalsh((np.array(hessian) + np.transpose(hessian)) / 2)
    found = largest_curvature(net, *rows, rounds=200)
    assert found == pytest.approx(exact[np.argmax(abs(exact))], rel=1e-3)


def test_where_all_weights_are_zero_only_the_last_bias_bends_the_squared_error(rows):
    net = Network([6, 3, 1], seed=1, dtype="float64")
    for i, array in enumerate(net.parameters):
        net.parameters[i] = np.zeros_like(array) - (i == 1)
    assert largest_curvature(net, rows[0], np.zeros(60)) == pytest.approx(2)


def test_a_network_whose_outputs_overflow_is_refused(net, rows):
    for i in (0, 2, 4):
        net.parameters[i] = net.parameters[i] * 1e200
    with pytest.raises(NetworkError, match="overflow"):
        Landscape(net, *rows)
