"""Training with settings that suit the data, and the record that a later process reads."""

from __future__ import annotations

import json

import numpy as np
import pytest

from amaas_kit import trained
from amaas_kit.data import Dataset, load_digits
from amaas_kit.errors import DataError, ModelFileError
from amaas_kit.network import Network

PLACE = np.array([20.0, 3.0])
WIDTH = np.array([4.0, 0.5])


def houses(rows=400):
    """Prices that follow from area and rooms, in units far from 0 and 1."""
    rng = np.random.default_rng(3)
    x = PLACE + WIDTH * rng.normal(size=(rows, 2))
    price = 50_000 + 9_000 * x[:, 0] + 20_000 * x[:, 1] ** 2 + rng.normal(0, 500, rows)
    return Dataset(
        x.astype(np.float32), price.astype(np.float32), name="houses", columns=("area", "rooms")
    )


@pytest.fixture(scope="module")
def price_model():
    return trained.train(houses().split(), hidden=(32,), epochs=60)


@pytest.fixture(scope="module")
def digit_model():
    return trained.train(load_digits(), epochs=8)


def test_digits_are_learnt(digit_model):
    assert digit_model.evaluation.accuracy >= 0.9
    assert digit_model.network.sizes == [64, 128, 64, 10]


def test_values_far_from_one_are_learnt_in_their_own_unit(price_model):
    test = houses().split().test
    answers = price_model.network.forward(test.x)[:, 0]
    error = float(np.mean((answers - test.y) ** 2))
    assert price_model.evaluation.loss == pytest.approx(error, rel=1e-3)
    assert price_model.evaluation.loss < 0.05 * price_model.evaluation.baseline


def test_the_losses_of_the_history_are_in_the_same_unit(price_model):
    history = price_model.history
    assert history.val_loss[-1] == pytest.approx(price_model.evaluation.loss, rel=3)
    assert history.data.columns == ("area", "rooms")
    assert history.data.minimum == pytest.approx(float(houses().split().train.x.min()))


def test_a_column_that_never_changes_is_no_obstacle():
    data = houses()
    x = np.column_stack([data.x, np.full(data.rows, 7.0)])
    result = trained.train(Dataset(x, data.y).split(), hidden=(8,), epochs=3)
    assert np.isfinite(result.network.forward(x)).all()


def test_the_same_seed_gives_the_same_network():
    first, second = (trained.train(houses(60).split(), hidden=(4,), epochs=2) for _ in range(2))
    for one, other in zip(first.network.parameters, second.network.parameters, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("model", ["price_model", "digit_model"])
def test_the_record_comes_back_as_it_was(request, tmp_path, model):
    original = request.getfixturevalue(model)
    network, history, evaluation = trained.load(original.save(tmp_path / "model.npz"))
    assert history == original.history
    assert evaluation == original.evaluation
    for one, other in zip(network.parameters, original.network.parameters, strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_model_without_a_record_is_loaded_alone(tmp_path):
    Network([3, 2], seed=0).save(tmp_path / "model.npz")
    network, history, evaluation = trained.load(tmp_path / "model.npz")
    assert (network.sizes, history, evaluation) == ([3, 2], None, None)


def damaged(path, change):
    record = json.loads(path.read_text())
    change(record)
    path.write_text(json.dumps(record))


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda record: record.update(format=99), "format 99"),
        (lambda record: record.update(sha256="0" * 64), "another model file"),
        (lambda record: record.pop("history"), "KeyError"),
        (lambda record: record.update(rule="Nothing"), "AttributeError"),
        (lambda record: record["evaluation"].update(more=1), "TypeError"),
    ],
)
def test_a_record_that_is_not_of_this_model(price_model, tmp_path, change, says):
    price_model.save(tmp_path / "model.npz")
    damaged(tmp_path / "model.npz.json", change)
    with pytest.raises(ModelFileError, match=says):
        trained.load(tmp_path / "model.npz")


def test_a_record_cut_short(price_model, tmp_path):
    price_model.save(tmp_path / "model.npz")
    record = tmp_path / "model.npz.json"
    record.write_bytes(record.read_bytes()[:100])
    with pytest.raises(ModelFileError, match="JSONDecodeError"):
        trained.load(tmp_path / "model.npz")


def test_data_of_an_unknown_kind_and_without_a_target(tmp_path):
    with pytest.raises(DataError, match=r"ends in '\.xls'"):
        trained.read_data(tmp_path / "a.xls", None)
    with pytest.raises(DataError, match="--target COLUMN"):
        trained.read_data(tmp_path / "a.csv", None)
