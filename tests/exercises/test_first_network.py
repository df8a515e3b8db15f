"""The exercises of lesson 4 as a learner meets them: the lesson's program, fit's own patience."""

from __future__ import annotations

import inspect
import re
import subprocess
import sys
import time
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
            "[x.shape[1], hidden]": "[x.shape[1], hidden], stddev=(2 / x.shape[1]) ** 0.5",
            "[hidden, 1]": "[hidden, 1], stddev=(2 / hidden) ** 0.5",
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
    def train(x, y, hidden, epochs, rate, seed):
        m = 4 * len(x) // 5
        net = ak.network.Network([x.shape[1], hidden, 1], seed=seed, dtype="float64")
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


def changed(*changes):
    """The repaired program, with something else in it."""
    source = inspect.getsource(ex.train)
    for old, new in changes:
        assert old in source
        source = source.replace(old, new)
    names = {**vars(ex)}
    exec(source, names)
    return names["train"]


W1, W2 = "stddev=(2 / columns) ** 0.5", "stddev=(2 / hidden) ** 0.5"
UNUSUAL = {
    "variance 1/d": [(W1, W1.replace("2 /", "1 /")), (W2, W2.replace("2 /", "1 /"))],
    "Glorot": [
        (W1, W1.replace("columns", "(columns + hidden)")),
        (W2, W2.replace(" hidden", " (hidden + 1)")),
    ],
    "tensors": [(".numpy()", ""), ("float(loss)", "loss")],
    "uniform": [
        (
            f"normal([columns, hidden], {W1})",
            "uniform([columns, hidden], -((6 / columns) ** 0.5), (6 / columns) ** 0.5)",
        )
    ],
    "float64": [
        ('"float32"', '"float64"'),
        (W1, f"{W1}, dtype='float64'"),
        (W2, f"{W2}, dtype='float64'"),
        ("tf.zeros([hidden])", "tf.zeros([hidden], 'float64')"),
        ("tf.zeros([1])", "tf.zeros([1], 'float64')"),
    ],
}


@pytest.mark.parametrize("name", UNUSUAL)
def test_an_unusual_program_is_right_too(name):
    verdict = ex.eight_faults.examine(changed(*UNUSUAL[name]), seed=5, draws=20)
    assert verdict.outcome == "correct", verdict.message


LOSS = "squared_error(network(x[:learnt]), y[:learnt])"
EVERY = "every = squared_error(network(x), y)"
UNSEEN = "squared_error(network(x[learnt:]), y[learnt:])"
WRONG = {
    "second layer of variance 1": ([(W2, "stddev=1.0")], "far too large", "variance_1"),
    "first layer of variance 1": ([(W1, "stddev=1.0")], "far too large", "variance_1"),
    "deviation for variance": ([(W1, "stddev=2 / columns")], "too small", None),
    "one size for every table": (
        [(W1, "stddev=0.1"), (W2, "stddev=0.1")],
        "do not fit tables of every width|of a fitting size",
        None,
    ),
    "tiny": ([(W1, "stddev=0.01"), (W2, "stddev=0.01")], "too small", None),
    "no ReLU": ([("tf.nn.relu", "")], "ReLU between the layers|missing ReLU", None),
    "biases at rest": ([("[w1, b1, w2, b2]", "[w1, w2]")], "Are the biases trained", None),
    "b1 at rest": ([("[w1, b1, w2, b2]", "[w1, w2, b2]")], "both biases", None),
    "all pairs": ([("(network(x[:learnt])", "(network(x[:learnt])[:, 0]")], "all pairs", None),
    "sum": ([("tf.reduce_mean(", "tf.reduce_sum(")], "sum", None),
    "loss after the step": (
        [("losses.append(float(loss))", f"losses.append(float({LOSS}))")],
        "after the last step",
        None,
    ),
    "answers before training": (
        [
            ("    predictions = network(x[learnt:])\n", ""),
            ("\n    descend()\n", "\n    predictions = network(x[learnt:])\n    descend()\n"),
        ],
        "the training",
        None,
    ),
    "held out before training": (
        [
            ("    descend()\n    pred", f"    early = float({UNSEEN})\n    descend()\n    pred"),
            ("float(squared_error(predictions, y[learnt:]))", "early"),
        ],
        '"held_out" is',
        None,
    ),
    "seed ignored": ([("set_seed(seed)", "set_seed(7)")], "Whatever the seed", None),
    "no seed": ([("tf.random.set_seed(seed)", "pass")], "with the same seed", None),
    "flat": ([("predictions.numpy()", "predictions.numpy().ravel()")], "the shape asked for", None),
    "other key": ([('"held_out"', '"heldout"')], 'no key "held_out"; its keys are', None),
    "uphill": ([("assign_sub", "assign_add")], "away from the labels|loss grows", None),
    "loss alone held out": (
        [
            ("    gradients =", f"        {EVERY}\n            gradients ="),
            ("gradient(loss,", "gradient(every,"),
        ],
        "held out|towards all",
        "nothing_held_out",
    ),
    "w1 at rest": (
        [("[w1, b1, w2, b2]", "[b1, w2, b2]")],
        "the weights of the first layer stay as they were drawn",
        None,
    ),
    "w2 at rest": (
        [("[w1, b1, w2, b2]", "[w1, b1, b2]")],
        "the weights of the second layer stay as they were drawn",
        None,
    ),
    "sized by the columns": ([(W2, "stddev=(2 / columns) ** 0.5")], "adds up", "other_width"),
    "half a sum": (
        [("tf.reduce_mean((y_hat - y) ** 2)", "tf.reduce_sum((y_hat - y) ** 2) / 2")],
        "sum",
        None,
    ),
    "ReLU on the output": (
        [("return tf.matmul(a, w2) + b2", "return tf.nn.relu(tf.matmul(a, w2) + b2)")],
        "ReLU on the output",
        None,
    ),
    "a tuple": (
        [("return {", "return tuple({"), (".numpy(),\n    }", ".numpy(),\n    }.values())")],
        "return a dict",
        None,
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_program_that_is_wrong_in_one_thing_hears_of_it(name):
    changes, said, mistake = WRONG[name]
    for seed in range(2):
        verdict = ex.eight_faults.examine(changed(*changes), seed=seed)
        assert (verdict.outcome, verdict.mistake) == ("not yet", mistake), verdict.message
        assert re.search(said, verdict.message), verdict.message


def test_without_eager_mode_the_learner_hears_that_the_kernel_must_be_restarted():
    """In a process of its own, for the mode does not come back."""
    program = (
        "import tensorflow as tf\n"
        "from amaas_kit.exercises import first_network as ex\n"
        "def train(*given):\n"
        "    tf.compat.v1.disable_eager_execution()\n"
        "    return ex.train(*given)\n"
        "for answer in (train, ex.train):\n"
        "    verdict = ex.eight_faults.examine(answer, seed=1, draws=2)\n"
        "    assert verdict.outcome == 'not yet'\n"
        "    assert 'restart the kernel' in verdict.message, verdict.message\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], check=False, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr[-2000:]


def test_best_means_do_not_tie_and_no_mean_lies_on_the_limit():
    def in_single_precision(accuracy, sizes_in_bytes):
        accuracy = accuracy.astype("float32")
        means = accuracy.mean(axis=1)
        best = len(means) - 1 - means[::-1].argmax()
        limit = means[best] - accuracy[best].std(ddof=1) / np.sqrt(accuracy.shape[1])
        good = np.flatnonzero(means >= limit)
        return int(good[np.argmin(sizes_in_bytes[good])])

    for seed in range(40):
        verdict = ex.smallest_as_good.examine(in_single_precision, seed=seed)
        assert verdict.outcome == "correct", verdict.message


def test_a_division_comes_from_its_seed():
    def by(generator):
        def split_by_writer(writers, share, seed):
            names = generator(seed).permutation(np.unique(writers))
            in_test = np.isin(writers, names[: round(share * len(names))])
            return np.flatnonzero(~in_test), np.flatnonzero(in_test)

        return ex.split_rows.examine(split_by_writer, seed=4)

    assert "with the same seed" in by(lambda seed: np.random.default_rng()).message
    assert "Whatever the seed" in by(lambda seed: np.random.default_rng(0)).message
    assert by(np.random.RandomState).outcome == "correct"


def test_an_answer_that_fails_only_when_it_is_called_again_is_said_to_fail():
    def after_the_draws(then):
        calls = iter(range(10**6))

        def split_by_writer(writers, share, seed):
            if next(calls) < ex.split_rows.draws:
                return ex.split_by_writer(writers, share, seed)
            return then()

        return ex.split_rows.examine(split_by_writer)

    def raises():
        raise LookupError("no more rows")

    for then, said in [
        (raises, "Called again, it raised LookupError: no more rows"),
        (lambda: None, "gave another result"),
        (lambda: "odd", "gave another result"),
        (lambda: time.sleep(12), "no result within 10 s"),
    ]:
        verdict = after_the_draws(then)
        assert verdict.outcome == "not yet"
        assert said in verdict.message


def test_rows_in_another_order_are_the_same_division():
    def shuffled(writers, share, seed):
        return tuple(map(np.random.permutation, ex.split_by_writer(writers, share, seed)))

    assert ex.split_rows.examine(shuffled, seed=4).outcome == "correct"


@pytest.mark.parametrize("dtype", ["float64", "int32", "uint16"])
def test_counts_may_have_any_dtype_that_holds_them(dtype):
    def confusion(*given):
        return ex.confusion(*given).astype(dtype)

    assert ex.confusion_matrix.examine(confusion, seed=1).outcome == "correct"


def test_at_least_is_not_more_than():
    def strictly(accuracy, sizes_in_bytes):
        means = accuracy.mean(axis=1)
        best = means.argmax()
        error = accuracy[best].std(ddof=1) / np.sqrt(accuracy.shape[1])
        good = np.flatnonzero(means > means[best] - error)
        return int(good[np.argmin(sizes_in_bytes[good])])

    assert ex.smallest_as_good.examine(strictly, seed=1).outcome == "not yet"


def test_a_pair_marked_in_a_loop_is_counted_once():
    def confusion(truth, predicted, classes):
        counts = np.zeros((classes, classes), int)
        for i, j in zip(truth, predicted, strict=True):
            counts[i, j] = 1
        return counts

    verdict = ex.confusion_matrix.examine(confusion, seed=1)
    assert verdict.mistake == "each_pair_once"
    assert "In a loop, `+= 1` adds" in verdict.message


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
