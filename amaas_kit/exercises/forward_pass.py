"""The exercises of notebooks/01_forward_pass: border, ReLU, layer, softmax, loss, parameters."""

# mypy: allow-untyped-defs, allow-untyped-calls
# Solutions are shown as a learner would write them, without annotations.

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from amaas_kit.exercises import compare, describe
from amaas_kit.exercises.exercise import Complaint, Exercise, Mistake
from amaas_kit.network import LOSSES, Dense, Network

Array = npt.NDArray[Any]

FAR = 1000.0
"""A logit so large that its power of e leaves the range of a float64."""


def _draw_border(rng: np.random.Generator) -> dict[str, Any]:
    return {"w": rng.normal(0, 2, size=2).round(1), "point": rng.normal(0, 2, size=2).round(1)}


def border_bias(w, point):
    return -(w @ point)


def _border_of_the_room(w: Array, point: Array) -> float:
    """What the weighted sum without a bias lacks to 0."""
    without_bias = Dense(w[:, None], np.zeros(1))
    return -float(without_bias.weighted_sums(point[None, :])[0, 0])


def _sign_forgotten(w: Array, point: Array) -> Any:
    return w @ point


def _not_added_up(w: Array, point: Array) -> Array:
    return -(w * point)


def _distance(w: Array, point: Array) -> Any:
    return -(w @ point) / np.linalg.norm(w)


def _weights_left_out(w: Array, point: Array) -> Any:
    return -point.sum()


move_border = Exercise(
    name="move_border",
    lesson="forward_pass",
    title="Move the border",
    statement=r"""
Write `border_bias(w, point)`: the bias with which the border of a neuron runs through a given
point. On the border $z = x_1 w_1 + x_2 w_2 + b$ is 0.

- `w`, shape (2,): the two weights of the neuron;
- `point`, shape (2,): $x_1$ and $x_2$ of the point;
- return: one number, the bias $b$.
""",
    draw=_draw_border,
    solution=border_bias,
    definition=_border_of_the_room,
    demands="with your b, the sum point[0] * w[0] + point[1] * w[1] + b is 0",
    mistakes=(
        Mistake(
            "sign_forgotten",
            _sign_forgotten,
            "Your b is what the inputs and weights add up to, so z becomes twice that. The bias "
            "must take the sum back to 0: look at its sign.",
        ),
        Mistake(
            "not_added_up",
            _not_added_up,
            "You return one number for each input. `*` multiplies number by number; a neuron then "
            "adds the products up, and has a single bias.",
        ),
        Mistake(
            "distance",
            _distance,
            "You divided by the length of w. That gives the distance of the border from the "
            "origin; the bias is that distance times the length of w.",
        ),
        Mistake(
            "weights_left_out",
            _weights_left_out,
            "You added up the inputs without their weights. The border depends on w: each input "
            "counts as often as its weight says.",
        ),
    ),
    hints=(
        "Put the point into the formula of z. All in it is known but b.",
        "Set z = 0 and bring b to one side: b = -(…).",
        "`w @ point`, or `w[0] * point[0] + w[1] * point[1]`, is the sum; b is its opposite.",
    ),
    core=False,
)


def _draw_relu(rng: np.random.Generator) -> dict[str, Any]:
    """Numbers near 0, and one of hundreds or thousands, which ReLU lets through as well."""
    z = rng.normal(0, 2, size=rng.integers(2, 5, size=2)).round(1)
    z.flat[rng.integers(z.size)] = rng.uniform(0.1, 5.0) * FAR
    return {"z": z.round(1)}


def relu(z):
    return np.maximum(z, 0)


def _relu_by_loops(z: Array) -> Array:
    return np.array([[value if value > 0 else 0.0 for value in row] for row in z])


def _mask(z: Array) -> Array:
    return z > 0


def _absolute(z: Array) -> Array:
    return np.abs(z)


def _leaky(z: Array) -> Array:
    return np.where(z > 0, z, 0.2 * z)


def _other_half(z: Array) -> Array:
    return np.minimum(z, 0)


def _dropped(z: Array) -> Array:
    return z[z > 0]


def _python_max(z: Array) -> Any:
    return max(z, 0)


def _largest_of_each_column(z: Array) -> Any:
    return np.max(z, 0)


def _largest(z: Array) -> Any:
    return max(z.max(), 0)


relu_activation = Exercise(
    name="relu_activation",
    lesson="forward_pass",
    title="ReLU",
    statement="""
Write `relu(z)`: keep every number that is positive and make 0 of the others.

- `z`, an array of any shape, here (n, h);
- return: an array of the same shape.
""",
    draw=_draw_relu,
    solution=relu,
    definition=_relu_by_loops,
    demands="each number of z where it is above 0, and 0 everywhere else; the shape of z",
    mistakes=(
        Mistake(
            "mask",
            _mask,
            "You return whether each number is positive (True and False, or 1 and 0). That is the "
            "slope of ReLU. ReLU itself keeps the numbers.",
        ),
        Mistake(
            "absolute",
            _absolute,
            "You turn negative numbers into positive ones. ReLU makes 0 of them.",
        ),
        Mistake(
            "leaky",
            _leaky,
            "A fifth of each negative number comes through. That is leaky ReLU; the plain one lets "
            "nothing negative through.",
        ),
        Mistake(
            "other_half",
            _other_half,
            "You keep what is negative and make 0 of what is positive. It is the other way round.",
        ),
        Mistake(
            "dropped",
            _dropped,
            "`z[z > 0]` picks the positive numbers and leaves the others out, so the shape is "
            "lost. The next layer needs a number of every unit: put a 0 in the place of each.",
        ),
        Mistake(
            "python_max",
            _python_max,
            "Python's `if`, `and`, `or`, `not`, `bool`, `max` and `min` ask once for the whole "
            "array, which has no single answer. NumPy has functions that compare number by number.",
            raises="truth value of an array",
        ),
        Mistake(
            "largest_of_each_column",
            _largest_of_each_column,
            "You return the largest number of each column. In `np.max(z, 0)` the 0 is an axis, not "
            "a number to compare with. Another function of NumPy compares two numbers, place by "
            "place.",
        ),
        Mistake(
            "largest",
            _largest,
            "You return one number for the whole array, its largest. ReLU looks at each number on "
            "its own.",
        ),
    ),
    hints=(
        "You need the larger of z and 0, number by number, for the whole array at once.",
        "`np.maximum` compares two arrays, or an array and a number. `np.where` would do as well.",
        "`np.maximum(z, …)`: with which number is each z compared?",
    ),
)


def _draw_dense(rng: np.random.Generator) -> dict[str, Any]:
    """Shapes in general, shapes in which a transposed w fits, and shapes in which all fits."""
    n, d, h = rng.integers(2, 5, size=3)
    kind = rng.integers(3)
    if kind == 1:
        h = d
    elif kind == 2:
        n = h = d
    return {
        "x": rng.normal(0, 2, size=(n, d)).round(1),
        "w": rng.normal(0, 2, size=(d, h)).round(1),
        "b": rng.normal(0, 2, size=h).round(1),
    }


def dense(x, w, b):
    return x @ w + b


def _dense_by_loops(x: Array, w: Array, b: Array) -> Array:
    z = np.zeros((len(x), len(b)))
    for i in range(len(x)):
        for j in range(len(b)):
            z[i, j] = b[j] + math.fsum(x[i, k] * w[k, j] for k in range(len(w)))
    return z


def _transposed_w(x: Array, w: Array, b: Array) -> Array:
    return x @ w.T + b


def _order_swapped(x: Array, w: Array, b: Array) -> Array:
    return w @ x + b


def _bias_missing(x: Array, w: Array, b: Array) -> Array:
    return x @ w


def _bias_per_row(x: Array, w: Array, b: Array) -> Array:
    return x @ w + b[:, None]


def _bias_summed(x: Array, w: Array, b: Array) -> Array:
    return x @ w + b.sum()


def _number_by_number(x: Array, w: Array, b: Array) -> Array:
    return x * w + b


def _activated(x: Array, w: Array, b: Array) -> Array:
    return np.maximum(x @ w + b, 0)


def _sigmoid(x: Array, w: Array, b: Array) -> Array:
    return np.asarray(1 / (1 + np.exp(-(x @ w + b))))


def _tanh(x: Array, w: Array, b: Array) -> Array:
    return np.tanh(x @ w + b)


def _bias_by_row_number(x: Array, w: Array, b: Array) -> Array:
    return np.array([row @ w + b[i] for i, row in enumerate(x)])


def _bias_in_every_round(x: Array, w: Array, b: Array) -> Array:
    return x @ w + len(w) * b


def _last_product_alone(x: Array, w: Array, b: Array) -> Array:
    return x[:, -1:] * w[-1] + b


SQUASHED = (
    "Your sums are right, and then an activation was applied to them. This function stops at z; "
    "the activation comes after it."
)

dense_layer = Exercise(
    name="dense_layer",
    lesson="forward_pass",
    title="A dense layer",
    statement="""
Write `dense(x, w, b)`: the weighted sums of all units of a layer, for all rows at once, without
an activation.

- `x`, shape (n, d): n rows of d inputs;
- `w`, shape (d, h): one column of d weights for each of h units;
- `b`, shape (h,): one bias for each unit;
- return: `z`, shape (n, h). Entry [i, j] is what unit j makes of row i: the sum over k of
  `x[i, k] * w[k, j]`, plus `b[j]`.
""",
    draw=_draw_dense,
    solution=dense,
    definition=_dense_by_loops,
    demands="entry [i, j] is the sum over k of x[i, k] * w[k, j], plus b[j]; the shape is (n, h)",
    mistakes=(
        Mistake(
            "transposed_w",
            _transposed_w,
            "You used w transposed. It fits only where a layer has as many units as inputs, and "
            "even there a unit gets one weight of every unit in place of its own. In this course w "
            "is (inputs, units): the weights of a unit are a column.",
        ),
        Mistake(
            "order_swapped",
            _order_swapped,
            "You computed w @ x, the order of the books, where x is a column and w has a row for "
            "each unit. Here the rows of x are examples and the columns of w are units, so x "
            "stands on the left.",
        ),
        Mistake(
            "bias_missing",
            _bias_missing,
            "Your sums are right but for the bias: b has no effect on what you return. Every unit "
            "adds its own.",
        ),
        Mistake(
            "bias_per_row",
            _bias_per_row,
            "You added the biases along the rows: example i got b[i]. A bias belongs to a unit, "
            "that is to a column of z. An array of shape (h,) lines up with the columns by "
            "itself; it must not be turned into a column.",
        ),
        Mistake(
            "bias_by_row_number",
            _bias_by_row_number,
            "Row i got the bias b[i]. A bias belongs to a unit, not to an example: which of the "
            "numbers i, j and k counts the units?",
        ),
        Mistake(
            "bias_in_every_round",
            _bias_in_every_round,
            "Each bias counts d times in your sums, once for each input. Perhaps it is added in "
            "the innermost loop, round after round: a unit has one bias, and adds it once.",
        ),
        Mistake(
            "last_product_alone",
            _last_product_alone,
            "Only the last input counts in your sums. Perhaps `=` puts each product in the place "
            "of the one before it: the products have to be added up.",
        ),
        Mistake(
            "bias_summed",
            _bias_summed,
            "You added the sum of all biases to every unit. Each unit has one bias of its own.",
        ),
        Mistake(
            "number_by_number",
            _number_by_number,
            "`*` multiplies number by number and adds nothing up. The product in which every row "
            "of x meets every column of w is `@`.",
        ),
        Mistake(
            "activated",
            _activated,
            "Your sums are right, and then a ReLU made 0 of the negative ones. This function "
            "stops at z; the activation comes after it.",
        ),
        Mistake("sigmoid", _sigmoid, SQUASHED),
        Mistake("tanh", _tanh, SQUASHED),
    ),
    hints=(
        "The slow loop above does one row and one unit. A single operator does all of them.",
        "Multiply with `@`. The inner sizes must agree: (n, d) @ (d, h) gives (n, h).",
        "Then add b. An array of shape (h,) is added to every row of one of shape (n, h).",
    ),
)


def _draw_softmax(rng: np.random.Generator) -> dict[str, Any]:
    """Rows near 0, far above and far below, and one that has all three; half are square."""
    n, k = rng.integers(2, 5, size=2)
    if rng.random() < 0.5:
        n = k
    level = np.repeat(rng.choice([0.0, FAR, -FAR], size=(n, 1)), k, axis=1)
    level[rng.integers(n)] = rng.permutation([FAR, -FAR, 0.0, 0.0][:k])
    return {"z": rng.normal(0, 2, size=(n, k)).round(1) + level}


def softmax(z):
    powers = np.exp(z - z.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def _softmax_by_loops(z: Array) -> Array:
    p = np.zeros(z.shape)
    for i, row in enumerate(z):
        for j, value in enumerate(row):
            # 1 / p_j is the sum of e^(z_k - z_j), in which the level of the row cancels.
            with np.errstate(over="ignore"):
                p[i, j] = 1 / np.exp(row - value).sum()
    return p


def _no_shift(z: Array) -> Array:
    powers = np.exp(z)
    total: Array = powers.sum(axis=1, keepdims=True)
    return powers / total


def _shifted_by(c: Array, z: Array) -> Array:
    powers = np.exp(z - c)
    total: Array = powers.sum(axis=1, keepdims=True)
    return powers / total


def _smallest_taken(z: Array) -> Array:
    return _shifted_by(z.min(axis=1, keepdims=True), z)


def _mean_taken(z: Array) -> Array:
    return _shifted_by(z.mean(axis=1, keepdims=True), z)


def _first_taken(z: Array) -> Array:
    return _shifted_by(z[:, :1], z)


def _largest_added(z: Array) -> Array:
    return _shifted_by(-z.max(axis=1, keepdims=True), z)


def _wrong_axis(z: Array) -> Array:
    powers = np.exp(z - z.max(axis=0))
    total: Array = powers.sum(axis=0)
    return powers / total


def _wrong_axis_of_the_sum(z: Array) -> Array:
    powers = np.exp(z - z.max(axis=1, keepdims=True))
    total: Array = powers.sum(axis=0)
    return powers / total


def _one_shift_for_all(z: Array) -> Array:
    powers = np.exp(z - z.max())
    total: Array = powers.sum(axis=1, keepdims=True)
    return powers / total


def _one_sum_for_all(z: Array) -> Array:
    powers = np.exp(z - z.max(axis=1, keepdims=True))
    total: Array = powers.sum()
    return powers / total


def _keepdims_missing(z: Array) -> Array:
    powers = np.exp(z - z.max(axis=1))
    total: Array = powers.sum(axis=1)
    return powers / total


def _keepdims_missing_in_the_maximum(z: Array) -> Array:
    return _shifted_by(z.max(axis=1), z)


def _keepdims_missing_in_the_sum(z: Array) -> Array:
    powers = np.exp(z - z.max(axis=1, keepdims=True))
    total: Array = powers.sum(axis=1)
    return powers / total


def _not_divided(z: Array) -> Array:
    return np.exp(z - z.max(axis=1, keepdims=True))


def _greatest_by_python(z: Array) -> Array:
    return _shifted_by(np.array(max(z)), z)


def _wrong_axis_of_the_shift(z: Array) -> Array:
    return _shifted_by(z.max(axis=0), z)


Total = Callable[[Array], Any]


def _of_columns(powers: Array) -> Any:
    return powers.sum(axis=0)


def _of_rows_without_keepdims(powers: Array) -> Any:
    return powers.sum(axis=1)


def _of_all(powers: Array) -> Any:
    return powers.sum()


def _no_shift_and(total: Total, z: Array) -> Array:
    powers = np.exp(z)
    return np.asarray(powers / total(powers))


def _one_shift_and(total: Total, z: Array) -> Array:
    powers = np.exp(z - z.max())
    return np.asarray(powers / total(powers))


STILL_TOO_LARGE = (
    "You shift each row, but by a number that still leaves a power infinite, or all of them 0. "
    "Think of a row such as [1000, -1000, 0], in any order: which of its numbers, taken from all "
    "three, makes every power harmless?"
)

NO_SHIFT = (
    "Two things go wrong. e^1000 is infinite for a float and e^-1000 is 0: what each row loses "
    "before you raise e to it, if it loses anything, must leave no power infinite and not all of "
    "them 0. "
)
ONE_SHIFT = (
    "Two things go wrong. You take the same number from all rows, so that a row far below it has "
    "only zeros left: each row needs its own shift. "
)
SUM_OF_COLUMNS = "And you divide by the sum of each column, where a row has a sum of its own."
SUM_OF_ALL = "And you divide by the sum of the whole table, where each row has a sum of its own."
SUMS_ALONG_COLUMNS = (
    "And the sums have the shape (n,) or (1, n), which NumPy lines up with the columns: keep them "
    "as a column of shape (n, 1)."
)

stable_softmax = Exercise(
    name="stable_softmax",
    lesson="forward_pass",
    title="A softmax that does not overflow",
    statement=r"""
Write `softmax(z)`: turn each row of logits into probabilities,

$$p_{ij} = \frac{e^{z_{ij}}}{\sum_k e^{z_{ik}}}$$

so that it also works for logits of 1,000 or -1,000.

- `z`, shape (n, k): n rows of k logits;
- return: an array of shape (n, k). Each row is positive and has the sum 1. (What is smaller than
  the smallest float may be 0.)
""",
    draw=_draw_softmax,
    solution=softmax,
    definition=_softmax_by_loops,
    demands="in each row, e to the power of each logit, divided by the sum of that row's powers; "
    "finite numbers also for logits near 1,000 or -1,000",
    mistakes=(
        Mistake(
            "no_shift",
            _no_shift,
            "The formula is right, the floats are not large enough for it: e^1000 is infinite for "
            "them, e^-1000 is 0, and inf / inf or 0 / 0 is nan. What each row loses before you "
            "raise e to it, if it loses anything, must leave no power infinite and not all of "
            "them 0.",
        ),
        Mistake("smallest_taken", _smallest_taken, STILL_TOO_LARGE),
        Mistake("mean_taken", _mean_taken, STILL_TOO_LARGE),
        Mistake("first_taken", _first_taken, STILL_TOO_LARGE),
        Mistake("largest_added", _largest_added, STILL_TOO_LARGE),
        Mistake(
            "wrong_axis",
            _wrong_axis,
            "Your columns have the sum 1, not your rows: you went along axis 0 where axis 1 was "
            "meant. So the probabilities of one row depend on the other rows of the batch.",
        ),
        Mistake(
            "wrong_axis_of_the_sum",
            _wrong_axis_of_the_sum,
            "The shift is right, but you divide by the sum of each column. Each row must be "
            "divided by its own sum: look at the axis of the sum.",
        ),
        Mistake(
            "one_shift_for_all",
            _one_shift_for_all,
            "You took the same number from every row. A row that lies far below it has only zeros "
            "left, and 0 / 0 is nan. Each row needs its own shift, also where the number is the "
            "largest logit of the whole table.",
        ),
        Mistake(
            "wrong_axis_of_the_shift",
            _wrong_axis_of_the_shift,
            "You divide by the right sums, but you take from every column its largest logit. The "
            "logits of one row must all lose the same number, or its probabilities change.",
        ),
        Mistake(
            "python_max",
            _greatest_by_python,
            "Python's `max` and `if` need one yes or no, and to ask which of two rows is greater "
            "has no single answer. NumPy finds the greatest number of each row.",
            raises="truth value of an array",
        ),
        Mistake(
            "no_shift_and_sum_of_columns",
            partial(_no_shift_and, _of_columns),
            NO_SHIFT + SUM_OF_COLUMNS,
        ),
        Mistake("no_shift_and_sum_of_all", partial(_no_shift_and, _of_all), NO_SHIFT + SUM_OF_ALL),
        Mistake(
            "no_shift_and_keepdims_missing",
            partial(_no_shift_and, _of_rows_without_keepdims),
            NO_SHIFT + SUMS_ALONG_COLUMNS,
        ),
        Mistake(
            "one_shift_and_sum_of_columns",
            partial(_one_shift_and, _of_columns),
            ONE_SHIFT + SUM_OF_COLUMNS,
        ),
        Mistake(
            "one_shift_and_sum_of_all", partial(_one_shift_and, _of_all), ONE_SHIFT + SUM_OF_ALL
        ),
        Mistake(
            "one_shift_and_keepdims_missing",
            partial(_one_shift_and, _of_rows_without_keepdims),
            ONE_SHIFT + SUMS_ALONG_COLUMNS,
        ),
        Mistake(
            "one_sum_for_all",
            _one_sum_for_all,
            "The whole table has the sum 1, not each row. Sum along the axis of the classes.",
        ),
        Mistake(
            "keepdims_missing",
            _keepdims_missing,
            "The maxima and sums have the shape (n,) or (1, n), and NumPy lines that up with the "
            "columns: an error for most tables, and silently wrong for square ones. Keep them as "
            "a column of shape (n, 1).",
        ),
        Mistake(
            "keepdims_missing_in_the_maximum",
            _keepdims_missing_in_the_maximum,
            "You divide by the right sums. The maxima have the shape (n,) or (1, n), and NumPy "
            "lines that up with the columns: an error for most tables, and silently wrong for "
            "square ones. Keep them as a column of shape (n, 1).",
        ),
        Mistake(
            "keepdims_missing_in_the_sum",
            _keepdims_missing_in_the_sum,
            "The shift is right. The sums have the shape (n,) or (1, n), and NumPy lines that up "
            "with the columns: an error for most tables, and silently wrong for square ones. Keep "
            "them as a column of shape (n, 1).",
        ),
        Mistake(
            "not_divided",
            _not_divided,
            "These are the powers after the shift: the largest of each row is 1. They become "
            "probabilities when each row is divided by its sum.",
        ),
    ),
    hints=(
        "Taking the same number from all logits of a row leaves its probabilities as they are. "
        "Which number makes every power harmless?",
        "The row's largest logit: then the largest power is e^0 = 1. Use `z.max` along axis 1.",
        "`z.max(axis=1, keepdims=True)` is a column of shape (n, 1), so each row loses its own "
        "maximum. Divide by the sum in the same way.",
    ),
    draws=25,
)


def _draw_loss(rng: np.random.Generator) -> dict[str, Any]:
    """Logits near 0, logits beyond the powers of floats, and of these some with y the largest."""
    n, k = rng.integers(2, 5, size=2)
    kind = rng.choice(3, p=[0.3, 0.4, 0.3])
    logits = (rng.normal(0, 2, size=(n, k)) * (500 if kind else 1)).round(1)
    return {"logits": logits, "y": logits.argmax(axis=1) if kind == 2 else rng.integers(k, size=n)}


def cross_entropy(logits, y):
    shifted = logits - logits.max(axis=1, keepdims=True)
    log_sum = np.log(np.exp(shifted).sum(axis=1))
    return (log_sum - shifted[np.arange(len(y)), y]).mean()


def _log_p(logits: Array) -> Array:
    shifted = logits - logits.max(axis=1, keepdims=True)
    log_sum: Array = np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    return shifted - log_sum


EPSILONS = [
    *(10.0**-k for k in range(2, 21)),
    *(2.0**-23, 2.0**-52, 2.0**-1022, 1e-30, 1e-38, 1e-45, 1e-50, 1e-100, 1e-200, 1e-300),
]
"""Small numbers that are used to keep a probability away from 0."""


def _judge_loss(result: Any, logits: Array, y: Array) -> Complaint | None:
    """Compare a loss; where probabilities were kept away from 0, show the row that this harms."""
    precision = compare.Precision.of({"logits": logits})
    text = compare.difference(LOSSES["cross_entropy"].value(logits, y), result, precision)
    if text is None:
        return None
    losses = _one_loss_a_row(logits, y)
    for changed in _kept_from_0(np.exp(-losses)):
        if compare.same(result, changed.mean(), precision):
            row = int(np.abs(losses - changed).argmax())
            costs, demanded = describe.pair(changed[row], losses[row])
            text += f" Row {row} (counted from 0) should cost {demanded}; you let it cost {costs}."
            return Complaint(text, "log_of_nearly_zero")
    return Complaint(text)


def _kept_from_0(p: Array) -> list[Array]:
    """What each row costs when its probability was kept away from 0, by each usual way."""
    ways = ((p + small, np.maximum(p, small), np.clip(p, small, 1 - small)) for small in EPSILONS)
    return [-np.log(changed) for way in ways for changed in way]


def _summed(logits: Array, y: Array) -> Any:
    return -_log_p(logits)[np.arange(len(y)), y].sum()


def _sign(logits: Array, y: Array) -> Any:
    return _log_p(logits)[np.arange(len(y)), y].mean()


def _base_two(logits: Array, y: Array) -> Any:
    return -_log_p(logits)[np.arange(len(y)), y].mean() / np.log(2)


def _log_of_zero(logits: Array, y: Array) -> Any:
    p = softmax(logits)
    return -np.log(p[np.arange(len(y)), y]).mean()


def _log_of_zero_times_one_hot(logits: Array, y: Array) -> Any:
    one_hot = np.eye(logits.shape[1])[y]
    return -(one_hot * np.log(softmax(logits))).sum(axis=1).mean()


def _log_of_nearly_zero(logits: Array, y: Array) -> Any:
    p = softmax(logits)
    return -np.log(p[np.arange(len(y)), y] + 1e-12).mean()


def _shift_of_one_side(logits: Array, y: Array) -> Any:
    shifted = logits - logits.max(axis=1, keepdims=True)
    log_sum = np.log(np.exp(shifted).sum(axis=1))
    return (log_sum - logits[np.arange(len(y)), y]).mean()


def _classes_as_rows(logits: Array, y: Array) -> Any:
    shifted = logits - logits.max(axis=1, keepdims=True)
    log_sum = np.log(np.exp(shifted).sum(axis=1))
    return (log_sum - shifted[y]).mean()


def _classes_as_rows_unshifted(logits: Array, y: Array) -> Any:
    largest = logits.max(axis=1)
    log_sum = np.log(np.exp(logits - largest[:, None]).sum(axis=1)) + largest
    return (log_sum - logits[y]).mean()


def _classes_as_rows_of_log_p(logits: Array, y: Array) -> Any:
    return -_log_p(logits)[y].mean()


def _powers_overflow(logits: Array, y: Array) -> Any:
    log_sum = np.log(np.exp(logits).sum(axis=1))
    return (log_sum - logits[np.arange(len(y)), y]).mean()


def _probabilities_overflow(logits: Array, y: Array) -> Any:
    powers = np.exp(logits)
    p = powers / powers.sum(axis=1, keepdims=True)
    return -np.log(p[np.arange(len(y)), y]).mean()


def _every_row_with_every_class(logits: Array, y: Array) -> Any:
    return -_log_p(logits)[:, y].mean()


def _all_classes(logits: Array, y: Array) -> Any:
    return -_log_p(logits).mean()


def _log_sum_left_out(logits: Array, y: Array) -> Any:
    return -logits[np.arange(len(y)), y].mean()


def _one_loss_a_row(logits: Array, y: Array) -> Array:
    return -_log_p(logits)[np.arange(len(y)), y]


def _one_row(row: int, logits: Array, y: Array) -> Any:
    return _one_loss_a_row(logits, y)[row]


def _share_of_one_row(row: int, logits: Array, y: Array) -> Any:
    return _one_loss_a_row(logits, y)[row] / len(y)


def _one_shift_for_all_rows(logits: Array, y: Array) -> Any:
    return _powers_overflow(logits - logits.max(), y)


def _maxima_without_keepdims(logits: Array, y: Array) -> Any:
    return _powers_overflow(logits - logits.max(axis=1), y)


def _maxima_added_again(logits: Array, y: Array) -> Any:
    largest = logits.max(axis=1)
    log_sum = np.log(np.exp(logits - largest).sum(axis=1)) + largest
    return (log_sum - logits[np.arange(len(y)), y]).mean()


CLASSES_AS_ROWS = (
    "`y[i]` is the number of a class, that is of a column; you took it for the number of a row. "
    "One entry of each row is wanted: row 0 with y[0], row 1 with y[1], and so on."
)
FIRST_ROW = (
    "Only the first row counts in your result. Perhaps a `return` stands inside a loop and ends it "
    "in the first round."
)
LAST_ROW = (
    "Only the last row counts in your result. Perhaps each round of a loop puts its loss in the "
    "place of the one before it: the losses have to be added up."
)
MAXIMA_ALONG_COLUMNS = (
    "The maxima have the shape (n,), and NumPy lines that up with the columns: an error for most "
    "tables, and silently wrong for square ones. Keep them as a column of shape (n, 1) where you "
    "take them from the logits."
)

loss_from_logits = Exercise(
    name="loss_from_logits",
    lesson="forward_pass",
    title="Cross-entropy from logits",
    statement=r"""
Write `cross_entropy(logits, y)`: the mean over the rows of $-\log p_{\text{truth}}$, computed
from the logits so that no probability has to be stored:

$$-\log p_{\text{truth}} = \log \sum_k e^{z_k} - z_{\text{truth}}$$

It must stay finite for logits of thousands.

- `logits`, shape (n, k): n rows of k logits;
- `y`, shape (n,): the number of the true class of each row, an integer from 0 to k - 1;
- return: one number.
""",
    draw=_draw_loss,
    solution=cross_entropy,
    judge=_judge_loss,
    demands="the mean over the rows of log(sum over k of e^logits[i, k]) - logits[i, y[i]], with "
    "natural logarithms; a finite number also for logits of thousands",
    mistakes=(
        Mistake(
            "summed",
            _summed,
            "This is the sum over the rows. The mean is asked for, so that the loss does not grow "
            "with the number of rows.",
        ),
        Mistake(
            "sign",
            _sign,
            "This is the mean of log p, which is never above 0. A loss is 0 when all is right and "
            "grows with every error: turn the sign.",
        ),
        Mistake(
            "base_two",
            _base_two,
            "You count in bits, with logarithms to the base 2. Losses in this course use the "
            "natural logarithm, `np.log`.",
        ),
        Mistake(
            "log_of_zero",
            _log_of_zero,
            "You made probabilities first and then took their logarithm. A probability below the "
            "smallest float is stored as 0, and the log of 0 is infinite. Use the formula with "
            "the logits instead.",
        ),
        Mistake(
            "log_of_zero_times_one_hot",
            _log_of_zero_times_one_hot,
            "You made probabilities first and took the logarithm of them all. A probability below "
            "the smallest float is stored as 0, its log is infinite, and 0 times infinity is nan, "
            "also for a class that is not the true one. Use the formula with the logits instead.",
        ),
        Mistake(
            "powers_overflow",
            _powers_overflow,
            "The formula is right, but e^1000 is infinite for a float, and e^-1000 is 0. The "
            "remedy is the one that softmax has.",
        ),
        Mistake(
            "log_of_nearly_zero",
            _log_of_nearly_zero,
            "You keep the probability away from 0 by a small number, so that its logarithm stays "
            "finite. But then no row can cost more than minus the logarithm of that number, "
            "however wrong it is, and other rows may be off a little too. The formula with the "
            "logits needs no such number.",
        ),
        Mistake(
            "shift_of_one_side",
            _shift_of_one_side,
            "You shifted the logits in the log of the sum, and not the true logit. Shift both "
            "terms, or add the shift to the log of the sum again.",
        ),
        Mistake("classes_as_rows", _classes_as_rows, CLASSES_AS_ROWS),
        Mistake("classes_as_rows_unshifted", _classes_as_rows_unshifted, CLASSES_AS_ROWS),
        Mistake("classes_as_rows_of_log_p", _classes_as_rows_of_log_p, CLASSES_AS_ROWS),
        Mistake(
            "probabilities_overflow",
            _probabilities_overflow,
            "Two traps at once: e^1000 is infinite for a float, so that inf / inf gives nan, and a "
            "probability that is stored as 0 has no logarithm. Use the formula with the logits, "
            "after the row's maximum was taken from them.",
        ),
        Mistake(
            "every_row_with_every_class",
            _every_row_with_every_class,
            "`[:, y]` takes the classes of *all* rows from each row, a table of (n, n). One entry "
            "a row is wanted: row 0 with y[0], row 1 with y[1], and so on.",
        ),
        Mistake(
            "all_classes",
            _all_classes,
            "You averaged over all classes. Only the true class of each row counts; nothing of y "
            "is in your result.",
        ),
        Mistake(
            "log_sum_left_out",
            _log_sum_left_out,
            "This is minus the true logit alone. Without the log of the sum it says nothing about "
            "the other classes, and a loss could be lowered by raising all logits.",
        ),
        Mistake(
            "one_loss_a_row",
            _one_loss_a_row,
            "These are the losses of the single rows, and they are right. Give their mean.",
        ),
        Mistake("first_row_alone", partial(_one_row, 0), FIRST_ROW),
        Mistake("share_of_the_first_row", partial(_share_of_one_row, 0), FIRST_ROW),
        Mistake("last_row_alone", partial(_one_row, -1), LAST_ROW),
        Mistake("share_of_the_last_row", partial(_share_of_one_row, -1), LAST_ROW),
        Mistake(
            "one_shift_for_all",
            _one_shift_for_all_rows,
            "You took the same number from every row. A row that lies far below it has only zeros "
            "left, and the log of 0 is infinite. Each row needs its own shift, also where the "
            "number is the largest logit of the whole table.",
        ),
        Mistake("keepdims_missing", _maxima_without_keepdims, MAXIMA_ALONG_COLUMNS),
        Mistake("keepdims_missing_in_the_sum", _maxima_added_again, MAXIMA_ALONG_COLUMNS),
    ),
    hints=(
        "Take the row's maximum from all its logits first. That changes neither side of the "
        "formula, because both terms on the right lose the same number.",
        "`logits[np.arange(len(y)), y]` picks from each row the logit of its true class.",
        "With `shifted` = logits minus the row's maximum, a row costs "
        "`np.log(np.exp(shifted).sum(axis=1))` minus its true shifted logit. Then the mean.",
    ),
    core=False,
    draws=40,
)


def _draw_sizes(rng: np.random.Generator) -> dict[str, Any]:
    """Networks of one layer to four; three in ten have a single layer."""
    count = rng.choice([2, 3, 4, 5], p=[0.3, 0.25, 0.25, 0.2])
    return {"sizes": rng.integers(2, 40, size=count).tolist()}


def count_parameters(sizes):
    total = 0
    for i in range(len(sizes) - 1):
        total += sizes[i] * sizes[i + 1] + sizes[i + 1]
    return total


def _count_of_the_room(sizes: list[int]) -> int:
    return Network(sizes, seed=0).count_parameters()


def _biases_forgotten(sizes: list[int]) -> int:
    return sum(d * h for d, h in pairwise(sizes))


def _units_counted(sizes: list[int]) -> int:
    return sum(sizes)


def _units_without_inputs(sizes: list[int]) -> int:
    return sum(sizes[1:])


def _inputs_with_biases(sizes: list[int]) -> int:
    return sum(d * h for d, h in pairwise(sizes)) + sum(sizes)


def _bias_for_each_input(sizes: list[int]) -> int:
    return sum(d * h + d for d, h in pairwise(sizes))


def _one_bias_a_layer(sizes: list[int]) -> int:
    return sum(d * h + 1 for d, h in pairwise(sizes))


def _last_layer_forgotten(sizes: list[int]) -> int:
    return sum(d * h + h for d, h in pairwise(sizes[:-1]))


def _first_layer_alone(sizes: list[int]) -> int:
    return sizes[0] * sizes[1] + sizes[1]


def _bytes_counted(sizes: list[int]) -> int:
    return 4 * sum(d * h + h for d, h in pairwise(sizes))


def _last_layer_alone(sizes: list[int]) -> int:
    return sizes[-2] * sizes[-1] + sizes[-1]


def _bias_of_the_last_layer(sizes: list[int]) -> int:
    return _biases_forgotten(sizes) + sizes[-1]


def _beyond_the_last(sizes: list[int]) -> int:
    return sum(sizes[i] * sizes[i + 1] + sizes[i + 1] for i in range(len(sizes)))


parameter_count = Exercise(
    name="parameter_count",
    lesson="forward_pass",
    title="Count the parameters",
    statement="""
Write `count_parameters(sizes)`: how many parameters a network of dense layers has.

- `sizes`, a list of integers: the number of inputs, then the number of units of each layer, such
  as `[64, 128, 64, 10]`; there is at least one layer, as in `[64, 10]`;
- return: an integer, all weights and all biases of all layers.
""",
    draw=_draw_sizes,
    solution=count_parameters,
    definition=_count_of_the_room,
    demands="all weights and all biases of all layers, where the first entry of sizes is no "
    "layer: its numbers come from outside",
    mistakes=(
        Mistake(
            "biases_forgotten",
            _biases_forgotten,
            "The weights are all there, the biases are not: every unit has one more parameter.",
        ),
        Mistake(
            "units_counted",
            _units_counted,
            "You counted inputs and units, the circles of the picture. Parameters are the lines "
            "between them, and one bias for each unit.",
        ),
        Mistake(
            "units_without_inputs",
            _units_without_inputs,
            "You counted the units, which is the number of the biases. The weights, one for each "
            "line between two neighbouring columns, are missing.",
        ),
        Mistake(
            "inputs_with_biases",
            _inputs_with_biases,
            "You gave the inputs biases as well. The first entry of sizes is no layer: its "
            "numbers come from outside, nothing is added to them.",
        ),
        Mistake(
            "bias_for_each_input",
            _bias_for_each_input,
            "You counted a bias for each input of a layer. It is one for each unit.",
        ),
        Mistake(
            "one_bias_a_layer",
            _one_bias_a_layer,
            "You counted one bias for each layer. It is one for each unit of it.",
        ),
        Mistake(
            "last_layer_forgotten",
            _last_layer_forgotten,
            "The last layer is missing. Three sizes make two layers: walk over all neighbouring "
            "pairs.",
        ),
        Mistake(
            "first_layer_alone",
            _first_layer_alone,
            "This is the first layer alone. Every pair of neighbours in sizes makes a layer: go "
            "through all of them. (A `return` inside a loop would end the function in the first "
            "round: it belongs after the loop.)",
        ),
        Mistake(
            "last_layer_alone",
            _last_layer_alone,
            "This is the last layer alone. If you have a loop, each round perhaps forgets what the "
            "one before it found: the layers have to be added up, in a total that begins at 0 "
            "once, before the loop.",
        ),
        Mistake(
            "bias_of_the_last_layer",
            _bias_of_the_last_layer,
            "The weights are all there, but only the last layer has its biases. The units of the "
            "other layers have one each as well.",
        ),
        Mistake(
            "beyond_the_last",
            _beyond_the_last,
            "You read an entry of sizes that is not there. The list may be as short as two, and "
            "its last entry has no neighbour to the right: there is one pair less than there are "
            "entries.",
            raises="^IndexError: list index out of range",
        ),
        Mistake(
            "bytes_counted",
            _bytes_counted,
            "You counted bytes, four for each parameter. Only the number is asked for here.",
        ),
    ),
    hints=(
        "Begin on paper with [64, 128, 10]: which arrays are there, and how many numbers has each?",
        "Walk over the pairs of neighbours: (64, 128), then (128, 10). Each pair is a layer.",
        "Add d * h weights and h biases for each pair. `zip(sizes, sizes[1:])` gives the pairs.",
    ),
    draws=30,
)
