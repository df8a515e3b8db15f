"""Drawn tables that show the faults of a training program, and what its runs give away."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from amaas_kit.exercises import describe
from amaas_kit.exercises.exercise import Complaint

Array = npt.NDArray[Any]

Kind = Literal["still", "lopsided", "one step", "run"]

FAR = 1000.0
"""Labels so far away that the first answers are nothing beside them: the first step is known."""

NEAR, SHIFT = 7.0, 30.0
"""Mean of the labels of a run, and how far those of the held-out rows lie off, up or down."""

SPREADS = 0.3, 4.5
"""Between these lies the spread of the first answers: with variance 1/d in both layers it is near
0.7, with 2/d near 1.4; with variance 1 in one layer it is above 6, with a standard deviation of
2/d below 0.15. Where one layer is forty times as wide as the other, a layer that is sized by the
other's width makes it 0.2 or 9."""

WIDE = 1500
"""So many columns and hidden units, at least, has a table at rest."""

WIDE_SPREADS = 0.35, 2.4
"""Bounds of the spread where both layers are so wide that chance hardly moves it. A size that is
right for some hundreds of columns, but does not depend on them, lies outside."""

ONE_LAYER = 15.0
"""From this spread on, in a wide network, a layer has weights of variance 1."""

ONES = 6.0
"""So many times the spread is the answer to a row of ones of weights whose mean is not 0."""

LEARNT_SHARE = 0.05
"""Answers that moved by this share towards the held-out labels have learnt them; those that learn
from all rows move by over 0.1, the others by thousandths, up or down."""

LEAST_FALL = 0.7
"""The last loss, as a share of the first, of a program that learns."""


def draw_program(rng: np.random.Generator) -> dict[str, Any]:
    """A table that shows one kind of fault: at rest, in a single step, or in a run.

    Its rows are x, -x and 0. The first four fifths hold the rows of the last fifth four times, so
    that the answers to those tell the loss of these. Hundreds of columns and of hidden units show
    weights of the wrong size at once; with ten it takes luck. At rest there are five times as many,
    for a size that was made to fit hundreds. A lopsided table has forty columns for each hidden
    unit. One row is all ones, for weights whose mean is not 0.
    """
    kind: Kind = rng.choice(["still", "lopsided", "one step", "run"])
    columns, hidden = (int(size) for size in rng.integers(300, 401, size=2))
    if kind == "still":
        columns, hidden = (int(size) for size in rng.integers(WIDE, WIDE + 101, size=2))
    if kind == "lopsided":
        columns, hidden = int(rng.integers(1500, 1701)), int(rng.integers(36, 45))
    some = rng.normal(size=(8 if kind == "run" else 30, columns))
    some[0] = 1.0
    x = np.vstack([some, -some, np.zeros((1, columns))])
    y, unseen = _draw_labels(rng, kind, len(some))
    epochs = {"run": int(rng.integers(10, 15)), "lopsided": 3}.get(kind, 1)
    rate = {"one step": 2e-6, "run": 1e-3}.get(kind, 0.0) * float(rng.choice([1.0, 1.5]))
    return {
        "x": np.vstack([x] * 5),
        "y": np.vstack([y] * 4 + [unseen]),
        "hidden": hidden,
        "epochs": epochs,
        "rate": rate,
        "seed": int(rng.integers(1_000_000)),
    }


def _draw_labels(rng: np.random.Generator, kind: Kind, half: int) -> tuple[Array, Array]:
    """The labels to learn and those held out.

    In a run the latter lie above the former for one half of the rows, below for the other, so that
    nobody comes near them who only goes too far towards the former.
    """
    side = rng.choice([-1.0, 1.0])
    y = rng.normal(size=(2 * half + 1, 1))
    if kind == "one step":
        return y + side * FAR, y + 6 * side * FAR
    if kind == "run":
        up = rng.choice([-1.0, 1.0], size=(half, 1))
        y += side * NEAR
        return y, y + SHIFT * np.vstack([up, -up, [[0.0]]])
    return y, y + side * NEAR


def judge_program(
    result: Any, x: Array, y: Array, hidden: int, epochs: int, rate: float, seed: int
) -> Complaint | None:
    """What a run shows that cannot be computed again, because its start was drawn inside."""
    complaint = _judge_entries(result, epochs)
    if complaint:
        return complaint
    losses = np.array([float(loss) for loss in result["losses"]])
    predictions = np.asarray(result["predictions"], dtype=float)
    m, columns = len(y) // 5, x.shape[1]
    if predictions.shape != (m, 1):
        return Complaint(
            f'"predictions" has the shape {predictions.shape}; the last fifth of the {len(y)} rows '
            f"is {_counted(m, 'row')}, and the shape asked for is {(m, 1)}."
        )
    complaint = _judge_held_out(float(result["held_out"]), predictions, y[-m:])
    if complaint and np.isfinite([*predictions[:, 0], float(result["held_out"])]).all():
        return complaint
    if rate == 0:
        return _judge_at_rest(losses, predictions, y, columns, hidden) or complaint
    if epochs == 1:
        return _judge_step(losses, predictions, y, rate, columns, hidden) or complaint
    return _judge_run(losses, predictions, y) or complaint


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


def _judge_at_rest(
    losses: Array, predictions: Array, y: Array, columns: int, hidden: int
) -> Complaint | None:
    """With the rate 0 the answers are those of the start, and so is every loss."""
    m = len(predictions)
    if not np.allclose(losses, losses[0], rtol=1e-4):
        return Complaint("With a rate of 0 the loss must not change; it does.")
    complaint = _judge_output(predictions) or _judge_start(predictions, columns, hidden)
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


def _judge_output(predictions: Array) -> Complaint | None:
    """A ReLU on the output cuts off the answers below 0: some are 0 exactly, and none lies below.

    The answer to the row of zeros, the last, may be 0 by itself.
    """
    if predictions.min() >= 0 and np.sum(predictions[:-1] == 0) > 1:
        return Complaint(
            "No prediction lies below 0, and several are exactly 0: is there a ReLU on the output? "
            "It is asked for between the layers only."
        )
    return None


def _judge_start(predictions: Array, columns: int, hidden: int) -> Complaint | None:
    """What the first answers show, to x, to -x in the same order, and to 0."""
    half = len(predictions) // 2
    there, back = predictions[:half], predictions[half:-1]
    apart = (there - back) / math.sqrt(2)
    spread, ones = math.sqrt(_mean_square(apart[1:])), abs(float(apart[0, 0]))
    complaint = _judge_size(spread, columns, hidden)
    if complaint:
        return complaint
    if np.std(there + back) < 0.02 * spread:
        return Complaint(
            "To x and to -x the first answers add up to the same number, for all rows. With a ReLU "
            "between the layers they do not."
        )
    if ones > ONES * spread:
        return Complaint(
            f"To a row of ones the answer is {ones / spread:.0f} times as large "
            "as to other rows of that size. Weights do so whose mean is not 0, such as those that "
            "are all positive: draw them around 0."
        )
    return None


def _judge_size(spread: float, columns: int, hidden: int) -> Complaint | None:
    """Whether first answers of this spread come from weights of a fitting size."""
    wide = hidden >= WIDE
    least, most = WIDE_SPREADS if wide else SPREADS
    told = f"The entries of x have a spread of 1, and the first answers one of {spread:.2g}"
    if columns > 4 * hidden and not least < spread < most:
        return Complaint(f"{told}, with {columns} columns and {hidden} units.", "other_width")
    if spread < least:
        return Complaint(
            f"{told}. The weights are drawn too small: each layer makes its rows shrink."
        )
    if wide and most < spread <= ONE_LAYER:
        return Complaint(
            f"{told}, with {columns} columns and {hidden} units: too large. Weights of one and the "
            "same size do not fit tables of every width."
        )
    if spread > most:
        return Complaint(f"{told}: far too large.", "variance_1")
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
    if _near(loss, count * error / 2):
        return f"{told}, which is half the sum over the {count} rows, not their mean."
    if _near(loss, error / 2):
        return f"{told}, which is half of that."
    if _near(loss, _mean_square(predictions - y.T)):
        return (
            f"{told}. That is the mean over all pairs of an answer and a label: shapes (n,) and "
            "(n, 1) make a table (n, n)."
        )
    return f"{told}."


def _judge_step(
    losses: Array, predictions: Array, y: Array, rate: float, columns: int, hidden: int
) -> Complaint | None:
    """From far labels, the first step moves each bias by a known amount.

    At the row of zeros only the biases count: b2 adds two rate * label, the biases of the hidden
    units between a half and one more.
    """
    m = len(y) // 5
    label, at_zero = float(y[:m].mean()), float(predictions[-1, 0])
    ratio, moved = float(losses[0]) / _mean_square(y[:m]), at_zero / (rate * label)
    if not 0.3 < ratio < 10:
        return Complaint(_other_size(ratio, 4 * m))
    complaint = _judge_output(predictions) or _judge_start(predictions, columns, hidden)
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
            "trained, are the weights of a fitting size, and is each step the rate times the "
            "gradient?"
        )
    return None


def _other_size(ratio: float, count: int) -> str:
    """A first loss that is so many times the mean squared error, about."""
    text = f"The first loss is about {ratio:.3g} times the mean squared error"
    if ratio > count / 4:
        return f"{text}: a sum over the {count} rows that are learnt from, no mean?"
    return f"{text} of the rows that are learnt from."


def _judge_run(losses: Array, predictions: Array, y: Array) -> Complaint | None:
    m = len(predictions)
    learnt, unseen = y[:m], y[-m:]
    size, error = _mean_square(learnt), _mean_square(predictions - learnt)
    complaint = _judge_leak(predictions, learnt, unseen) or _judge_first(
        float(losses[0]) / size, _mean_square(y) / size, 4 * m
    )
    if complaint:
        return complaint
    if not np.isfinite(losses).all() or losses[-1] > 1.05 * losses[0]:
        return Complaint(
            f"The loss grows, from {losses[0]:.3g} to {losses[-1]:.3g}. Check the sign and the "
            "size of each step: descent subtracts rate times gradient."
        )
    if np.allclose(losses, losses[0], rtol=1e-6):
        return _judge_output(predictions) or Complaint(
            "The loss is the same in all epochs: nothing is learnt."
        )
    if _near(error, float(losses[0])):
        return Complaint(
            "The predictions have the loss of the first epoch: they were made before the training."
        )
    if _near(error, float(losses[-1]), 1e-4) and not _near(error, float(losses[-2]), 1e-3):
        return Complaint(
            "The last loss is that of the predictions, so it was measured after the last step. "
            "Each loss is to be measured before its step."
        )
    if losses[-1] > LEAST_FALL * losses[0]:
        return _judge_output(predictions) or Complaint(
            f"The loss goes from {losses[0]:.3g} to {losses[-1]:.3g} in {len(losses)} epochs. A "
            f"program that learns ends below {LEAST_FALL:g} times the first loss here. Weights "
            "that are drawn too small, a missing ReLU or steps of another rate can be the cause."
        )
    return None


def _judge_leak(predictions: Array, learnt: Array, unseen: Array) -> Complaint | None:
    """Answers that lie off the labels learnt in the pattern of those held out."""
    off, pattern = predictions - learnt, unseen - learnt
    along, length = float(np.sum(off * pattern)), float(np.linalg.norm(pattern))
    if along < max(LEARNT_SHARE * length**2, 0.5 * length * float(np.linalg.norm(off))):
        return None
    if not np.isfinite(along):
        return None
    return Complaint(
        "Each row of the last fifth stands among the others too, with another label. Row by row, "
        "the predictions lie off the labels that were to be learnt, on the side of those that were "
        "to be held out.",
        "nothing_held_out",
    )


def _judge_first(ratio: float, of_all: float, count: int) -> Complaint | None:
    """The first loss of a run, as a share of that of always answering 0; the same over all rows."""
    if count / 4 < ratio < 2 * count:
        return Complaint(_other_size(ratio, count))
    if of_all * 0.9 < ratio < of_all * 1.2:
        return Complaint(
            f"The first loss is {ratio:.2g} times that of always answering 0, as the loss over all "
            "rows would be."
        )
    if ratio > 3.5:
        return Complaint(
            f"The first loss is {ratio:.3g} times that of always answering 0. The first answers "
            "are far too large.",
            "variance_1",
        )
    return None


def _judge_held_out(held_out: float, predictions: Array, unseen: Array) -> Complaint | None:
    error = _mean_square(predictions - unseen)
    if _near(held_out, error):
        return None
    return Complaint(
        f'"held_out" is {held_out:.4g}; the mean squared error of the predictions, over the '
        f"held-out rows, is {error:.4g}. Both belong to the last fifth of the rows, in the order "
        "in which they came."
    )
