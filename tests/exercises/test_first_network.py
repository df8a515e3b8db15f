"""The exercises of lesson 4 as a learner meets them: the lesson's program, fit's own patience."""

from __future__ import annotations

from pathlib import Path

import nbformat
import numpy as np
import pytest

import amaas_kit as ak
from amaas_kit.exercises import ____
from amaas_kit.exercises import first_network as ex

LESSON = Path(__file__).parent.parent.parent / "notebooks" / "04_first_network.ipynb"

BEGIN = '    assert ____, "delete this line when you begin"\n'

REPAIRS = [
    ("tensorflow_1", {"tf.random_normal(": "tf.random.normal("}),
    ("one_name_twice", {"loss = loss(": "error = loss("}),
    (
        "mixed_floats",
        {"weights = [": 'x, y = x.astype("float32"), y.astype("float32")\n    weights = ['},
    ),
    (
        "no_tape",
        {"error = loss(": "with tf.GradientTape() as tape:\n                error = loss("},
    ),
    ("no_tape", {"tf.gradients(loss": "tape.gradient(error"}),
    ("tensorflow_1", {"tf.assign_sub(weight, ": "weight.assign_sub("}),
    (
        "unseen_loss",
        {
            "    def descend": "    losses = []\n\n    def descend",
            "gradients = ": "losses.append(float(error))\n            gradients = ",
            '"The network is trained. Its predictions:"': '{"losses": losses}',
        },
    ),
    (
        "nothing_held_out",
        {
            "weights = [": "m = 4 * len(x) // 5\n    weights = [",
            '{"losses"': '{"held_out": float(loss(network(x[m:]), y[m:])), "losses"',
        },
    ),
    ("no_prediction", {'{"held_out"': '{"predictions": network(x[m:]).numpy(), "held_out"'}),
    (
        "variance_1",
        {
            "[x.shape[1], 5]": "[x.shape[1], 5], stddev=(2 / x.shape[1]) ** 0.5",
            "[5, 1]": "[5, 1], stddev=(2 / 5) ** 0.5",
        },
    ),
    ("nothing_held_out", {"loss(network(x), y)": "loss(network(x[:m]), y[:m])"}),
]
"""In the order of the check: the fault that it names, and what a learner then writes for what."""


@pytest.fixture(scope="module")
def program():
    (cell,) = [c for c in nbformat.read(LESSON, 4).cells if c.id == "exercise-faults-answer"]
    return cell.source


def defined(source):
    names = {"tf": ak.tensorflow(), "____": ____}
    exec(source, names)
    return names["train"]


def test_the_lesson_program_is_not_attempted_until_its_first_line_is_deleted(program):
    assert ex.eight_faults.examine(defined(program), seed=1, draws=5).outcome == "not attempted"
    assert program.count(BEGIN) == 1


def test_a_learner_is_led_from_fault_to_fault(program):
    program = program.replace(BEGIN, "")
    for fault, changes in REPAIRS:
        verdict = ex.eight_faults.examine(defined(program), seed=1, draws=5)
        assert (verdict.outcome, verdict.mistake) == ("not yet", fault), verdict.message
        for old, new in changes.items():
            assert old in program
            program = program.replace(old, new)
    assert ex.eight_faults.examine(defined(program), seed=1, draws=5).outcome == "correct"
    assert {fault for fault, _ in REPAIRS} == set(ex.FAULTS)


def test_a_program_in_plain_numpy_is_as_good_an_answer():
    def train(x, y, epochs, rate, seed):
        m = 4 * len(x) // 5
        net = ak.network.Network([x.shape[1], 5, 1], seed=seed, dtype="float64")
        losses = []
        for _ in range(epochs):
            loss, gradients = net.loss_and_gradients(x[:m], y[:m], loss="mse")
            losses.append(loss)
            flat = [array for pair in gradients for array in pair]
            for i, gradient in enumerate(flat):
                net.parameters[i][...] -= rate * gradient
        predictions = net.forward(x[m:])
        return {
            "losses": losses,
            "held_out": np.mean((predictions - y[m:]) ** 2),
            "predictions": predictions,
        }

    assert ex.eight_faults.examine(train, seed=2).outcome == "correct"


@pytest.mark.parametrize("patience", [1, 2, 4])
def test_early_stopping_agrees_with_fit(patience):
    """A rate so large that the validation loss wavers."""
    rng = np.random.default_rng(patience)
    x = rng.normal(size=(48, 3)).astype("float32")
    data = ak.data.Dataset(x, (x.sum(axis=1) + rng.normal(size=48)).astype("float32"))
    split = data.split(validation=0.3, test=0.2, seed=1)

    def run(**settings):
        net = ak.network.Network([3, 8, 1], seed=3)
        rule = ak.training.Adam(0.1)
        return ak.training.fit(net, split, rule, 12, 8, seed=5, progress=False, **settings)

    stopped = run(patience=patience)
    expected = ex.stop_early(run().val_loss, patience)
    assert (stopped.epochs, stopped.kept_epoch) == expected
