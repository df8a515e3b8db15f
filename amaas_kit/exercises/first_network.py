"""The exercises of notebooks/04_first_network: faults, a fair split, a stop, mistakes, sizes."""

from __future__ import annotations

import inspect
import math
import statistics
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from amaas_kit.data import Dataset
from amaas_kit.exercises import describe
from amaas_kit.exercises.chance import SeededExercise
from amaas_kit.exercises.exercise import Complaint, Exercise, Mistake
from amaas_kit.session import tensorflow
from amaas_kit.training import SGD, DataFacts, Epoch, History

Array = npt.NDArray[Any]

Kind = Literal["still", "one step", "run"]

FAR = 1000.0
"""Labels so far away that the first answers are nothing beside them: the first step is known."""

NEAR, SHIFT = 7.0, 30.0
"""Mean of the labels of a run, and how far those of the held-out rows lie off."""

SPREADS = 0.25, 4.5
"""Between these lies the spread of the first answers: with variance 1/d in both layers it is near
0.7, with 2/d near 1.4; with variance 1 in one layer it is above 12, with a standard deviation of
2/d below 0.15."""

LEARNT_SHARE = 0.05
"""Answers that moved by this share towards the held-out labels have learnt them; those that learn
from all rows move by nearly 0.2, the others by hundredths, and most of them the other way."""

LEAST_FALL = 0.7
"""The last loss, as a share of the first, of a program that learns."""


def _draw_program(rng: np.random.Generator) -> dict[str, Any]:
    """A table that shows one kind of fault: at rest, in a single step, or in a run.

    Its rows are x, -x and 0. The first four fifths hold the rows of the last fifth four times, so
    that the answers to those tell the loss of these. Hundreds of columns and of hidden units show
    weights of the wrong size at once; with ten it takes luck.
    """
    kind: Kind = rng.choice(["still", "one step", "run"])
    columns, hidden = (int(size) for size in rng.integers(300, 401, size=2))
    some = rng.normal(size=(8 if kind == "run" else 30, columns))
    x = np.vstack([some, -some, np.zeros((1, columns))])
    y = rng.normal(size=(len(x), 1))
    side = rng.choice([-1.0, 1.0])
    y, unseen = {
        "still": (y, y + side * NEAR),
        "one step": (y + side * FAR, y + 6 * side * FAR),
        "run": (y + side * NEAR, y + side * (NEAR + SHIFT)),
    }[kind]
    epochs = 1 if kind == "one step" else int(rng.integers(10, 15) if kind == "run" else 3)
    rate = {"still": 0.0, "one step": 2e-6, "run": 1e-3}[kind] * float(rng.choice([1.0, 1.5]))
    return {
        "x": np.vstack([x] * 5),
        "y": np.vstack([y] * 4 + [unseen]),
        "hidden": hidden,
        "epochs": epochs,
        "rate": rate,
        "seed": int(rng.integers(1_000_000)),
    }


def train(x: Array, y: Array, hidden: int, epochs: int, rate: float, seed: int) -> dict[str, Any]:
    tf = tensorflow()
    tf.random.set_seed(seed)
    x, y = x.astype("float32"), y.astype("float32")
    learnt = 4 * len(x) // 5
    columns = x.shape[1]
    w1 = tf.Variable(tf.random.normal([columns, hidden], stddev=(2 / columns) ** 0.5))
    b1 = tf.Variable(tf.zeros([hidden]))
    w2 = tf.Variable(tf.random.normal([hidden, 1], stddev=(2 / hidden) ** 0.5))
    b2 = tf.Variable(tf.zeros([1]))
    weights = [w1, b1, w2, b2]
    losses = []

    def network(x: Any) -> Any:
        a = tf.nn.relu(tf.matmul(x, w1) + b1)
        return tf.matmul(a, w2) + b2

    def squared_error(y_hat: Any, y: Any) -> Any:
        return tf.reduce_mean((y_hat - y) ** 2)

    def descend() -> None:
        for _ in range(epochs):
            with tf.GradientTape() as tape:
                loss = squared_error(network(x[:learnt]), y[:learnt])
            gradients = tape.gradient(loss, weights)
            for weight, gradient in zip(weights, gradients, strict=True):
                weight.assign_sub(rate * gradient)
            losses.append(float(loss))

    descend()
    predictions = network(x[learnt:])
    return {
        "losses": losses,
        "held_out": float(squared_error(predictions, y[learnt:])),
        "predictions": predictions.numpy(),
    }


FAULTS: Mapping[str, tuple[tuple[str, str], ...]] = {
    "tensorflow_1": (
        ("tf.random.normal(", "tf.random_normal("),
        ("weight.assign_sub(rate", "tf.assign_sub(weight, rate"),
    ),
    "mixed_floats": (('    x, y = x.astype("float32"), y.astype("float32")\n', ""),),
    "one_name_twice": (("squared_error", "loss"),),
    "no_tape": (
        ("            with tf.GradientTape() as tape:\n    ", ""),
        ("tape.gradient(", "tf.gradients("),
    ),
    "unseen_loss": (('        "losses": losses,\n', ""),),
    "nothing_held_out": (("network(x[:learnt]), y[:learnt]", "network(x), y"),),
    "no_prediction": (('        "predictions": predictions.numpy(),\n', ""),),
    "variance_1": ((", stddev=(2 / columns) ** 0.5", ""), (", stddev=(2 / hidden) ** 0.5", "")),
}
"""Each of the eight faults as changes of the repaired program: what stands there, what stood."""


def with_fault(fault: str) -> Callable[..., Any]:
    """The repaired program with one fault put back."""
    source = inspect.getsource(train)
    for repaired, faulty in FAULTS[fault]:
        assert repaired in source, f"{fault}: {repaired!r} is not in the program"
        source = source.replace(repaired, faulty)
    names = dict(globals())
    exec(source, names)
    function: Callable[..., Any] = names["train"]
    return function


def _judge_program(
    result: Any, x: Array, y: Array, hidden: int, epochs: int, rate: float, seed: int
) -> Complaint | None:
    """What a run shows that cannot be computed again, because its start was drawn inside."""
    complaint = _judge_entries(result, epochs)
    if complaint:
        return complaint
    losses = np.array([float(loss) for loss in result["losses"]])
    predictions = np.asarray(result["predictions"], dtype=float)
    m = len(y) // 5
    if predictions.shape != (m, 1):
        return Complaint(
            f'"predictions" has the shape {predictions.shape}; the last fifth of the {len(y)} rows '
            f"is {_counted(m, 'row')}, and the shape asked for is {(m, 1)}."
        )
    if rate == 0:
        complaint = _judge_at_rest(losses, predictions, y)
    elif epochs == 1:
        complaint = _judge_step(losses, predictions, y, rate)
    else:
        complaint = _judge_run(losses, predictions, y)
    return complaint or _judge_held_out(float(result["held_out"]), predictions, y[-m:])


def _judge_entries(result: Any, epochs: int) -> Complaint | None:
    if isinstance(result, str):
        return Complaint("The result is a text.", "unseen_loss")
    if not isinstance(result, Mapping):
        return Complaint(
            f"The result is {describe.kind(result)}: return a dict, with the entries "
            '"losses", "held_out" and "predictions".'
        )
    asked = {
        "losses": "unseen_loss",
        "held_out": "nothing_held_out",
        "predictions": "no_prediction",
    }
    others = [key for key in result if key not in asked]
    for key, fault in asked.items():
        if key not in result:
            yours = ", ".join(map(repr, result)) or "none"
            text = f'The result has no key "{key}"; its keys are: {yours}.'
            return Complaint(text, None if others else fault)
    count = len(result["losses"])
    if count != epochs:
        return Complaint(
            f'"losses" has {_counted(count, "number")}, and {_counted(epochs, "epoch")} '
            f"{'was' if epochs == 1 else 'were'} asked for.",
            None if count else "unseen_loss",
        )
    return None


def _counted(count: int, thing: str) -> str:
    return f"{count} {thing}" + "s" * (count != 1)


def _mean_square(difference: Array) -> float:
    return float(np.mean(difference**2))


def _near(one: float, other: float, share: float = 1e-3) -> bool:
    return math.isclose(one, other, rel_tol=share)


def _judge_at_rest(losses: Array, predictions: Array, y: Array) -> Complaint | None:
    """With the rate 0 the answers are those of the start, and so is every loss."""
    m = len(predictions)
    if not np.allclose(losses, losses[0], rtol=1e-4):
        return Complaint("With a rate of 0 the loss must not change; it does.")
    complaint = _judge_start(predictions)
    if complaint:
        return complaint
    learnt, unseen = y[:m], y[-m:]
    error = _mean_square(predictions - learnt)
    with_unseen = (4 * error + _mean_square(predictions - unseen)) / 5
    if not _near(losses[0], error):
        if _near(losses[0], with_unseen):
            return Complaint("The loss is measured over all rows.", "nothing_held_out")
        return Complaint(_other_loss(float(losses[0]), predictions, learnt))
    return None


def _judge_start(predictions: Array) -> Complaint | None:
    """What the first answers show, to x, to -x in the same order, and to 0."""
    half = len(predictions) // 2
    there, back = predictions[:half], predictions[half:-1]
    spread = math.sqrt(_mean_square(there - back) / 2)
    if spread > SPREADS[1]:
        return Complaint(
            f"The entries of x have a spread of 1, and the first answers one of {spread:.0f}: far "
            "too large.",
            "variance_1",
        )
    if spread < SPREADS[0]:
        return Complaint(
            f"The entries of x have a spread of 1, and the first answers one of {spread:.2g}. The "
            "weights are drawn too small: each layer makes its rows shrink."
        )
    if np.std(there + back) < 0.02 * spread:
        return Complaint(
            "To x and to -x the first answers are opposite numbers, for all rows. That is a linear "
            "function: is the ReLU between the layers?"
        )
    return None


def _other_loss(loss: float, predictions: Array, y: Array) -> str:
    """What a first loss is that is not the mean squared error."""
    error, count = _mean_square(predictions - y), 4 * len(y)
    told = (
        f"With a rate of 0 the predictions tell the loss, for the first four fifths are the rows "
        f"of the last fifth, four times over. It is {error:.4g}; your first loss is {loss:.4g}"
    )
    if _near(loss, count * error):
        return f"{told}, which is {count} times as large: a sum over the rows, not their mean."
    if _near(loss, _mean_square(predictions - y.T)):
        return (
            f"{told}. That is the mean over all pairs of an answer and a label: shapes (n,) and "
            "(n, 1) make a table (n, n)."
        )
    return f"{told}."


def _judge_step(losses: Array, predictions: Array, y: Array, rate: float) -> Complaint | None:
    """From far labels, the first step moves each bias by a known amount.

    At the row of zeros only the biases count: b2 adds two rate * label, the biases of the hidden
    units between a half and one more.
    """
    m = len(y) // 5
    label, at_zero = float(y[:m].mean()), float(predictions[-1, 0])
    ratio, moved = float(losses[0]) / _mean_square(y[:m]), at_zero / (rate * label)
    if _near(ratio, 4 * m, 0.3):
        return Complaint(f"The first loss is {4 * m} times the mean squared error: a sum, no mean?")
    complaint = _judge_start(predictions)
    if complaint:
        return complaint
    if _near(ratio, 8, 0.1) or 4.4 < moved < 6.6:
        return Complaint(
            f"The labels of the last fifth lie at {6 * label:.0f}, all others at {label:.0f}. The "
            f"first loss is {losses[0]:.3g} and the first step is the one towards all of them.",
            "nothing_held_out",
        )
    if moved < -0.5:
        return Complaint(
            "The first step leads away from the labels: the loss grows. Check the sign; descent "
            "subtracts rate times gradient."
        )
    if abs(moved) < 0.1:
        return Complaint(
            "To a row of zeros the answer is still 0 after the first step, though all labels are "
            f"near {label:.0f}. Are the biases trained, and are the predictions made after the "
            "training?"
        )
    if not 2.15 < moved < 3.8:
        return Complaint(
            f"All labels are near {label:.0f}. After one step with the rate {rate:g} the answer to "
            f"a row of zeros is to lie between {2.15 * rate * label:.3g} and "
            f"{3.8 * rate * label:.3g}, moved by all biases; it is {at_zero:.3g}. Are both biases "
            "trained, and is each step the rate times the gradient?"
        )
    return None


def _judge_run(losses: Array, predictions: Array, y: Array) -> Complaint | None:
    m = len(predictions)
    learnt, unseen = y[:m], y[-m:]
    size, error = _mean_square(learnt), _mean_square(predictions - learnt)
    way = (predictions - learnt)[:-1].mean() / (unseen - learnt).mean()
    if way > LEARNT_SHARE and losses[-1] < LEAST_FALL * losses[0]:
        return Complaint(
            f"The labels of the last fifth of the rows lie at {unseen.mean():.1f} on the average, "
            f"all others at {learnt.mean():.1f}. The predictions lie at {predictions.mean():.1f}: "
            "the program has learnt from rows that were to be held out.",
            "nothing_held_out",
        )
    if _near(losses[0] / size, 4 * m, 0.4):
        return Complaint(f"The first loss is {4 * m} times the mean squared error: a sum, no mean?")
    if losses[0] > 3.5 * size:
        return Complaint(
            f"The first loss is {losses[0]:.0f}; always answering 0 would have one of {size:.0f}. "
            "The first answers are far too large.",
            "variance_1",
        )
    if not np.isfinite(losses).all() or losses[-1] > 1.05 * losses[0]:
        return Complaint(
            f"The loss grows, from {losses[0]:.3g} to {losses[-1]:.3g}. Check the sign and the "
            "size of each step: descent subtracts rate times gradient."
        )
    if _near(error, float(losses[0])):
        return Complaint(
            "The predictions have the loss of the first epoch: they were made before the training."
        )
    if _near(error, float(losses[-1]), 1e-4):
        return Complaint(
            "The last loss is that of the predictions, so it was measured after the last step. "
            "Each loss is to be measured before its step."
        )
    if losses[-1] > LEAST_FALL * losses[0]:
        return Complaint(
            f"The loss goes from {losses[0]:.3g} to {losses[-1]:.3g} in {len(losses)} epochs. A "
            f"program that learns ends below {LEAST_FALL:g} times the first loss here. Weights "
            "that are drawn too small, a missing ReLU or steps of another rate can be the cause."
        )
    return None


def _judge_held_out(held_out: float, predictions: Array, unseen: Array) -> Complaint | None:
    error = _mean_square(predictions - unseen)
    if _near(held_out, error):
        return None
    return Complaint(
        f'"held_out" is {held_out:.4g}; the mean squared error of the predictions, over the '
        f"held-out rows, is {error:.4g}."
    )


eight_faults = SeededExercise(
    name="eight_faults",
    lesson="first_network",
    title="Find the eight faults",
    statement=r"""
Mend the program below, `train(x, y, hidden, epochs, rate, seed)`, until it

- draws the weights of a network with `x.shape[1]` inputs, `hidden` hidden units with ReLU and 1
  output, so large that what comes out of a layer is about as large as what went in; the biases
  begin at 0;
- trains all weights and biases for `epochs` steps of gradient descent with the rate `rate`, on the
  mean squared error of the first four fifths of the rows, and on no others;
- returns a dict of three entries:
  `"losses"`, a list with the loss of each epoch, measured before its step;
  `"held_out"`, the mean squared error over the last fifth of the rows after training;
  `"predictions"`, an array of the answers to these rows after training, shape (m, 1).

The arguments: `x`, shape (n, d), and `y`, shape (n, 1), both float64, n a multiple of 5; `hidden`
and `epochs` whole numbers; `rate` a number; `seed` a whole number, from which the weights are
drawn: the same seed gives the same weights, another one others.

The check draws tables with hundreds of columns and asks for hundreds of hidden units; there,
weights of the wrong size show at once. The labels of the last fifth lie far from the others, so
that learning from them shows too. In some draws the rate is 0, in some there is one epoch. A
program in plain NumPy, with the gradients of lesson 2, is as good an answer. A check takes some
seconds.
""",
    draw=_draw_program,
    solution=train,
    decided=lambda result: np.asarray(result["predictions"]),
    judge=_judge_program,
    demands="a dict with the losses of all epochs, the held-out loss and the predictions, from "
    "weights of fitting size and without learning from the last fifth of the rows",
    mistakes=(
        Mistake(
            "tensorflow_1",
            with_fault("tensorflow_1"),
            "A call of TensorFlow 1 that no longer exists. In TensorFlow 2 random numbers are in "
            "`tf.random`, and a variable updates itself: `weight.assign_sub(…)`.",
            raises=r"^AttributeError: module '\S*tensorflow\S*' has no attribute",
        ),
        Mistake(
            "mixed_floats",
            with_fault("mixed_floats"),
            "float64 meets float32. NumPy draws in float64, TensorFlow's variables are float32, "
            "and TensorFlow does not mix them. Convert x and y once, at the start.",
            raises=r"Error: .*\b(double|float64)\b",
        ),
        Mistake(
            "one_name_twice",
            with_fault("one_name_twice"),
            "One name for two things. An assignment makes a name local in the whole function, also "
            "on the right of the `=`, where it has no value yet. Give the function and its result "
            "two names.",
            raises=r"^UnboundLocalError",
        ),
        Mistake(
            "no_tape",
            with_fault("no_tape"),
            "No gradient without a tape. TensorFlow 2 computes at once and forgets; only what is "
            "computed inside `with tf.GradientTape() as tape:` can be differentiated, by "
            "`tape.gradient(loss, weights)`. A gradient that is None was not recorded.",
            raises=r"tf\.gradients|NoneType|None values",
        ),
        Mistake(
            "unseen_loss",
            with_fault("unseen_loss"),
            "Nobody ever sees the loss, so nobody can tell whether anything was learnt. Keep the "
            'loss of each epoch in a list and return it under "losses".',
        ),
        Mistake(
            "nothing_held_out",
            with_fault("nothing_held_out"),
            "No rows are held out. Learn from the first four fifths only, and measure the loss on "
            'the last fifth, which the network has not seen; return it under "held_out".',
        ),
        Mistake(
            "no_prediction",
            with_fault("no_prediction"),
            "The promised predictions never come. Ask the trained network about the held-out rows "
            'and return its answers under "predictions".',
        ),
        Mistake(
            "variance_1",
            with_fault("variance_1"),
            "The weights are drawn too large. With variance 1 a sum over d inputs has a variance "
            "of the order of d, and each layer makes its rows larger by the square root of that. "
            "Which variance must a weight have, that the sum over d inputs has one near 1? This "
            "holds for both layers.",
        ),
    ),
    hints=(
        "Run the check and read the error: it shows the first fault that Python meets, not the "
        "only one. Mend it, run the cell and the check again.",
        "Four faults raise an error: calls that TensorFlow no longer has (two), mixed kinds of "
        "float, one name for two things, gradients without a tape.",
        "Four are silent. What would you want to know of a finished run? Its losses, its error on "
        "rows that it has not seen, its predictions. And how large are weights of variance 1 when "
        "a unit adds up hundreds of products?",
    ),
    draws=15,
    seconds=120,
)


MANY_WAYS = 4_000_000
"""From so many possible tests on, one that is the head or tail of a list was hardly drawn."""


def _draw_writers(rng: np.random.Generator) -> dict[str, Any]:
    """A few writers, to be read, or so many that chance does not draw the first ones."""
    count = int(rng.integers(36, 46) if rng.random() < 0.6 else rng.integers(4, 11))
    names = rng.choice(1000, size=count, replace=False)
    writers = np.repeat(names, rng.integers(1, 7, size=count))
    if rng.random() < 0.5:
        rng.shuffle(writers)
    share, seed = float(rng.choice([0.2, 0.25, 0.3, 0.4])), int(rng.integers(1_000_000))
    return {"writers": writers, "share": share, "seed": seed}


def split_by_writer(writers: Array, share: float, seed: int) -> tuple[Array, Array]:
    names = np.random.default_rng(seed).permutation(np.unique(writers))
    test_names = names[: round(share * len(names))]
    in_test = np.isin(writers, test_names)
    train_rows = np.flatnonzero(~in_test)
    test_rows = np.flatnonzero(in_test)
    return train_rows, test_rows


def _by_rows(writers: Array, share: float, seed: int) -> tuple[Array, Array]:
    rows = np.random.default_rng(seed).permutation(len(writers))
    count = round(share * len(rows))
    return rows[count:], rows[:count]


def _one_row_a_writer(writers: Array, share: float, seed: int) -> tuple[Array, Array]:
    names, rows = np.unique(writers, return_index=True)
    order = np.random.default_rng(seed).permutation(len(names))
    count = round(share * len(names))
    return rows[order[count:]], rows[order[:count]]


def _test_rows_in_both(writers: Array, share: float, seed: int) -> tuple[Array, Array]:
    return np.arange(len(writers)), split_by_writer(writers, share, seed)[1]


def _sides_swapped(writers: Array, share: float, seed: int) -> tuple[Array, Array]:
    train_rows, test_rows = split_by_writer(writers, share, seed)
    return test_rows, train_rows


def _names_for_rows(writers: Array, share: float, seed: int) -> tuple[Array, Array]:
    names = np.random.default_rng(seed).permutation(np.unique(writers))
    count = round(share * len(names))
    return names[count:], names[:count]


def _marks_for_rows(writers: Array, share: float, seed: int) -> tuple[Array, Array]:
    names = np.random.default_rng(seed).permutation(np.unique(writers))
    in_test = np.isin(writers, names[: round(share * len(names))])
    return ~in_test, in_test


def _not_drawn(writers: Array, share: float, seed: int) -> tuple[Array, Array]:
    names = np.unique(writers)
    in_test = np.isin(writers, names[: round(share * len(names))])
    return np.flatnonzero(~in_test), np.flatnonzero(in_test)


def _judge_split(result: Any, writers: Array, share: float, seed: int) -> Complaint | None:
    """The first property of a fair split that is missing; many splits have them all."""
    if not isinstance(result, tuple | list) or len(result) != 2:
        return Complaint("The result is not a pair: `return train_rows, test_rows`.")
    parts = [np.asarray(part) for part in result]
    if all(part.dtype == bool for part in parts):
        return Complaint("Both parts are True and False, one a row.", "marks_for_rows")
    if any(part.ndim != 1 or part.dtype.kind not in "iu" for part in parts if part.size):
        return Complaint("Each part is to be a one-dimensional array of row numbers.")
    train_rows, test_rows = (part.astype(int) for part in parts)
    return _judge_rows(train_rows, test_rows, writers) or _judge_share(
        train_rows, test_rows, writers, share
    )


def _judge_rows(train_rows: Array, test_rows: Array, writers: Array) -> Complaint | None:
    used, times = np.unique(np.concatenate([train_rows, test_rows]), return_counts=True)
    if len(used) and not 0 <= used[0] <= used[-1] < len(writers):
        stray = used[0] if used[0] < 0 else used[-1]
        named = set(used.tolist()) <= set(writers.tolist())
        return Complaint(
            f"The rows have the numbers 0 to {len(writers) - 1}; the result names row {stray}.",
            "names_for_rows" if named else None,
        )
    if times.size and times.max() > 1:
        row = used[times > 1][0]
        both = row in train_rows and row in test_rows
        where = "in both parts" if both else "twice in the same part"
        return Complaint(f"Row {row} is {where}.", "test_rows_in_both" if both else None)
    shared = np.intersect1d(writers[train_rows], writers[test_rows])
    if shared.size:
        return Complaint(
            f"Of {len(np.unique(writers))} writers, {shared.size} "
            f"{'has' if shared.size == 1 else 'have'} rows in both parts, such as writer "
            f"{shared[0]}.",
            "writer_in_both",
        )
    lost = np.setdiff1d(np.arange(len(writers)), used)
    if lost.size:
        once = len(used) == len(np.unique(writers))
        return Complaint(
            f"Of {len(writers)} rows, {lost.size} {'is' if lost.size == 1 else 'are'} in neither "
            f"part; row {lost[0]} is the first.",
            "rows_lost" if once else None,
        )
    return None


def _judge_share(
    train_rows: Array, test_rows: Array, writers: Array, share: float
) -> Complaint | None:
    names, tested = np.unique(writers), np.unique(writers[test_rows])
    wanted = share * len(names)
    if abs(len(tested) - wanted) > 0.5 + 1e-9:
        swapped = abs(len(names) - len(tested) - wanted) <= 0.5 + 1e-9
        return Complaint(
            f"Of {len(names)} writers, {len(tested)} {'is' if len(tested) == 1 else 'are'} in the "
            f"test; {share:g} of {len(names)} is {wanted:.3g}.",
            "sides_swapped" if swapped else None,
        )
    _, first = np.unique(writers, return_index=True)
    orders = (names, names[::-1], writers[np.sort(first)], writers[np.sort(first)][::-1])
    if math.comb(len(names), len(tested)) > MANY_WAYS and any(
        set(order[: len(tested)]) == set(tested) for order in orders
    ):
        return Complaint(
            f"The {len(tested)} writers of the test are the first or last of {len(names)}, as they "
            "stand. By chance that comes up less than once in a million draws.",
            "not_drawn",
        )
    return None


split_rows = SeededExercise(
    name="split_rows",
    lesson="first_network",
    title="Split without leakage",
    statement=r"""
Write `split_by_writer(writers, share, seed)`: divide rows so that no writer is on both sides.

- `writers`, shape (n,): for each row the number of its writer; a writer may have one row or many,
  next to each other or not;
- `share`: the share of **the writers** that go into the test, between 0 and 1;
- `seed`: a whole number; which writers go into the test is drawn by a generator that begins with
  it, such as `np.random.default_rng(seed)`: the same seed gives the same division, and another seed
  mostly another;
- return: two arrays of row numbers, `train_rows` and `test_rows`, in any order.

Every row is in exactly one of them. The number of writers in the test is `share` times the number
of writers, rounded to the nearest whole number (either one, if it lies half way).
""",
    draw=_draw_writers,
    solution=split_by_writer,
    decided=lambda result: [np.sort(rows) for rows in result],
    judge=_judge_split,
    demands="every row in exactly one part, no writer in both, the test with `share` of the "
    "writers, drawn by chance",
    mistakes=(
        Mistake(
            "writer_in_both",
            _by_rows,
            "Writers are on both sides. Who divides the rows divides the writers as well: the "
            "network then meets hands in the test that it has learnt. Draw writers, then give "
            "each row to the side of its writer.",
        ),
        Mistake(
            "rows_lost",
            _one_row_a_writer,
            "One row of each writer was kept, and the others are lost. Once you know which writers "
            "are in the test, ask for every row whether its writer is one of them: `np.isin`.",
        ),
        Mistake(
            "test_rows_in_both",
            _test_rows_in_both,
            "Rows of the test are in the training part too, and will be answered from memory. What "
            "goes into the test must leave the training part.",
        ),
        Mistake(
            "sides_swapped",
            _sides_swapped,
            "The parts have changed places: training gets the small one. Return the training rows "
            "first, then the test rows.",
        ),
        Mistake(
            "names_for_rows",
            _names_for_rows,
            "You returned the writers' numbers. The exercise asks for the numbers of the rows: the "
            "places in `writers` where one of these writers stands (`np.isin`, `np.flatnonzero`).",
        ),
        Mistake(
            "marks_for_rows",
            _marks_for_rows,
            "You returned a mark for each row. The division may be right, but row numbers are "
            "asked for: `np.flatnonzero(marks)` gives the places that are True.",
        ),
        Mistake(
            "not_drawn",
            _not_drawn,
            "The writers of the test are not drawn by chance: they are the first ones of a list. "
            "Lists are often sorted by something that matters, such as age or place. Shuffle the "
            "writers with `np.random.default_rng(seed)` first.",
        ),
    ),
    hints=(
        "First divide the writers, then the rows. `np.unique(writers)` gives each writer once.",
        "`np.random.default_rng(seed).permutation(names)` shuffles them; the first "
        "`round(share * len(names))` go into the test.",
        "`np.isin(writers, test_names)` is True for each row whose writer is in the test, and "
        "`np.flatnonzero` turns that into row numbers; `~` turns True and False around.",
    ),
)


def _draw_losses(rng: np.random.Generator) -> dict[str, Any]:
    """A loss that falls, turns and rises, coarsely rounded, so that ties are frequent."""
    count, bottom = int(rng.integers(5, 16)), int(rng.integers(2, 8))
    valley = 0.1 * np.abs(np.arange(count) - bottom) ** 1.3
    losses = (0.3 + valley + rng.normal(0, 0.16, size=count)).clip(0.1).round(1)
    return {"val_loss": losses.tolist(), "patience": int(rng.integers(1, 5))}


def stop_early(val_loss: Sequence[float], patience: int) -> tuple[int, int]:
    least, best_epoch = float("inf"), 0
    for epoch, loss in enumerate(val_loss, start=1):
        if loss < least:
            least, best_epoch = loss, epoch
        if epoch - best_epoch >= patience:
            break
    epochs_run = epoch
    return epochs_run, best_epoch


def _stop_as_fit_does(val_loss: Sequence[float], patience: int) -> tuple[int, int]:
    """What `amaas_kit.training.fit` does with its history after each epoch."""
    data = DataFacts.of(Dataset(np.zeros((1, 1), np.float32), np.zeros(1, np.float32)), None)
    history = History(SGD(), "mse", batch_size=1, seed=0, data=data)
    for loss in val_loss:
        history.records.append(Epoch(loss=loss, accuracy=None, val_loss=loss, val_accuracy=None))
        if history.epochs - history.best_epoch >= patience:
            break
    return history.epochs, history.best_epoch


def _keeps_the_last(val_loss: Sequence[float], patience: int) -> tuple[int, int]:
    run, _ = stop_early(val_loss, patience)
    return run, run


def _keeps_the_last_where_it_stops(val_loss: Sequence[float], patience: int) -> tuple[int, int]:
    run, best = stop_early(val_loss, patience)
    return (run, run) if run - best >= patience else (run, best)


def _best_of_all(val_loss: Sequence[float], patience: int) -> tuple[int, int]:
    return stop_early(val_loss, patience)[0], int(np.argmin(val_loss)) + 1


def _patience_from_the_start(val_loss: Sequence[float], patience: int) -> tuple[int, int]:
    run = min(patience, len(val_loss))
    return run, int(np.argmin(val_loss[:run])) + 1


def _one_epoch_late(val_loss: Sequence[float], patience: int) -> tuple[int, int]:
    return stop_early(val_loss, patience + 1)


def _ties_are_better(val_loss: Sequence[float], patience: int) -> tuple[int, int]:
    least, best_epoch = float("inf"), 0
    for epoch, loss in enumerate(val_loss, start=1):
        if loss <= least:
            least, best_epoch = loss, epoch
        if epoch - best_epoch >= patience:
            break
    return epoch, best_epoch


def _at_the_first_rise(val_loss: Sequence[float], patience: int) -> tuple[int, int]:
    return stop_early(val_loss, 1)


def _against_the_last_epoch(val_loss: Sequence[float], patience: int) -> tuple[int, int]:
    waited = 0
    for epoch in range(1, len(val_loss)):
        waited = 0 if val_loss[epoch] < val_loss[epoch - 1] else waited + 1
        if waited >= patience:
            break
    return epoch + 1, int(np.argmin(val_loss[: epoch + 1])) + 1


def _counted_from_0(val_loss: Sequence[float], patience: int) -> tuple[int, int]:
    run, best = stop_early(val_loss, patience)
    return run - 1, best - 1


def _counted_from_0_in_the_loop(val_loss: Sequence[float], patience: int) -> tuple[int, int]:
    run, best = stop_early(val_loss, patience)
    return run - (run - best >= patience), best - 1


def _never_stops(val_loss: Sequence[float], patience: int) -> tuple[int, int]:
    return len(val_loss), int(np.argmin(val_loss)) + 1


early_stopping = Exercise(
    name="early_stopping",
    lesson="first_network",
    title="Early stopping",
    statement=r"""
Write `stop_early(val_loss, patience)`: what early stopping makes of these validation losses.

- `val_loss`: a list of the validation losses after epoch 1, 2, 3, …, as they would come if nobody
  stopped the run;
- `patience`: a whole number of at least 1. The run ends after the epoch in which it has waited
  `patience` epochs for a loss **smaller than the best so far**; an equal loss is not smaller;
- return: two whole numbers, the number of epochs that were run, and the epoch whose weights are
  kept, which is the best one. Epochs are counted from 1.

If the run never waits so long, all epochs are run, and the best one is kept.
""",
    draw=_draw_losses,
    solution=stop_early,
    definition=_stop_as_fit_does,
    demands="the run ends when the present epoch minus the best epoch reaches the patience; kept "
    "is the first epoch with the least loss so far",
    mistakes=(
        Mistake(
            "keeps_the_last",
            _keeps_the_last,
            "You keep the last epoch. When the run ends, the best weights lie some epochs back; "
            "those are the ones to keep.",
        ),
        Mistake(
            "keeps_the_last_where_it_stops",
            _keeps_the_last_where_it_stops,
            "Where the run stops early, you keep the epoch in which it stops. That is `patience` "
            "epochs after the best one, and the best one is to be kept.",
        ),
        Mistake(
            "best_of_all",
            _best_of_all,
            "You keep the best epoch of the whole list. A run that has ended does not know what "
            "would have come: only epochs that were run can be kept.",
        ),
        Mistake(
            "patience_from_the_start",
            _patience_from_the_start,
            "You count the patience from the start of the run. It counts from the best epoch so "
            "far, and begins anew with each better one.",
        ),
        Mistake(
            "one_epoch_late",
            _one_epoch_late,
            "You stop one epoch late. With a patience of 1 the run ends after the first epoch that "
            "is not better than the best: the comparison is >=, not >.",
        ),
        Mistake(
            "ties_are_better",
            _ties_are_better,
            "You count an equal loss as better. A loss that only stays the same would keep the run "
            "alive for ever: compare with <, not <=.",
        ),
        Mistake(
            "at_the_first_rise",
            _at_the_first_rise,
            "You stop at the first epoch that is not better. Validation losses waver; the patience "
            "says how many such epochs to wait for.",
        ),
        Mistake(
            "against_the_last_epoch",
            _against_the_last_epoch,
            "You compare each loss with the one before it. A loss may fall again and again and "
            "still stay above the best: compare with the best so far.",
        ),
        Mistake(
            "counted_from_0",
            _counted_from_0,
            "You count epochs from 0. The first epoch has the number 1, as in a history of `fit`.",
        ),
        Mistake(
            "counted_from_0_in_the_loop",
            _counted_from_0_in_the_loop,
            "Your loop counts epochs from 0. `enumerate(val_loss, start=1)` counts them from 1, as "
            "a history of `fit` does.",
        ),
        Mistake(
            "never_stops",
            _never_stops,
            "You run all epochs. The best epoch of all may come after a wait that the patience "
            "does not allow: end the loop when the wait has lasted `patience` epochs.",
        ),
    ),
    hints=(
        "Go through the losses one by one, and remember two things: the least loss so far, and "
        "the epoch in which it came.",
        "`for epoch, loss in enumerate(val_loss, start=1):` gives the epochs their numbers.",
        "After each epoch, first see whether its loss is a new best, then leave the loop (`break`) "
        "if `epoch - best_epoch >= patience`.",
    ),
    draws=25,
)


def _draw_answers(rng: np.random.Generator) -> dict[str, Any]:
    """Few rows, so that some class is missing now and then, or more than a byte can count."""
    classes, count = int(rng.integers(2, 7)), int(rng.integers(3, 19))
    if rng.random() < 0.3:
        classes, count = 2, 1500
    truth = rng.integers(0, classes, size=count)
    guessed = rng.integers(0, classes, size=count)
    predicted = np.where(rng.random(count) < 0.6, truth, guessed)
    return {"truth": truth, "predicted": predicted, "classes": classes}


def confusion(truth: Array, predicted: Array, classes: int) -> Array:
    counts = np.zeros((classes, classes), dtype=int)
    for i, j in zip(truth, predicted, strict=True):
        counts[i, j] += 1
    return counts


def _confusion_by_definition(truth: Array, predicted: Array, classes: int) -> Array:
    numbers = range(classes)
    return np.array(
        [[int(np.sum((truth == i) & (predicted == j))) for j in numbers] for i in numbers]
    )


def _transposed(truth: Array, predicted: Array, classes: int) -> Array:
    return confusion(predicted, truth, classes)


def _missing_classes_dropped(truth: Array, predicted: Array, classes: int) -> Array:
    present = np.union1d(truth, predicted)
    return confusion(truth, predicted, classes)[np.ix_(present, present)]


def _shares_for_counts(truth: Array, predicted: Array, classes: int) -> Array:
    counts = confusion(truth, predicted, classes)
    return np.asarray(counts / np.maximum(counts.sum(axis=1, keepdims=True), 1))


def _shares_of_all(truth: Array, predicted: Array, classes: int) -> Array:
    return np.asarray(confusion(truth, predicted, classes) / len(truth))


def _diagonal_only(truth: Array, predicted: Array, classes: int) -> Array:
    return np.diag(confusion(truth, predicted, classes).diagonal())


def _each_pair_once(truth: Array, predicted: Array, classes: int) -> Array:
    counts = np.zeros((classes, classes), dtype=int)
    counts[truth, predicted] += 1
    return counts


confusion_matrix = Exercise(
    name="confusion_matrix",
    lesson="first_network",
    title="A confusion matrix",
    statement=r"""
Write `confusion(truth, predicted, classes)`: how often each class was answered with each.

- `truth`, shape (n,): the true class of each row, a whole number from 0 to `classes` - 1;
- `predicted`, shape (n,): the class that was answered;
- `classes`: how many classes there are; some may be missing in the rows;
- return: an array of counts, shape (classes, classes). Row $i$, column $j$: how many rows
  of class $i$ were answered with $j$.
""",
    draw=_draw_answers,
    solution=confusion,
    definition=_confusion_by_definition,
    demands="entry [i, j] is the number of rows with truth == i and predicted == j, for all i and "
    "j from 0 to classes - 1",
    mistakes=(
        Mistake(
            "transposed",
            _transposed,
            "Rows and columns have changed places. The row is the truth, the column the answer.",
        ),
        Mistake(
            "missing_classes_dropped",
            _missing_classes_dropped,
            "Classes that occur in no row are missing from your table. Then the same place means "
            "another class from one table to the next. Make it (classes, classes) from the start.",
        ),
        Mistake(
            "shares_for_counts",
            _shares_for_counts,
            "You return shares of each row, not counts. A share hides how many rows stand behind "
            "it: 1 of 2 and 50 of 100 look alike.",
        ),
        Mistake(
            "shares_of_all",
            _shares_of_all,
            "You return shares of all rows, not counts. A share hides how many rows stand behind "
            "it.",
        ),
        Mistake(
            "diagonal_only",
            _diagonal_only,
            "You count only the right answers, on the diagonal. The mistakes are what the table is "
            "for: count every pair of truth and answer.",
        ),
        Mistake(
            "each_pair_once",
            _each_pair_once,
            "Each pair is counted once at most. In a loop, `+= 1` adds where `= 1` only marks. "
            "Without a loop, `counts[truth, predicted] += 1` reads all entries first and writes "
            "them afterwards, so a pair that comes twice adds 1 only; "
            "`np.add.at(counts, (truth, predicted), 1)` adds each time.",
        ),
    ),
    hints=(
        "Start with a table of zeros, (classes, classes), of whole numbers.",
        "`zip(truth, predicted)` gives the pairs. Each pair says which entry grows by 1.",
        "`for i, j in zip(truth, predicted): counts[i, j] += 1`",
    ),
    draws=20,
)


def _draw_sizes(rng: np.random.Generator) -> dict[str, Any]:
    """Means that lie about one standard error apart, and sizes in any order.

    In some draws the smallest network lies just within the standard error, in some two networks
    are always right, so that the standard error is 0.
    """
    count, splits = int(rng.integers(3, 8)), int(rng.integers(3, 9))
    level = 0.9 + rng.normal(0, 0.012, size=(count, 1))
    accuracy = (level + rng.normal(0, 0.03, size=(count, splits))).clip(0, 1).round(3)
    sizes = 4 * rng.choice(np.arange(100, 100_000), size=count, replace=False)
    kind, smallest = rng.random(), sizes.argmin()
    if kind < 0.2:
        accuracy[rng.choice(count, size=2, replace=False)] = 1.0
    elif kind < 0.4:
        means = accuracy.mean(axis=1)
        best = means.argmax()
        between = 0.5 * (1 + math.sqrt(1 - 1 / splits))
        error = accuracy[best].std(ddof=1) / math.sqrt(splits)
        if best != smallest:
            accuracy[smallest] += means[best] - between * error - means[smallest]
    return {"accuracy": accuracy, "sizes_in_bytes": sizes}


def choose_size(accuracy: Array, sizes_in_bytes: Array) -> int:
    means = accuracy.mean(axis=1)
    best = means.argmax()
    error = accuracy[best].std(ddof=1) / np.sqrt(accuracy.shape[1])
    good = np.flatnonzero(means >= means[best] - error)
    return int(good[np.argmin(sizes_in_bytes[good])])


def _choose_by_definition(accuracy: Array, sizes_in_bytes: Array) -> int:
    runs = [[float(value) for value in row] for row in accuracy]
    best = max(runs, key=statistics.fmean)
    limit = statistics.fmean(best) - statistics.stdev(best) / math.sqrt(len(best))
    good = [i for i, row in enumerate(runs) if statistics.fmean(row) >= limit]
    return min(good, key=lambda i: int(sizes_in_bytes[i]))


def _best_mean(accuracy: Array, sizes_in_bytes: Array) -> int:
    return int(accuracy.mean(axis=1).argmax())


def _luckiest_run(accuracy: Array, sizes_in_bytes: Array) -> int:
    return int(accuracy.max(axis=1).argmax())


def _smallest_of_all(accuracy: Array, sizes_in_bytes: Array) -> int:
    return int(np.argmin(sizes_in_bytes))


def _spread_for_error(accuracy: Array, sizes_in_bytes: Array) -> int:
    means = accuracy.mean(axis=1)
    limit = means.max() - accuracy[means.argmax()].std(ddof=1)
    good = np.flatnonzero(means >= limit)
    return int(good[np.argmin(sizes_in_bytes[good])])


def _good_ones(accuracy: Array, ddof: int = 1) -> Array:
    means = accuracy.mean(axis=1)
    best = means.argmax()
    error = accuracy[best].std(ddof=ddof) / np.sqrt(accuracy.shape[1])
    return np.flatnonzero(means >= means[best] - error)


def _divided_by_r(accuracy: Array, sizes_in_bytes: Array) -> int:
    good = _good_ones(accuracy, ddof=0)
    return int(good[np.argmin(sizes_in_bytes[good])])


def _place_among_the_good(accuracy: Array, sizes_in_bytes: Array) -> int:
    return int(np.argmin(sizes_in_bytes[_good_ones(accuracy)]))


def _first_for_smallest(accuracy: Array, sizes_in_bytes: Array) -> int:
    return int(_good_ones(accuracy)[0])


smallest_as_good = Exercise(
    name="smallest_as_good",
    lesson="first_network",
    title="The smallest network that is as good",
    statement=r"""
Write `choose_size(accuracy, sizes_in_bytes)`: which network to serve, by the rule of one standard
error.

- `accuracy`, shape (k, r): the accuracy of each of k networks on r validation splits;
- `sizes_in_bytes`, shape (k,): the size of each network, all different, in any order;
- return: the number of a network, a whole number from 0.

The best network is the one with the highest mean accuracy over its splits. The standard error of
that mean is $s / \sqrt{r}$, with $s$ the standard deviation of the best network's r accuracies (as
a sample: divided by $r - 1$). Every network whose mean is at least the best mean minus that
standard error counts as equally good. Of these, return the one with the fewest bytes.
""",
    draw=_draw_sizes,
    solution=choose_size,
    definition=_choose_by_definition,
    demands="the fewest bytes among the networks whose mean is at least the best mean minus the "
    "best network's standard deviation (with r - 1) over the square root of r",
    mistakes=(
        Mistake(
            "best_mean",
            _best_mean,
            "You take the highest mean, whatever it costs. Networks within one standard error of "
            "it cannot be told from it: take the smallest of them.",
        ),
        Mistake(
            "luckiest_run",
            _luckiest_run,
            "You take the network with the best single run. That rewards luck; compare the means.",
        ),
        Mistake(
            "smallest_of_all",
            _smallest_of_all,
            "You take the smallest network, however bad. Only those within one standard error of "
            "the best mean are to be had.",
        ),
        Mistake(
            "spread_for_error",
            _spread_for_error,
            "You allow a whole standard deviation. That is how far single runs lie apart; the mean "
            "of r runs is known better, by the square root of r.",
        ),
        Mistake(
            "divided_by_r",
            _divided_by_r,
            "Your standard deviation divides by r. NumPy's `std` does that unless told otherwise; "
            "a sample asks for r - 1, which is `ddof=1`.",
        ),
        Mistake(
            "place_among_the_good",
            _place_among_the_good,
            "Your number counts among the good networks only. `argmin` of a selection gives the "
            "place in the selection: look up there which network it is.",
        ),
        Mistake(
            "first_for_smallest",
            _first_for_smallest,
            "You take the first of the good networks. They come in any order: look at their bytes.",
        ),
    ),
    hints=(
        "Three steps: the means and the best of them; which means are near enough; the smallest "
        "of those.",
        "`accuracy[best].std(ddof=1) / np.sqrt(accuracy.shape[1])` is the standard error.",
        "`good = np.flatnonzero(means >= means[best] - error)` are the numbers of the good "
        "networks; `good[np.argmin(sizes_in_bytes[good])]` is the smallest of them.",
    ),
    core=False,
    draws=25,
)
