"""The exercises of notebooks/04_first_network: faults, a fair split, a stop, mistakes, sizes."""

from __future__ import annotations

import inspect
import math
import statistics
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from amaas_kit.data import Dataset
from amaas_kit.exercises.chance import SeededExercise
from amaas_kit.exercises.exercise import Complaint, Exercise, Mistake
from amaas_kit.exercises.faults import draw_program, judge_program
from amaas_kit.exercises.one_unit import FollowedExercise
from amaas_kit.session import tensorflow
from amaas_kit.training import SGD, DataFacts, Epoch, History

Array = npt.NDArray[Any]


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
    return with_changes(*FAULTS[fault])


def with_changes(*changes: tuple[str, str]) -> Callable[..., Any]:
    """The repaired program with other things in it: what stands there, what shall stand."""
    source = inspect.getsource(train)
    for repaired, faulty in changes:
        assert repaired in source, f"{repaired!r} is not in the program"
        source = source.replace(repaired, faulty)
    names = dict(globals())
    exec(source, names)
    function: Callable[..., Any] = names["train"]
    return function


OLD_NAMES = (
    r"random_normal|random_uniform|random_shuffle|truncated_normal|set_random_seed|assign|"
    r"assign_add|assign_sub|placeholder|Session|InteractiveSession|get_variable|variable_scope|"
    r"global_variables_initializer|initialize_all_variables|get_default_graph|"
    r"reset_default_graph|log|mul|sub|div|to_float|to_double|layers|contrib|app|logging|"
    r"\w*Optimizer|mean_squared_error|xavier_initializer"
)
"""What TensorFlow 1 had and TensorFlow 2 has not, or has under another name."""


eight_faults = FollowedExercise(
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

Use x and y as they come: not rescaled, not shuffled.

The check draws tables with hundreds of columns, or more than a thousand, and asks for as many
hidden units, or for far fewer; there, weights of the wrong size show at once. The labels of the
last fifth lie far from the others, so that learning from them shows too. In some draws the rate is
0, in some there is one epoch. In the end it asks for a single hidden unit and follows each step. A
program in plain NumPy, with the gradients of lesson 2, is as good an answer. A check takes some
seconds.
""",
    draw=draw_program,
    solution=train,
    decided=lambda result: np.asarray(result["predictions"]),
    judge=judge_program,
    demands="a dict with the losses of all epochs, the held-out loss and the predictions, from "
    "weights of fitting size and without learning from the last fifth of the rows",
    mistakes=(
        Mistake(
            "tensorflow_1",
            with_fault("tensorflow_1"),
            "A call of TensorFlow 1 that no longer exists. In TensorFlow 2 random numbers are in "
            "`tf.random`, and a variable updates itself: `weight.assign_sub(…)`.",
            raises=rf"^AttributeError: module '\S*tensorflow\S*' has no attribute '({OLD_NAMES})'",
        ),
        Mistake(
            "mixed_floats",
            with_fault("mixed_floats"),
            "float64 meets float32. NumPy draws in float64, TensorFlow's variables are float32, "
            "and TensorFlow does not mix them. Convert x and y once, at the start.",
            raises=r"expected to be a (double|float) tensor but is a (double|float) tensor|"
            r"onversion requested (to type|dtype) '?float(32|64)\b.*\bfloat(32|64)",
        ),
        Mistake(
            "one_name_twice",
            with_fault("one_name_twice"),
            "One name for two things. An assignment makes a name local in the whole function, also "
            "on the right of the `=`, where it has no value yet. Give the function and its result "
            "two names.",
            raises=r"^UnboundLocalError: .*'(loss|mse|squared_error|network|descend|train)'",
        ),
        Mistake(
            "outer_name",
            with_changes(
                ("losses.append(float(loss))", "losses = losses + [float(loss)]"),
            ),
            "A name is read before it has a value. An assignment, `+=` too, makes a name local in "
            "the whole function in which it stands, and an outer name spelt like it is no "
            "longer meant. Change the object itself by one of its methods, or say `nonlocal` "
            "before you assign to a name of the function around.",
            raises=r"^UnboundLocalError",
        ),
        Mistake(
            "no_tape",
            with_fault("no_tape"),
            "No gradient without a tape. TensorFlow 2 computes at once and forgets; only what is "
            "computed inside `with tf.GradientTape() as tape:` can be differentiated, by "
            "`tape.gradient(loss, weights)`. A gradient that is None was not recorded.",
            raises=r"tf\.gradients|No gradients provided|"
            r"\*: '\S+' and 'NoneType'|\*: 'NoneType' and '\S+'",
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
            "Rows that are to be held out are learnt from, or nobody measures the loss on them. "
            "Learn from the first four fifths only, and measure the loss on the last fifth, which "
            'the network has not seen; return it under "held_out".',
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
        Mistake(
            "other_width",
            with_changes(("(2 / columns)", "(2 / hidden)")),
            "The size of a layer's weights fits tables only that have about as many columns as "
            "there are hidden units. What counts for a layer is how many numbers each of its units "
            "adds up, and that is not the same in the two layers.",
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
    draws=22,
    seconds=120,
)


MANY_WAYS = 400_000_000
"""From so many possible tests on, one whose writers stand side by side in a list was hardly
drawn."""


def _draw_writers(rng: np.random.Generator) -> dict[str, Any]:
    """A few writers, to be read, or so many that chance does not draw neighbours.

    Often the number of writers to draw lies clearly below or above the middle of two whole ones.
    """
    many, past = rng.random() < 0.6, rng.choice(["below", "above", "any"])
    while True:
        count = int(rng.integers(36, 46) if many else rng.integers(4, 11))
        share = float(rng.choice([0.2, 0.25, 0.3, 0.4]))
        part = share * count % 1
        if past == "any" or (0.05 < part < 0.45 if past == "below" else 0.55 < part < 0.95):
            break
    names = rng.choice(1000, size=count, replace=False)
    writers = np.repeat(names, rng.integers(1, 7, size=count))
    if rng.random() < 0.5:
        rng.shuffle(writers)
    return {"writers": writers, "share": share, "seed": int(rng.integers(1_000_000))}


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


def _tuples_for_rows(writers: Array, share: float, seed: int) -> tuple[Any, Any]:
    train_marks, test_marks = _marks_for_rows(writers, share, seed)
    return np.where(train_marks), np.where(test_marks)


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
    if all(isinstance(part, tuple) and len(part) == 1 for part in result):
        return Complaint("Both parts are tuples that hold one array.", "tuples_for_rows")
    if _are_marks(parts, len(writers)):
        return Complaint("Both parts are 0 and 1, one a row.", "marks_for_rows")
    if any(part.ndim != 1 or part.dtype.kind not in "iu" for part in parts if part.size):
        return Complaint("Each part is to be a one-dimensional array of row numbers.")
    train_rows, test_rows = (part.astype(int) for part in parts)
    return (
        _judge_rows(train_rows, test_rows, writers)
        or _judge_sides(train_rows, test_rows, writers, share)
        or _judge_share(test_rows, writers, share)
    )


def _are_marks(parts: list[Array], rows: int) -> bool:
    if rows < 3 or any(part.shape != (rows,) for part in parts):
        return False
    return all(np.isin(part, [0, 1]).all() for part in parts) and bool(np.all(parts[0] != parts[1]))


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
    return None


def _judge_sides(
    train_rows: Array, test_rows: Array, writers: Array, share: float
) -> Complaint | None:
    """A share of the rows in the test is the mark of rows that were drawn, not writers."""
    shared = np.intersect1d(writers[train_rows], writers[test_rows])
    if shared.size:
        by_rows = abs(len(test_rows) - share * len(writers)) <= 1
        return Complaint(
            f"Of {len(np.unique(writers))} writers, {shared.size} "
            f"{'has' if shared.size == 1 else 'have'} rows in both parts, such as writer "
            f"{shared[0]}.",
            "writer_in_both" if by_rows else None,
        )
    used = np.concatenate([train_rows, test_rows])
    lost = np.setdiff1d(np.arange(len(writers)), used)
    if lost.size:
        once = len(used) == len(np.unique(writers))
        return Complaint(
            f"Of {len(writers)} rows, {lost.size} {'is' if lost.size == 1 else 'are'} in neither "
            f"part; row {lost[0]} is the first.",
            "rows_lost" if once else None,
        )
    return None


def _judge_share(test_rows: Array, writers: Array, share: float) -> Complaint | None:
    names, tested = np.unique(writers), np.unique(writers[test_rows])
    wanted = share * len(names)
    if abs(len(tested) - wanted) > 0.5 + 1e-9:
        swapped = abs(len(names) - len(tested) - wanted) <= 0.5 + 1e-9
        return Complaint(
            f"Of {len(names)} writers, {len(tested)} {'is' if len(tested) == 1 else 'are'} in the "
            f"test; {share:g} of {len(names)} is {wanted:.3g}. (Where writers are drawn with "
            "replacement, one can come twice; where a coin is thrown for each, any number can "
            "come.)",
            "sides_swapped" if swapped else None,
        )
    if math.comb(len(names), len(tested)) < MANY_WAYS:
        return None
    return _judge_neighbours(tested, names, writers)


def _judge_neighbours(tested: Array, names: Array, writers: Array) -> Complaint | None:
    """Whether the writers of the test stand side by side in a list, its end joined to its head."""
    _, first = np.unique(writers, return_index=True)
    for order in (names, writers[np.sort(first)]):
        inside = np.isin(order, tested)
        if np.sum(inside != np.roll(inside, 1)) != 2:
            continue
        if inside[0] != inside[-1]:
            return Complaint(
                f"The {len(tested)} writers of the test are the first or last of {len(names)}, as "
                "they stand. By chance that comes up less than once in a million draws.",
                "not_drawn",
            )
        return Complaint(
            f"The {len(tested)} writers of the test stand side by side in the list of all "
            f"{len(names)}. Chance is to decide about each of them, not only where a piece of the "
            "list begins."
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
            "tuples_for_rows",
            _tuples_for_rows,
            "Each part is a tuple that holds the array of row numbers. `np.where(marks)` and "
            "`marks.nonzero()` give one array for each axis, in a tuple, also where there is one "
            "axis only: take the array out.",
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
    draws=25,
)


def _draw_losses(rng: np.random.Generator) -> dict[str, Any]:
    """A loss that falls, turns and rises, coarsely rounded, so that ties are frequent.

    In some draws the list is over before the patience is.
    """
    count, bottom = int(rng.integers(5, 16)), int(rng.integers(2, 8))
    valley = 0.1 * np.abs(np.arange(count) - bottom) ** 1.3
    losses = (0.3 + valley + rng.normal(0, 0.16, size=count)).clip(0.1).round(1)
    waits = (1, 5) if rng.random() < 0.7 else (count - int(losses.argmin()), count + 2)
    return {"val_loss": losses.tolist(), "patience": int(rng.integers(*waits))}


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


def _keeps_the_last_where_none_stops(val_loss: Sequence[float], patience: int) -> tuple[int, int]:
    run, best = stop_early(val_loss, patience)
    return (run, best) if run - best >= patience else (run, run)


def _least_begins_at_0(val_loss: Sequence[float], patience: int) -> tuple[int, int]:
    return min(patience, len(val_loss)), 0


def _against_the_first(val_loss: Sequence[float], patience: int) -> tuple[int, int]:
    best_epoch = 1
    for epoch, loss in enumerate(val_loss, start=1):
        if loss < val_loss[0]:
            best_epoch = epoch
        if epoch - best_epoch >= patience:
            break
    return epoch, best_epoch


def _wait_never_begins_anew(val_loss: Sequence[float], patience: int) -> tuple[int, int]:
    least, best_epoch, waited = float("inf"), 0, 0
    for epoch, loss in enumerate(val_loss, start=1):
        if loss < least:
            least, best_epoch = loss, epoch
        else:
            waited += 1
        if waited >= patience:
            break
    return epoch, best_epoch


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
            "keeps_the_last_where_none_stops",
            _keeps_the_last_where_none_stops,
            "Where the list is over before the patience is, you keep the last epoch. The best one "
            "is to be kept, however the run ended.",
        ),
        Mistake(
            "least_begins_at_0",
            _least_begins_at_0,
            "Your least loss begins at 0, and no loss is smaller than that. It has to begin with a "
            "value that any first loss beats.",
        ),
        Mistake(
            "against_the_first",
            _against_the_first,
            "You compare each loss with the first one. The least loss so far has to be replaced "
            "whenever a smaller one comes.",
        ),
        Mistake(
            "wait_never_begins_anew",
            _wait_never_begins_anew,
            "You count all epochs that were no best. The wait begins anew with each new best, so "
            "a counter has to go back to 0 then.",
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
    draws=100,
)


def _draw_answers(rng: np.random.Generator) -> dict[str, Any]:
    """Half of the draws lack a class, some have more rows of a pair than a byte can count."""
    classes, count = int(rng.integers(2, 7)), int(rng.integers(3, 19))
    if rng.random() < 0.3:
        classes, count = 2, 1500
    present = np.arange(classes)
    if rng.random() < 0.5:
        present = np.delete(present, rng.choice([classes - 1, int(rng.integers(classes))]))
    truth, guessed = rng.choice(present, size=(2, count))
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


def _shares_with_gaps(truth: Array, predicted: Array, classes: int) -> Array:
    counts = confusion(truth, predicted, classes)
    with np.errstate(invalid="ignore"):
        return np.asarray(counts / counts.sum(axis=1, keepdims=True))


def _size_from_the_rows(truth: Array, predicted: Array, classes: int) -> Array:
    largest = int(max(truth.max(), predicted.max()))
    return confusion(truth, predicted, largest + 1)


def _one_row_many_times(truth: Array, predicted: Array, classes: int) -> Array:
    counts = [[0] * classes] * classes
    for i, j in zip(truth, predicted, strict=True):
        counts[i][j] += 1
    return np.array(counts)


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
            "shares_with_gaps",
            _shares_with_gaps,
            "You divide each row by its sum: shares, not counts, and NaN where a class has no "
            "rows. Counts are asked for.",
        ),
        Mistake(
            "size_from_the_rows",
            _size_from_the_rows,
            "Your table is as large as the largest class that occurs. The last classes may be "
            "missing in the rows; how many there are, `classes` tells.",
        ),
        Mistake(
            "one_row_many_times",
            _one_row_many_times,
            "All rows of your table are the same. `[row] * n` is a list that holds one and the "
            "same row n times, so whoever changes one changes all. Make each row anew.",
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
    draws=40,
)


def _draw_sizes(rng: np.random.Generator) -> dict[str, Any]:
    """Means that lie about one standard error apart, and sizes in any order.

    In some draws two networks are always right, so that the standard error is 0; in some there is
    more than one small network that is good; in most the smallest lies between the right limit and
    one that a mistake would set. No two best means are the same unless both networks are always
    right, and no mean is so near the limit that rounding decides.
    """
    while True:
        count, splits = int(rng.integers(3, 8)), int(rng.integers(3, 9))
        level = 0.9 + rng.normal(0, 0.012, size=(count, 1))
        accuracy = (level + rng.normal(0, 0.03, size=(count, splits))).clip(0, 1).round(3)
        sizes = 4 * rng.choice(np.arange(100, 100_000), size=count, replace=False)
        kind = rng.random()
        if kind < 0.1:
            accuracy[rng.choice(count, size=2, replace=False)] = 1.0
        elif kind < 0.25:
            sizes = _two_small_ones_good(rng, accuracy, sizes)
        elif kind < 0.9:
            _between_two_limits(rng, accuracy, sizes)
        if kind < 0.1 or _is_clear(accuracy):
            return {"accuracy": accuracy, "sizes_in_bytes": sizes}


def _standard_error(runs: Array) -> float:
    return float(runs.std(ddof=1)) / math.sqrt(runs.size)


def _is_clear(accuracy: Array) -> bool:
    means = np.sort(accuracy.mean(axis=1))
    limit = means[-1] - _standard_error(accuracy[accuracy.mean(axis=1).argmax()])
    return bool(means[-1] - means[-2] > 1e-5 and np.abs(means - limit).min() > 1e-5)


def _two_small_ones_good(rng: np.random.Generator, accuracy: Array, sizes: Array) -> Array:
    """Two good networks become the smallest of all, the smaller one first in the list."""
    best = int(accuracy.mean(axis=1).argmax())
    others = [i for i in range(len(sizes)) if i != best]
    small = np.sort(rng.choice(others, size=2, replace=False))
    for i in small:
        share = rng.uniform(0.1, 0.9)
        _put(accuracy, i, share * _standard_error(accuracy[best]), best)
    ordered, rest = np.sort(sizes), [i for i in range(len(sizes)) if i not in small]
    new = np.empty_like(sizes)
    new[small], new[rest] = ordered[:2], rng.permutation(ordered[2:])
    return new


def _put(accuracy: Array, i: int, below: float, best: int) -> None:
    """Move a network's accuracies so that their mean lies so much below the best."""
    accuracy[i] += accuracy[best].mean() - below - accuracy[i].mean()


def _between_two_limits(rng: np.random.Generator, accuracy: Array, sizes: Array) -> None:
    """Put the smallest network between the right limit and one that a mistake would set."""
    best, smallest = int(accuracy.mean(axis=1).argmax()), int(sizes.argmin())
    if best == smallest:
        return
    count, splits = accuracy.shape
    error = _standard_error(accuracy[best])
    _put(accuracy, smallest, error, best)
    wrong = rng.choice(
        [
            error * math.sqrt(1 - 1 / splits),
            error * math.sqrt(splits / (splits - 1)),
            error * math.sqrt(splits / count),
            float(accuracy.std(ddof=1)) / math.sqrt(splits),
            _standard_error(accuracy[smallest]),
        ]
    )
    if rng.random() < 0.15:
        error, wrong = 2 * error, error * math.sqrt(splits)
    _put(accuracy, smallest, (error + wrong) / 2, best)


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


def _within(accuracy: Array, sizes_in_bytes: Array, error: Array | float) -> int:
    means = accuracy.mean(axis=1)
    good = np.flatnonzero(means >= means.max() - error)
    return int(good[np.argmin(sizes_in_bytes[good])])


def _root_of_k(accuracy: Array, sizes_in_bytes: Array) -> int:
    best = accuracy[accuracy.mean(axis=1).argmax()]
    return _within(accuracy, sizes_in_bytes, best.std(ddof=1) / math.sqrt(len(accuracy)))


def _own_error(accuracy: Array, sizes_in_bytes: Array) -> int:
    errors = accuracy.std(axis=1, ddof=1) / math.sqrt(accuracy.shape[1])
    return _within(accuracy, sizes_in_bytes, errors)


def _bytes_for_number(accuracy: Array, sizes_in_bytes: Array) -> int:
    return int(sizes_in_bytes[choose_size(accuracy, sizes_in_bytes)])


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
        Mistake(
            "root_of_k",
            _root_of_k,
            "You divide by the root of the number of networks. The mean was taken over the splits, "
            "so their number counts.",
        ),
        Mistake(
            "own_error",
            _own_error,
            "You allow each network its own standard error. The limit is one for all: the best "
            "network's error decides.",
        ),
        Mistake(
            "bytes_for_number",
            _bytes_for_number,
            "You return how many bytes the network has. Its number is asked for: its place in the "
            "arrays, from 0.",
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
    draws=60,
)
