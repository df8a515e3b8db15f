"""A network with one hidden unit, whose descent can be followed from outside.

All rows are multiples of one row, so what counts of the first layer is one number: how far its
weights point along that row. The first loss tells what that number and the second weight make
together; how they share it is the one thing that nobody sees. Every share is tried. If no share
leads to the losses and answers of a program, the program takes other steps.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from amaas_kit.exercises import limit
from amaas_kit.exercises.call import Call, call, error_text
from amaas_kit.exercises.chance import SeededExercise
from amaas_kit.exercises.exercise import Complaint
from amaas_kit.exercises.judging import not_yet
from amaas_kit.exercises.verdict import Verdict

Array = npt.NDArray[Any]

CASES = 6

SHARES, FINE = np.geomspace(1e-4, 1e3, 4000), np.geomspace(0.995, 1.005, 501)
"""The sizes of the second weight that are tried, and the factors tried around the best of them."""

CLOSE = 0.003
"""So far off, as a share of what the training changed, a followed descent may lie."""


def draw_one_unit(rng: np.random.Generator) -> dict[str, Any]:
    """Rows that are multiples of one row, and labels far from the first answers."""
    columns, side = int(rng.integers(2, 5)), float(rng.choice([-1.0, 1.0]))
    row = rng.normal(size=columns)
    row *= np.sqrt(columns) / np.linalg.norm(row)
    learnt = rng.uniform(0.5, 2, size=20) * np.tile([1.0, -1.0], 10)
    multiples = np.concatenate([learnt, [2.0, 1.0, 0.0, -1.0, -2.0]])
    y = side * 30 + rng.normal(0, 4, size=25)
    y[20:] += side * 60
    return {
        "x": multiples[:, None] * row,
        "y": y[:, None],
        "hidden": 1,
        "epochs": int(rng.integers(2, 5)),
        "rate": float(rng.choice([4e-3, 6e-3])),
        "seed": int(rng.integers(1_000_000)),
    }


@dataclass(frozen=True)
class Way:
    """A way to descend.

    Attributes:
        said: what a learner reads whose program goes this way.
        moved: what each of w1, b1, w2, b2 does with its step: 1 takes it, 0 does not.
        momentum: the share of the step before that each step repeats.
        w2_first: w2 has changed already when the gradient goes back through it.
        learns_all: the gradient is that of all rows.
        measures_all: so is the loss.
        mistake: the name of the known mistake.
    """

    said: str
    moved: tuple[float, float, float, float] = (1, 1, 1, 1)
    momentum: float = 0.0
    w2_first: bool = False
    learns_all: bool = False
    measures_all: bool = False
    mistake: str | None = None


RIGHT = Way("")

WRONG = (
    Way("the weights of the first layer stay as they were drawn", (0, 1, 1, 1)),
    Way("the biases of the first layer stay at 0", (1, 0, 1, 1)),
    Way("the weights of the second layer stay as they were drawn", (1, 1, 0, 1)),
    Way("the bias of the second layer stays at 0", (1, 1, 1, 0)),
    Way("each step repeats a part of the step before, which is called momentum", momentum=0.9),
    Way("the second layer has changed before the gradient goes back through it", w2_first=True),
    Way(
        "the last fifth of the rows is learnt from",
        learns_all=True,
        mistake="nothing_held_out",
    ),
    Way(
        "the last fifth of the rows is learnt from",
        learns_all=True,
        measures_all=True,
        mistake="nothing_held_out",
    ),
)


@dataclass(frozen=True)
class Rows:
    """Multiples of one row, and their labels."""

    multiples: Array
    y: Array


def goes(way: Way, one: Call) -> bool:
    """Whether some share of the first answers leads this way to what a call returned."""
    x, y, _, epochs, rate, _ = one.arguments.values()
    row = x[-5] / 2
    square = float(row @ row)
    losses = np.array([float(loss) for loss in one.result["losses"]])
    predictions = np.asarray(one.result["predictions"], dtype=float).reshape(5)
    if losses.shape != (epochs,) or not np.isfinite(losses).all():
        return False
    rows = Rows(x @ row / square, y[:, 0])
    return _distance(way, rows, square, rate, losses, predictions) < CLOSE


def _distance(
    way: Way, rows: Rows, square: float, rate: float, losses: Array, predictions: Array
) -> float:
    """How far the nearest descent of this kind lies from what was returned."""

    def off(shares: Array) -> Array:
        with np.errstate(all="ignore"):
            told, change = _descend(
                way, rows, square, rate, (float(losses[0]), len(losses)), shares
            )
            away = np.abs((told - np.concatenate([losses, predictions])) / change).max(axis=1)
        return np.asarray(np.nan_to_num(away, nan=np.inf, posinf=np.inf))

    nearest = SHARES[np.argsort(off(SHARES))[:8] % len(SHARES)]
    return float(off(np.concatenate([share * FINE for share in nearest])).min())


def _descend(
    way: Way, rows: Rows, square: float, rate: float, known: tuple[float, int], shares: Array
) -> tuple[Array, Array]:
    """For each start: the losses and predictions, and how far training changed each of them."""
    loss, epochs = known
    first, last = Rows(rows.multiples[:20], rows.y[:20]), rows.multiples[20:]
    learnt, measured = rows if way.learns_all else first, rows if way.measures_all else first
    parameters = _starts(loss, measured, shares)
    before, steps, losses = _answers(parameters, last), np.zeros_like(parameters), []
    moved = np.reshape(way.moved, (4, 1, 1))
    for _ in range(epochs):
        losses.append(((_answers(parameters, measured.multiples) - measured.y) ** 2).mean(axis=1))
        gradient = _gradient(parameters, learnt, square, rate if way.w2_first else 0.0)
        steps = way.momentum * steps - rate * moved * gradient
        parameters = parameters + steps
    told = [np.array(losses).T, _answers(parameters, last)]
    change = [
        np.broadcast_to(np.ptp(told[0], axis=1, keepdims=True) + 1e-9, told[0].shape),
        np.broadcast_to(np.abs(told[1] - before).max(axis=1, keepdims=True) + 1e-9, before.shape),
    ]
    return np.concatenate(told, axis=1), np.concatenate(change, axis=1)


def _starts(loss: float, rows: Rows, shares: Array) -> Array:
    """All w1 (along the row), b1, w2, b2 that have this loss: an array (4, starts, 1)."""
    found = []
    for side in (1.0, -1.0):
        reach = np.maximum(side * rows.multiples, 0)
        products = np.roots(
            [np.mean(reach**2), -2 * np.mean(reach * rows.y), np.mean(rows.y**2) - loss]
        ).real
        for product in products:
            w2 = np.sign(product) * shares
            w1 = side * abs(product) / shares
            found.append(np.stack([w1, 0 * w1, w2, 0 * w1]))
    return np.concatenate(found, axis=1)[:, :, None]


def _answers(parameters: Array, multiples: Array) -> Array:
    w1, b1, w2, b2 = parameters
    return np.asarray(w2 * np.maximum(w1 * multiples + b1, 0) + b2)


def _gradient(parameters: Array, rows: Rows, square: float, rate: float) -> Array:
    """The gradient of the mean squared error; back through w2 after a step of the rate given."""
    w1, b1, w2, _ = parameters
    z = w1 * rows.multiples + b1
    upstream = 2 * (_answers(parameters, rows.multiples) - rows.y) / len(rows.y)
    dw2 = (upstream * np.maximum(z, 0)).sum(axis=1, keepdims=True)
    dz = upstream * (w2 - rate * dw2) * (z > 0)
    dw1 = square * (dz * rows.multiples).sum(axis=1, keepdims=True)
    db1, db2 = dz.sum(axis=1, keepdims=True), upstream.sum(axis=1, keepdims=True)
    return np.stack([dw1, db1, dw2, db2])


class FollowedExercise(SeededExercise):
    """An exercise whose answer trains a network, and is followed step by step in the end."""

    def _examine(
        self, answer: Any, seed: int, draws: int
    ) -> tuple[Verdict, Mapping[str, Any] | None]:
        if not _eager():
            return Verdict("not yet", EAGER_OFF), None
        verdict, example = super()._examine(answer, seed, draws)
        if not _eager():
            return Verdict("not yet", EAGER_OFF), None
        if verdict.outcome != "correct":
            return verdict, example
        return self._followed(answer, np.random.default_rng([seed, 1])) or (verdict, example)

    def _followed(
        self, answer: Any, rng: np.random.Generator
    ) -> tuple[Verdict, Mapping[str, Any]] | None:
        cases = [draw_one_unit(rng) for _ in range(CASES)]
        calls: list[Call] = []
        worker = limit.run(lambda: calls.extend(call(answer, one) for one in cases), self.seconds)
        if not worker.finished:
            said = f"With one hidden unit it gave no result within {self.seconds:g} s."
            return Verdict("not yet", said), cases[min(len(calls), CASES - 1)]
        for one in calls:
            complaint = _complaint(one, calls)
            if complaint:
                message = not_yet(self, answer, one, [complaint.text], complaint.mistake)
                return Verdict("not yet", message, complaint.mistake), one.arguments
        return None


def _complaint(one: Call, calls: list[Call]) -> Complaint | None:
    """What is wrong with a call; all of them together tell what a program does instead."""
    if one.error is not None:
        return Complaint(f"With one hidden unit it raised {error_text(one.error)}")
    try:
        if goes(RIGHT, one):
            return None
        known = [way for way in WRONG if all(goes(way, each) for each in calls)]
    except Exception:
        return Complaint("With one hidden unit the result cannot be read as the statement says.")
    text = (
        "There is one hidden unit, and all rows are multiples of one row. Then the first loss "
        "tells nearly all of what the training has to lead to. These losses and predictions are "
        "not those of plain gradient descent"
    )
    if len({way.said for way in known}) == 1:
        return Complaint(
            f"{text}, but those of a training in which {known[0].said}.", known[0].mistake
        )
    return Complaint(
        f"{text}. Check the gradients of w1, b1, w2 and b2 one by one, and that each of the four "
        "changes by the rate times its own gradient. Check too that x and y are used as they come."
    )


EAGER_OFF = (
    "TensorFlow's eager mode is off: `tf.compat.v1.disable_eager_execution()` was called, in this "
    "cell or in another one. Without that mode no program of this lesson runs, however right, and "
    "it does not come back by itself. Delete the call, restart the kernel (menu Kernel, Restart "
    "Kernel…) and run the cells again from the first."
)


def _eager() -> bool:
    """Whether TensorFlow computes at once in a new thread, as an answer gets one."""
    tf = sys.modules.get("tensorflow")
    found: list[bool] = []
    if tf is not None:
        limit.run(lambda: found.append(bool(tf.executing_eagerly())), 10)
    return all(found)
