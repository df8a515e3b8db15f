"""The exercises of notebooks/03_gradient_descent: steps, their largest rate, momentum, batches."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise, permutations
from typing import Any

import numpy as np
import numpy.typing as npt

from amaas_kit.exercises.chance import SeededExercise
from amaas_kit.exercises.compare import Precision, difference, lowest_precision
from amaas_kit.exercises.exercise import Complaint, Exercise, Mistake
from amaas_kit.training.rules import SGD, Momentum

Array = npt.NDArray[Any]
Arguments = dict[str, Any]


def _shape(rng: np.random.Generator) -> tuple[int, ...]:
    """The shape of a parameter: biases (h,) or weights (d, h)."""
    return tuple(int(size) for size in rng.integers(2, 5, size=rng.integers(1, 3)))


# The update


def _draw_update(rng: np.random.Generator) -> Arguments:
    shape = _shape(rng)
    w, dw = rng.normal(size=shape), rng.normal(size=shape)
    return {"w": w, "dw": dw, "lr": float(rng.uniform(0.01, 0.5))}


def update(w: Array, dw: Array, lr: float) -> Any:
    """One step of gradient descent."""
    return w - lr * dw


def _update_defined(w: Array, dw: Array, lr: float) -> Any:
    return SGD(lr).step(w, dw, (), 1, lr)[0]


def _uphill(w: Array, dw: Array, lr: float) -> Any:
    return w + lr * dw


def _in_place(w: Array, dw: Array, lr: float) -> Any:
    w -= lr * dw
    return w


def _rate_left_out(w: Array, dw: Array, lr: float) -> Any:
    return w - dw


def _step_alone(w: Array, dw: Array, lr: float) -> Any:
    return -lr * dw


def _rate_divides(w: Array, dw: Array, lr: float) -> Any:
    return w - dw / lr


def _normalised(w: Array, dw: Array, lr: float) -> Any:
    return w - lr * dw / np.linalg.norm(dw)


update_rule = Exercise(
    name="update_rule",
    lesson="gradient_descent",
    title="One step downhill",
    statement=r"""
Write `update(w, dw, lr)`, one step of gradient descent:

$$w \leftarrow w - \alpha\,\frac{\partial L}{\partial w}$$

- `w`: an array of weights, of any shape;
- `dw`: the slope of the loss in each weight, $\partial L/\partial w$, an array of the same shape;
- `lr`: the learning rate $\alpha$, a number.

Return the new weights, an array of the same shape. Leave the array `w` as it was: somebody else may
still need it.
""",
    draw=_draw_update,
    solution=update,
    definition=_update_defined,
    demands="each entry of the result is the entry of w, less lr times the entry of dw",
    mistakes=(
        Mistake(
            "uphill",
            _uphill,
            "You walked uphill. The slope points to where the loss grows, so a step goes against "
            "it: the slope is taken away from the weight, not added.",
        ),
        Mistake(
            "in_place",
            _in_place,
            "The values are right, but you changed the caller's array. On an array, `w -= ...` "
            "writes into the array itself, so everybody who holds it sees the change. "
            "`w - ...` makes a new array.",
        ),
        Mistake(
            "rate_left_out",
            _rate_left_out,
            "You took the whole slope as the step. The slope says which way and how steep; how far "
            "to go is the slope times the learning rate.",
        ),
        Mistake(
            "step_alone",
            _step_alone,
            "You returned the step, and not where it leads. Add it to the weight that you came "
            "from.",
        ),
        Mistake(
            "rate_divides",
            _rate_divides,
            "You divided by the learning rate. A larger rate has to make a longer step, so the "
            "slope is multiplied by it.",
        ),
        Mistake(
            "normalised",
            _normalised,
            "You made the slope one unit long first, so that every step has the length lr. In "
            "plain gradient descent the steps become shorter where the loss becomes flat: "
            "multiply by the slope as it is.",
        ),
    ),
    hints=(
        "There is one operation between lr and dw, and one between that product and w.",
        "Downhill is against the slope. Which sign does that make?",
        "The result is w minus a product. Write it with `-`, and not with `-=`.",
    ),
)


# The largest stable rate


def _draw_hessian(rng: np.random.Generator) -> Arguments:
    """A symmetric matrix with positive eigenvalues, and axes that are not its own."""
    size = int(rng.integers(2, 5))
    axes, _ = np.linalg.qr(rng.normal(size=(size, size)))
    curvatures = rng.uniform(0.2, 12.0, size=size)
    hessian = axes * curvatures @ axes.T
    return {"hessian": (hessian + hessian.T) / 2}


def largest_rate(hessian: Array) -> Any:
    """The limit of the learning rate on a quadratic."""
    curvatures = np.linalg.eigvalsh(hessian)
    return 2 / curvatures.max()


def _largest_rate_by_trying(hessian: Array) -> float:
    """Halve, again and again, the gap between a rate that shrinks all walks and one that does not.

    A step multiplies the distance to the bottom by I - rate H; the matrix squared fifty times is
    2**50 steps, which have either vanished or grown.
    """

    def grows(rate: float) -> bool:
        steps = np.eye(len(hessian)) - rate * hessian
        for _ in range(50):
            largest = np.abs(steps).max()
            if not 1e-100 < largest < 1e100:
                break
            steps = steps @ steps
        return bool(largest > 1)

    return _boundary(grows, 4 / np.abs(hessian).max())


def _judge_rate(result: Any, hessian: Array) -> Complaint | None:
    """As a definition would, but as closely as float32 can hold the curvatures."""
    text = difference(_largest_rate_by_trying(hessian), result, Precision("float32"))
    return Complaint(text) if text else None


def _boundary(grows: Callable[[float], bool], high: float) -> float:
    """The largest rate below `high` at which nothing grows."""
    low = 0.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (low, middle) if grows(middle) else (middle, high)
    return low


def _arrives_at_once(hessian: Array) -> Any:
    return 1 / np.linalg.eigvalsh(hessian).max()


def _smallest_curvature(hessian: Array) -> Any:
    return 2 / np.linalg.eigvalsh(hessian).min()


def _largest_entry(hessian: Array) -> Any:
    return 2 / np.diag(hessian).max()


def _sum_of_curvatures(hessian: Array) -> Any:
    return 2 / np.trace(hessian)


def _best_rate(hessian: Array) -> Any:
    curvatures = np.linalg.eigvalsh(hessian)
    return 2 / (curvatures.min() + curvatures.max())


def _curvature_itself(hessian: Array) -> Any:
    return np.linalg.eigvalsh(hessian).max()


stable_rate = Exercise(
    name="stable_rate",
    lesson="gradient_descent",
    title="The largest rate that works",
    statement=r"""
The slopes of a quadratic loss are $\partial L/\partial w = H w$, measured from the bottom, with a
symmetric matrix $H$, the *Hessian*. Write `largest_rate(hessian)`:

- `hessian`: an array (d, d), symmetric, with positive eigenvalues.

Return one number: the limit of the learning rate. Below it gradient descent comes to the bottom
from every start. Above it there are starts from which it moves away. The eigenvalues of a symmetric
matrix, `np.linalg.eigvalsh(hessian)`, are the curvatures along its own directions.
""",
    draw=_draw_hessian,
    solution=largest_rate,
    judge=_judge_rate,
    demands="the rate at which w <- w - rate * (hessian @ w) turns from shrinking every start to "
    "making some start grow, found by trying rates",
    mistakes=(
        Mistake(
            "arrives_at_once",
            _arrives_at_once,
            "You gave half the limit. At 1 / curvature the factor of a step is 0: that rate "
            "arrives in one step along the steepest direction. A larger rate jumps over the "
            "bottom and still comes closer, until the factor reaches -1.",
        ),
        Mistake(
            "smallest_curvature",
            _smallest_curvature,
            "You used the smallest curvature. That rate suits the flattest direction only; along "
            "the steepest one every step is longer than the one before. The one rate has to suit "
            "all directions.",
        ),
        Mistake(
            "largest_entry",
            _largest_entry,
            "You took the largest entry of the diagonal. It is the curvature along one of the "
            "weights. The steepest direction usually lies between the weights, and is steeper than "
            "any of them. What are the curvatures along the matrix's own directions?",
        ),
        Mistake(
            "sum_of_curvatures",
            _sum_of_curvatures,
            "You used the trace, which is the sum of all curvatures. Directions do not disturb "
            "each other, so their curvatures do not add up. Your rate is safe, but smaller than "
            "need be.",
        ),
        Mistake(
            "best_rate",
            _best_rate,
            "You gave the fastest rate, 2 / (smallest + largest curvature). It is a good choice, "
            "but asked for is the limit, beyond which the walk diverges.",
        ),
        Mistake(
            "curvature_itself",
            _curvature_itself,
            "You returned the largest curvature. The steeper the valley, the smaller the rate has "
            "to be: the limit is a number divided by that curvature.",
        ),
    ),
    hints=(
        "A step multiplies the distance along a direction of curvature c by 1 - rate * c. "
        "When is that between -1 and 1?",
        "Each direction has a limit of its own. All of them have to hold.",
        "The eigenvalue that decides is the largest one. At the limit its factor is -1.",
    ),
)


# Momentum


def _draw_momentum(rng: np.random.Generator) -> Arguments:
    w, dw, m = rng.normal(size=(3, *_shape(rng)))
    lr, beta = float(rng.uniform(0.05, 0.5)), float(rng.uniform(0.3, 0.95))
    return {"w": w, "dw": dw, "m": m, "lr": lr, "beta": beta}


def momentum_step(w: Array, dw: Array, m: Array, lr: float, beta: float) -> Any:
    """One step with momentum: the new weights, the new velocity."""
    m = beta * m - lr * dw
    return w + m, m


def _momentum_defined(w: Array, dw: Array, m: Array, lr: float, beta: float) -> Any:
    new, (velocity,) = Momentum(lr, beta).step(w, dw, (m,), 1, lr)
    return new, velocity


def _forgets_velocity(w: Array, dw: Array, m: Array, lr: float, beta: float) -> Any:
    m = -lr * dw
    return w + m, m


def _rate_twice(w: Array, dw: Array, m: Array, lr: float, beta: float) -> Any:
    m = beta * m - lr * dw
    return w + lr * m, m


def _old_velocity(w: Array, dw: Array, m: Array, lr: float, beta: float) -> Any:
    return w + m, beta * m - lr * dw


def _looks_ahead(w: Array, dw: Array, m: Array, lr: float, beta: float) -> Any:
    m = beta * m - lr * dw
    return w + beta * m - lr * dw, m


def _rate_outside(w: Array, dw: Array, m: Array, lr: float, beta: float) -> Any:
    m = beta * m + dw
    return w - lr * m, m


def _running_mean(w: Array, dw: Array, m: Array, lr: float, beta: float) -> Any:
    m = beta * m - (1 - beta) * lr * dw
    return w + m, m


def _velocity_uphill(w: Array, dw: Array, m: Array, lr: float, beta: float) -> Any:
    m = beta * m + lr * dw
    return w + m, m


def _against_velocity(w: Array, dw: Array, m: Array, lr: float, beta: float) -> Any:
    m = beta * m - lr * dw
    return w - m, m


def _velocity_turned(w: Array, dw: Array, m: Array, lr: float, beta: float) -> Any:
    m = beta * m + lr * dw
    return w - m, m


def _velocity_not_returned(w: Array, dw: Array, m: Array, lr: float, beta: float) -> Any:
    return w + beta * m - lr * dw, m


def _rate_outside_downhill(w: Array, dw: Array, m: Array, lr: float, beta: float) -> Any:
    m = beta * m - dw
    return w + lr * m, m


def _velocity_in_place(w: Array, dw: Array, m: Array, lr: float, beta: float) -> Any:
    m *= beta
    m -= lr * dw
    return w + m, m


def _velocity_first(w: Array, dw: Array, m: Array, lr: float, beta: float) -> Any:
    m = beta * m - lr * dw
    return m, w + m


momentum_rule = Exercise(
    name="momentum_rule",
    lesson="gradient_descent",
    title="A step with momentum",
    statement=r"""
Write `momentum_step(w, dw, m, lr, beta)`, one step with momentum:

$$m \leftarrow \beta m - \alpha\,\frac{\partial L}{\partial w} \qquad\qquad w \leftarrow w + m$$

- `w`, `dw`: the weights and the slopes, arrays of one shape;
- `m`: the velocity so far, an array of that shape;
- `lr`: the learning rate $\alpha$; `beta`: the share $\beta$ of the velocity that is kept.

Return two arrays in this order: the new weights, the new velocity. Change none of the arguments.
""",
    draw=_draw_momentum,
    solution=momentum_step,
    definition=_momentum_defined,
    demands="the new velocity is beta times the old one, less lr times dw; the new weights are the "
    "old ones plus the new velocity; both are returned, weights first",
    mistakes=(
        Mistake(
            "forgets_velocity",
            _forgets_velocity,
            "You forgot the old velocity, so this is plain gradient descent. A share beta of m "
            "goes into the new velocity.",
        ),
        Mistake(
            "rate_twice",
            _rate_twice,
            "You used the learning rate twice. It is in the velocity already, so the weights move "
            "by the velocity as it is.",
        ),
        Mistake(
            "old_velocity",
            _old_velocity,
            "You moved by the old velocity. First the velocity takes up the new slope, then the "
            "weights move by it.",
        ),
        Mistake(
            "looks_ahead",
            _looks_ahead,
            "You applied the velocity's line a second time before you moved. That gives a rule of "
            "its own, which this lesson meets soon; here the weights move by the new velocity "
            "itself.",
        ),
        Mistake(
            "rate_outside",
            _rate_outside,
            "You kept the velocity without the rate and multiplied afterwards, as PyTorch does. "
            "With a constant rate that walks the same way; but its m is another number, and when "
            "the rate changes on the way, the two part. Here the rate stands inside, beside the "
            "slope.",
        ),
        Mistake(
            "running_mean",
            _running_mean,
            "You weighted the slope with 1 - beta, which makes the velocity a running mean. Here "
            "the new slope enters in full, which is why steps can grow up to 1 / (1 - beta) times "
            "as long.",
        ),
        Mistake(
            "velocity_uphill",
            _velocity_uphill,
            "Your velocity points uphill. The slope is taken away from it, not added to it.",
        ),
        Mistake(
            "against_velocity",
            _against_velocity,
            "You moved against the velocity. The minus sign is in the velocity already: it points "
            "downhill, and the weights move along it.",
        ),
        Mistake(
            "velocity_turned",
            _velocity_turned,
            "You turned the velocity round: yours points uphill, and the weights move against it. "
            "The m that comes in points downhill: the minus sign belongs in the velocity's line.",
        ),
        Mistake(
            "velocity_not_returned",
            _velocity_not_returned,
            "The new weights are right, but you returned the old velocity beside them. The next "
            "step builds on the new one.",
        ),
        Mistake(
            "rate_outside_downhill",
            _rate_outside_downhill,
            "You took up the slope without the rate and multiplied the whole velocity by it "
            "afterwards. So the old velocity, in which the rate is already, is multiplied by it "
            "too. The rate stands beside the slope.",
        ),
        Mistake(
            "velocity_in_place",
            _velocity_in_place,
            "The values are right, but you changed the caller's velocity. `m *= ...` writes into "
            "the array itself; `m = beta * m - ...` makes a new one.",
        ),
        Mistake(
            "velocity_first",
            _velocity_first,
            "You returned the velocity first. Asked for are the new weights, then the new "
            "velocity.",
        ),
    ),
    hints=(
        "Two lines: first the velocity, then the weights.",
        "The second line uses the velocity that the first one has just made.",
        "The first line is beta times m, minus lr times dw. Return a pair.",
    ),
)


# The limit of momentum


def _draw_momentum_limit(rng: np.random.Generator) -> Arguments:
    return {"curvature": float(rng.uniform(0.5, 20.0)), "beta": float(rng.uniform(0.2, 0.95))}


def limit_with_momentum(curvature: float, beta: float) -> float:
    """The limit of the learning rate with momentum."""
    return 2 * (1 + beta) / curvature


def _momentum_limit_by_trying(curvature: float, beta: float) -> float:
    """As `_largest_rate_by_trying`: one step multiplies the pair (w, m) by a matrix of two rows."""

    def grows(rate: float) -> bool:
        pull = rate * curvature
        steps = np.array([[1 - pull, beta], [-pull, beta]])
        for _ in range(50):
            largest = np.abs(steps).max()
            if not 1e-100 < largest < 1e100:
                break
            steps = steps @ steps
        return bool(largest > 1)

    return _boundary(grows, 8 / curvature)


def _judge_momentum_limit(result: Any, curvature: float, beta: float) -> Complaint | None:
    """As a definition would, but to one part in a thousand: a limit may be found by walking."""
    limit = _momentum_limit_by_trying(curvature, beta)
    text = difference(limit, result)
    if text is None or (_is_number(result) and abs(result - limit) < 1e-3 * limit):
        return None
    return Complaint(text)


def _is_number(result: Any) -> bool:
    kinds = int | float | np.integer | np.floating
    return isinstance(result, kinds) and not isinstance(result, bool)


def _limit_of_plain_descent(curvature: float, beta: float) -> float:
    return 2 / curvature


def _limit_of_long_steps(curvature: float, beta: float) -> float:
    return 2 * (1 - beta) / curvature


def _limit_multiplied(curvature: float, beta: float) -> float:
    return 2 / (1 - beta) / curvature


def _limit_without_two(curvature: float, beta: float) -> float:
    return (1 + beta) / curvature


def _limit_divided(curvature: float, beta: float) -> float:
    return 2 / (curvature * (1 + beta))


momentum_limit = Exercise(
    name="momentum_limit",
    lesson="gradient_descent",
    title="How far momentum can be pushed",
    statement=r"""
Write `limit_with_momentum(curvature, beta)`: the limit of the learning rate with momentum,
on $L(w) = \tfrac12\,\lambda\,w^2$.

- `curvature`: $\lambda$, a positive number; the slope at `w` is `curvature * w`;
- `beta`: the share $\beta$ of the velocity that each step keeps, between 0 and 1.

Return one number. Below it the walk comes to the bottom; above it, it moves away. With `beta` 0 it
is 2 / curvature. Work it out on paper, or walk at many rates and guess the formula. A number that
is off by less than one part in a thousand counts as right.

On paper: at the limit the walk neither grows nor shrinks, but jumps to and fro, so that each weight
and each velocity is the one before with the other sign. Put $w' = -w$ and $m' = -m$ into the two
lines of the rule.
""",
    draw=_draw_momentum_limit,
    solution=limit_with_momentum,
    judge=_judge_momentum_limit,
    demands="the rate at which the walk of m <- beta * m - rate * curvature * w, w <- w + m turns "
    "from shrinking to growing, found by trying rates",
    mistakes=(
        Mistake(
            "plain_limit",
            _limit_of_plain_descent,
            "That is the limit without momentum. Across the valley the velocity points the other "
            "way at each jump and brakes it, so the limit with momentum is another one.",
        ),
        Mistake(
            "long_steps",
            _limit_of_long_steps,
            "You divided the rate among the 1 / (1 - beta) steps that momentum adds up. That is "
            "right where the slope stays the same, along the valley. At the limit the slope "
            "changes its sign at each step, and the velocity works against the jump.",
        ),
        Mistake(
            "multiplied",
            _limit_multiplied,
            "You multiplied the limit by 1 / (1 - beta). The direction is right, momentum allows "
            "a larger rate, but by another factor: try beta close to 1 in a walk of your own.",
        ),
        Mistake(
            "without_two",
            _limit_without_two,
            "You gave half the limit. Put beta = 0 into your formula: it must give the limit of "
            "plain descent.",
        ),
        Mistake(
            "divided",
            _limit_divided,
            "Your limit becomes smaller as beta grows. Across the valley the velocity brakes each "
            "jump, so that with momentum larger rates still come to the bottom.",
        ),
    ),
    hints=(
        "At the limit, w' = -w and m' = -m. The second line, w' = w + m', then says what m' is.",
        "From w' = w + m' and w' = -w follows m' = -2 w, and so m = 2 w. Now the first line.",
        "The first line becomes -2 w = beta * 2 w - rate * curvature * w. Divide by w.",
    ),
    core=False,
    too_slow="Each rate that you try costs a whole walk, and the check calls your function several "
    "times. Try fewer rates, and choose each by what came of the one before; or find the formula. "
    "If already the first walk does not end, look at what should end its loop.",
)


# Adam

BETA_1, BETA_2, EPSILON = 0.9, 0.999, 1e-7
"""Adam's usual constants, which the exercise states."""

ADAM_MAGNIFIES = 20
"""By how much Adam in float32 may be further off than other rules: 1 - 0.999 loses three digits."""


def _draw_adam(rng: np.random.Generator) -> Arguments:
    """A step at which the means look back on t - 1 slopes, some of them as tiny as epsilon.

    After the first step v is above 1 in one entry, where slopes were steep: with brackets left out,
    v / 1 - 0.999**t has a root there and is not NaN everywhere.
    """
    shape, t = _shape(rng), int(rng.integers(1, 6))
    size = 10.0 ** rng.integers(-8, 1, size=shape)
    seen = np.array([1 - BETA_1 ** (t - 1), 1 - BETA_2 ** (t - 1)])
    v = rng.uniform(0.3, 2.0, size=shape) * size**2 * seen[1]
    if t > 1:
        v.flat[rng.integers(v.size)] = rng.uniform(1.2, 3.0)
    return {
        "w": rng.normal(size=shape),
        "dw": rng.normal(size=shape) * size,
        "m": rng.normal(size=shape) * size * seen[0],
        "v": v,
        "t": t,
        "lr": float(rng.uniform(0.05, 0.5)),
    }


def adam_step(w: Array, dw: Array, m: Array, v: Array, t: int, lr: float) -> Any:
    """One step of Adam: the new weights and the two means."""
    beta_1, beta_2, epsilon = 0.9, 0.999, 1e-7
    m = beta_1 * m + (1 - beta_1) * dw
    v = beta_2 * v + (1 - beta_2) * dw**2
    m_hat = m / (1 - beta_1**t)
    v_hat = v / (1 - beta_2**t)
    w = w - lr * m_hat / (np.sqrt(v_hat) + epsilon)
    return w, m, v


def _adam_entry_by_entry(w: Array, dw: Array, m: Array, v: Array, t: int, lr: float) -> Any:
    """Each corrected mean as what it is: a mean with weights that add up to 1."""
    new_w, new_m, new_v = (np.empty_like(w) for _ in range(3))
    for i in np.ndindex(w.shape):
        new_m[i] = m[i] + (dw[i] - m[i]) * (1 - BETA_1)
        new_v[i] = v[i] + (dw[i] * dw[i] - v[i]) * (1 - BETA_2)
        mean = new_m[i] / sum((1 - BETA_1) * BETA_1**back for back in range(t))
        square = new_v[i] / sum((1 - BETA_2) * BETA_2**back for back in range(t))
        new_w[i] = w[i] - lr * mean / (square**0.5 + EPSILON)
    return new_w, new_m, new_v


def _judge_adam(
    result: Any, w: Array, dw: Array, m: Array, v: Array, t: int, lr: float
) -> Complaint | None:
    """As a definition would, but in float32 1 - beta_2 is off by 5 parts in 100,000."""
    expected = _adam_entry_by_entry(w, dw, m, v, t, lr)
    magnified = ADAM_MAGNIFIES if lowest_precision(result) == "float32" else 1
    precision = Precision.of([w, dw, m, v], magnified)
    text = difference(expected, result, precision, ("w", "m", "v"))
    if text is None:
        return None
    turned = any(difference(order, result, precision) is None for order in permutations(expected))
    return Complaint(text, "other_order" if turned else None)


def _means(dw: Array, m: Array, v: Array) -> tuple[Array, Array]:
    return BETA_1 * m + (1 - BETA_1) * dw, BETA_2 * v + (1 - BETA_2) * dw**2


def _corrected(m: Array, v: Array, t: int) -> tuple[Array, Array]:
    return m / (1 - BETA_1**t), v / (1 - BETA_2**t)


def _uncorrected(w: Array, dw: Array, m: Array, v: Array, t: int, lr: float) -> Any:
    m, v = _means(dw, m, v)
    return w - lr * m / (np.sqrt(v) + EPSILON), m, v


def _epsilon_inside(w: Array, dw: Array, m: Array, v: Array, t: int, lr: float) -> Any:
    m, v = _means(dw, m, v)
    m_hat, v_hat = _corrected(m, v, t)
    return w - lr * m_hat / np.sqrt(v_hat + EPSILON), m, v


def _epsilon_left_out(w: Array, dw: Array, m: Array, v: Array, t: int, lr: float) -> Any:
    m, v = _means(dw, m, v)
    m_hat, v_hat = _corrected(m, v, t)
    return w - lr * m_hat / np.sqrt(v_hat), m, v


def _t_from_zero(w: Array, dw: Array, m: Array, v: Array, t: int, lr: float) -> Any:
    m, v = _means(dw, m, v)
    m_hat, v_hat = _corrected(m, v, t + 1)
    return w - lr * m_hat / (np.sqrt(v_hat) + EPSILON), m, v


def _square_of_the_mean(w: Array, dw: Array, m: Array, v: Array, t: int, lr: float) -> Any:
    m = BETA_1 * m + (1 - BETA_1) * dw
    v = BETA_2 * v + (1 - BETA_2) * m**2
    m_hat, v_hat = _corrected(m, v, t)
    return w - lr * m_hat / (np.sqrt(v_hat) + EPSILON), m, v


def _root_left_out(w: Array, dw: Array, m: Array, v: Array, t: int, lr: float) -> Any:
    m, v = _means(dw, m, v)
    m_hat, v_hat = _corrected(m, v, t)
    return w - lr * m_hat / (v_hat + EPSILON), m, v


def _corrected_kept(w: Array, dw: Array, m: Array, v: Array, t: int, lr: float) -> Any:
    m_hat, v_hat = _corrected(*_means(dw, m, v), t)
    return w - lr * m_hat / (np.sqrt(v_hat) + EPSILON), m_hat, v_hat


def _shares_swapped(w: Array, dw: Array, m: Array, v: Array, t: int, lr: float) -> Any:
    m = (1 - BETA_1) * m + BETA_1 * dw
    v = (1 - BETA_2) * v + BETA_2 * dw**2
    m_hat, v_hat = _corrected(m, v, t)
    return w - lr * m_hat / (np.sqrt(v_hat) + EPSILON), m, v


def _epsilon_outside(w: Array, dw: Array, m: Array, v: Array, t: int, lr: float) -> Any:
    m, v = _means(dw, m, v)
    m_hat, v_hat = _corrected(m, v, t)
    return w - lr * m_hat / np.sqrt(v_hat) + EPSILON, m, v


def _epsilon_after_the_division(w: Array, dw: Array, m: Array, v: Array, t: int, lr: float) -> Any:
    m, v = _means(dw, m, v)
    m_hat, v_hat = _corrected(m, v, t)
    return w - lr * (m_hat / np.sqrt(v_hat) + EPSILON), m, v


def _epsilon_of_the_paper(w: Array, dw: Array, m: Array, v: Array, t: int, lr: float) -> Any:
    m, v = _means(dw, m, v)
    m_hat, v_hat = _corrected(m, v, t)
    return w - lr * m_hat / (np.sqrt(v_hat) + 1e-8), m, v


def _betas_swapped(w: Array, dw: Array, m: Array, v: Array, t: int, lr: float) -> Any:
    m = BETA_2 * m + (1 - BETA_2) * dw
    v = BETA_1 * v + (1 - BETA_1) * dw**2
    m_hat, v_hat = m / (1 - BETA_2**t), v / (1 - BETA_1**t)
    return w - lr * m_hat / (np.sqrt(v_hat) + EPSILON), m, v


def _adam_uphill(w: Array, dw: Array, m: Array, v: Array, t: int, lr: float) -> Any:
    m, v = _means(dw, m, v)
    m_hat, v_hat = _corrected(m, v, t)
    return w + lr * m_hat / (np.sqrt(v_hat) + EPSILON), m, v


def _mean_corrected_alone(w: Array, dw: Array, m: Array, v: Array, t: int, lr: float) -> Any:
    m, v = _means(dw, m, v)
    m_hat, _ = _corrected(m, v, t)
    return w - lr * m_hat / (np.sqrt(v) + EPSILON), m, v


def _square_corrected_alone(w: Array, dw: Array, m: Array, v: Array, t: int, lr: float) -> Any:
    m, v = _means(dw, m, v)
    _, v_hat = _corrected(m, v, t)
    return w - lr * m / (np.sqrt(v_hat) + EPSILON), m, v


def _power_left_out(w: Array, dw: Array, m: Array, v: Array, t: int, lr: float) -> Any:
    m, v = _means(dw, m, v)
    m_hat, v_hat = _corrected(m, v, 1)
    return w - lr * m_hat / (np.sqrt(v_hat) + EPSILON), m, v


def _brackets_left_out(w: Array, dw: Array, m: Array, v: Array, t: int, lr: float) -> Any:
    m, v = _means(dw, m, v)
    m_hat, v_hat = m / 1 - BETA_1**t, v / 1 - BETA_2**t
    return w - lr * m_hat / (np.sqrt(v_hat) + EPSILON), m, v


def _square_left_out(w: Array, dw: Array, m: Array, v: Array, t: int, lr: float) -> Any:
    m, v = BETA_1 * m + (1 - BETA_1) * dw, BETA_2 * v + (1 - BETA_2) * dw
    m_hat, v_hat = _corrected(m, v, t)
    return w - lr * m_hat / (np.sqrt(v_hat) + EPSILON), m, v


def _adam_without_rate(w: Array, dw: Array, m: Array, v: Array, t: int, lr: float) -> Any:
    m, v = _means(dw, m, v)
    m_hat, v_hat = _corrected(m, v, t)
    return w - m_hat / (np.sqrt(v_hat) + EPSILON), m, v


def _other_order(w: Array, dw: Array, m: Array, v: Array, t: int, lr: float) -> Any:
    w, m, v = adam_step(w, dw, m, v, t, lr)
    return m, v, w


def _folded(w: Array, dw: Array, m: Array, v: Array, t: int, lr: float) -> Any:
    m, v = _means(dw, m, v)
    rate = lr * np.sqrt(1 - BETA_2**t) / (1 - BETA_1**t)
    return w - rate * m / (np.sqrt(v) + EPSILON), m, v


adam_rule = Exercise(
    name="adam_rule",
    lesson="gradient_descent",
    title="A step of Adam",
    statement=r"""
Write `adam_step(w, dw, m, v, t, lr)`, one step of Adam, with $\beta_1 = 0.9$, $\beta_2 = 0.999$ and
$\epsilon = 10^{-7}$:

$$m \leftarrow \beta_1 m + (1-\beta_1)\,g \qquad\qquad v \leftarrow \beta_2 v + (1-\beta_2)\,g^2$$

$$\hat m = \frac{m}{1-\beta_1^t} \qquad\qquad \hat v = \frac{v}{1-\beta_2^t} \qquad\qquad
w \leftarrow w - \alpha\,\frac{\hat m}{\sqrt{\hat v}+\epsilon}$$

- `w`: the weights; `dw`: the slopes $g$; `m`, `v`: the two running means before this step. All are
  arrays of one shape, and everything is meant entry by entry;
- `t`: the number of this step, counted from 1; `lr`: the learning rate $\alpha$.

Return three arrays in this order: the new weights, the new $m$, the new $v$. Change none of the
arguments.
""",
    draw=_draw_adam,
    solution=adam_step,
    judge=_judge_adam,
    demands="m and v move towards dw and its square by a tenth and a thousandth of the distance; "
    "divided by what they lack at step t they give m_hat and v_hat; the new w is "
    "w - lr * m_hat / (root of v_hat + epsilon)",
    mistakes=(
        Mistake(
            "uncorrected",
            _uncorrected,
            "You left out the bias correction. Both means start at 0 and are too small at first. "
            "Divide m by 1 - beta_1**t and v by 1 - beta_2**t before you use them.",
        ),
        Mistake(
            "epsilon_inside",
            _epsilon_inside,
            "You added epsilon under the root, as RMSProp does in this kit. There 1e-7 acts as its "
            "root, 0.0003, and stops every weight whose slopes are smaller than that. Adam adds "
            "it to the root.",
        ),
        Mistake(
            "epsilon_left_out",
            _epsilon_left_out,
            "You left epsilon out. A weight whose slopes are tiny then takes a full step all the "
            "same, and one whose slope has always been 0 becomes 0 / 0, which is NaN.",
        ),
        Mistake(
            "epsilon_outside",
            _epsilon_outside,
            "You added epsilon to the weights. `a / b + c` divides first, so epsilon came after "
            "the whole fraction: put parentheses around what is below the line.",
        ),
        Mistake(
            "epsilon_after_the_division",
            _epsilon_after_the_division,
            "You added epsilon to the quotient. `a / b + c` divides first: put parentheses around "
            "what is below the line, so that epsilon keeps the divisor from becoming 0.",
        ),
        Mistake(
            "epsilon_of_the_paper",
            _epsilon_of_the_paper,
            "You used 1e-8 for epsilon, as the paper and PyTorch do. Here it is 1e-7, as in Keras. "
            "Only weights whose slopes are about as small as that feel the difference.",
        ),
        Mistake(
            "betas_swapped",
            _betas_swapped,
            "You swapped the two betas. The mean of the slopes m goes with 0.9, the mean of their "
            "squares v with 0.999: the divisor has to be the steadier of the two.",
        ),
        Mistake(
            "uphill",
            _adam_uphill,
            "You walked uphill. m_hat is a mean of slopes, and points to where the loss grows: the "
            "step is taken away from w.",
        ),
        Mistake(
            "mean_corrected_alone",
            _mean_corrected_alone,
            "You corrected m but not v. Both means start at 0, and v, which moves more slowly, "
            "lacks even more at first.",
        ),
        Mistake(
            "square_corrected_alone",
            _square_corrected_alone,
            "You corrected v but not m. Both means start at 0 and are too small at first.",
        ),
        Mistake(
            "power_left_out",
            _power_left_out,
            "You corrected as if every step were the first: the number of the step, t, is not "
            "used. A mean of many slopes lacks less than a mean of one, so the correction fades "
            "from step to step.",
        ),
        Mistake(
            "brackets_left_out",
            _brackets_left_out,
            "You left out parentheses in the bias correction. `a / b - c` divides first, so the "
            "mean was divided by 1 and the power taken away from it. What is below the line "
            "belongs in parentheses.",
        ),
        Mistake(
            "square_left_out",
            _square_left_out,
            "You put the slope into v as it is. v is the mean of the squared slopes; without the "
            "square it can become negative, and its root is NaN.",
        ),
        Mistake(
            "rate_left_out",
            _adam_without_rate,
            "You left the learning rate out. The fraction is about one in size, whatever the "
            "slope; how far the weight goes is the fraction times the rate.",
        ),
        Mistake(
            "other_order",
            _other_order,
            "The three arrays are right, but they come in another order. Asked for are the new "
            "weights, then m, then v.",
        ),
        Mistake(
            "t_from_zero",
            _t_from_zero,
            "You corrected as if t counted from 0. The first step comes with t = 1, so the power "
            "is t and not t + 1.",
        ),
        Mistake(
            "square_of_the_mean",
            _square_of_the_mean,
            "You put the square of the mean m into v. v is the mean of the squares: it takes "
            "dw**2. Slopes that change sign cancel in m, and must not cancel in v.",
        ),
        Mistake(
            "root_left_out",
            _root_left_out,
            "You divided by v_hat and not by its root. v_hat is in squared slopes; only its root "
            "has the size of a slope, so that the step becomes about one rate long.",
        ),
        Mistake(
            "corrected_kept",
            _corrected_kept,
            "You returned the corrected means. The correction is for this step only; what is "
            "remembered are m and v as they are, or the next step corrects them a second time.",
        ),
        Mistake(
            "shares_swapped",
            _shares_swapped,
            "You swapped the shares. beta is what is kept of the mean, 0.9 and 0.999; the new "
            "slope enters with the small rest, 1 - beta.",
        ),
        Mistake(
            "folded",
            _folded,
            "You folded the correction into the rate, as Keras does, and this kit. That is nearly "
            "the same rule; but epsilon then meets the uncorrected root of v, which is about 32 "
            "times too small at step 1, and so weighs that much more. Here epsilon is added to "
            "the root of v_hat.",
        ),
    ),
    hints=(
        "Five lines, one for each formula; the two means come first.",
        "m_hat and v_hat are names of this step only. They are not returned.",
        "The last line is w - lr * m_hat / (np.sqrt(v_hat) + epsilon). Return it with m and v.",
    ),
)


# Mini-batches


def _draw_rows(rng: np.random.Generator) -> Arguments:
    """No two rows are alike; now and then they fill the last batch, mostly they do not.

    One row is never left over, so that a row lost somewhere is not taken for a tail that was. Among
    8 rows and more drawn with replacement some are nearly always equal, and `size` is never the
    number of batches: so the ways to go wrong differ in what they give.
    """
    size = int(rng.integers(8, 11))
    n = size * int(rng.integers(5, 7)) + int(rng.choice([0, *range(2, size)]))
    x = rng.permutation(n * 2).reshape(n, 2) / 10
    return {"x": x, "y": rng.integers(0, 10, size=n), "size": size, "rng": rng.spawn(1)[0]}


def batches(x: Array, y: Array, size: int, rng: np.random.Generator) -> Any:
    """One epoch in shuffled mini-batches."""
    order = rng.permutation(len(x))
    cut = [order[start : start + size] for start in range(0, len(x), size)]
    return [(x[rows], y[rows]) for rows in cut]


def _tail_dropped(x: Array, y: Array, size: int, rng: np.random.Generator) -> Any:
    order = rng.permutation(len(x))
    whole = len(x) // size * size
    cut = [order[start : start + size] for start in range(0, whole, size)]
    return [(x[rows], y[rows]) for rows in cut]


def _apart(x: Array, y: Array, size: int, rng: np.random.Generator) -> Any:
    x, y = rng.permutation(x), rng.permutation(y)
    return [(x[at : at + size], y[at : at + size]) for at in range(0, len(x), size)]


def _unshuffled(x: Array, y: Array, size: int, rng: np.random.Generator) -> Any:
    return [(x[at : at + size], y[at : at + size]) for at in range(0, len(x), size)]


def _with_replacement(x: Array, y: Array, size: int, rng: np.random.Generator) -> Any:
    order = rng.integers(0, len(x), size=len(x))
    cut = [order[start : start + size] for start in range(0, len(x), size)]
    return [(x[rows], y[rows]) for rows in cut]


def _drawn_for_each_batch(x: Array, y: Array, size: int, rng: np.random.Generator) -> Any:
    parts = []
    for start in range(0, len(x), size):
        rows = rng.permutation(len(x))[start : start + size]
        parts.append((x[rows], y[rows]))
    return parts


def _turned(x: Array, y: Array, size: int, rng: np.random.Generator) -> Any:
    by = rng.integers(1, len(x))
    return _unshuffled(np.roll(x, by, axis=0), np.roll(y, by), size, rng)


def _evened(x: Array, y: Array, size: int, rng: np.random.Generator) -> Any:
    pieces = np.array_split(rng.permutation(len(x)), -(-len(x) // size))
    return [(x[rows], y[rows]) for rows in pieces]


def _size_counts_batches(x: Array, y: Array, size: int, rng: np.random.Generator) -> Any:
    return [(x[rows], y[rows]) for rows in np.array_split(rng.permutation(len(x)), size)]


def _blocks(x: Array, y: Array, size: int, rng: np.random.Generator) -> Any:
    parts = _unshuffled(x, y, size, rng)
    return [parts[i] for i in rng.permutation(len(parts))]


def _within_blocks(x: Array, y: Array, size: int, rng: np.random.Generator) -> Any:
    parts = []
    for start in range(0, len(x), size):
        rows = start + rng.permutation(len(x[start : start + size]))
        parts.append((x[rows], y[rows]))
    return parts


def _labels_left(x: Array, y: Array, size: int, rng: np.random.Generator) -> Any:
    return _unshuffled(rng.permutation(x), y, size, rng)


def _rows_left(x: Array, y: Array, size: int, rng: np.random.Generator) -> Any:
    return _unshuffled(x, rng.permutation(y), size, rng)


def _one_overlaps(x: Array, y: Array, size: int, rng: np.random.Generator) -> Any:
    order = rng.permutation(len(x))
    return [(x[order[at : at + size]], y[order[at : at + size]]) for at in range(len(x))]


def _judge_batches(
    result: Any, x: Array, y: Array, size: int, rng: np.random.Generator
) -> Complaint | None:
    """What keeps a list of batches from being one epoch over the rows."""
    pairs = _pairs(result)
    if pairs is None:
        return Complaint(
            "Asked for is a list with a pair (x_part, y_part) for each batch: rows, and as many "
            "labels."
        )
    rows = _row_numbers(pairs, x)
    if rows is None:
        return Complaint("A batch holds a row that is not a row of x.")
    truth = np.concatenate([labels for _, labels in pairs])
    return _judge_cuts(rows, len(x), size) or _judge_order(np.concatenate(rows), truth, y, size)


def _judge_cuts(cuts: list[Array], n: int, size: int) -> Complaint | None:
    """Whether the batches hold every row once, in cuts of `size`."""
    sizes = [len(cut) for cut in cuts]
    said = f"There are {n} rows, and size is {size}. Your batches hold {_listed(sizes)} rows."
    times = np.bincount(np.concatenate(cuts), minlength=n)
    missing, twice = int(np.count_nonzero(times == 0)), int(np.count_nonzero(times > 1))
    if missing == twice == 0:
        full = [size] * (n // size) + [n % size] * (n % size > 0)
        if sizes == full:
            return None
        return Complaint(f"{said} Asked for are {_listed(full)}.", _otherwise_cut(cuts, n, size))
    said += f" {missing} of the rows are in none, and {twice} come more than once."
    if not twice and sizes == [size] * (n // size):
        return Complaint(said, "tail_dropped")
    return Complaint(said, _how_repeated(cuts, n, size) if twice else None)


def _otherwise_cut(cuts: list[Array], n: int, size: int) -> str | None:
    """The mistake by which batches of other sizes than asked for hold every row once."""
    sizes = [len(cut) for cut in cuts]
    if all(cut.size and np.array_equal(cut, _block(cut[0], n, size)) for cut in cuts):
        return "blocks"
    if max(sizes) - min(sizes) > 1:
        return None
    if len(sizes) == size:
        return "size_counts_batches"
    return "evened" if len(sizes) in (n // size, -(-n // size)) else None


def _block(first: int, n: int, size: int) -> Array:
    """The rows of a batch that begins at row `first`, where nothing was shuffled."""
    return np.arange(first, min(first + size, n))


def _how_repeated(cuts: list[Array], n: int, size: int) -> str | None:
    """The mistake by which rows come more than once."""
    if _each_begins_one_later(cuts):
        return "overlapping"
    rows = np.concatenate(cuts)
    if np.all(np.diff(rows) >= 0):
        return None
    different = sum(len(set(cut.tolist())) for cut in cuts)
    some_equal = 0.7 * len(rows) < different < len(rows)
    if some_equal or max(map(len, cuts)) == 1:
        return "with_replacement"
    drawn_apart = different == len(rows) and all(len(cut) == size for cut in cuts[:-1])
    if drawn_apart and len(set(rows.tolist())) < n and _far_shared(cuts[:-1]):
        return "drawn_for_each_batch"
    return None


def _each_begins_one_later(cuts: list[Array]) -> bool:
    """Whether each batch holds the rows of the one before, without its first."""
    followed = (np.array_equal(one[1:], other[: len(one) - 1]) for one, other in pairwise(cuts))
    return any(len(one) > 1 for one in cuts) and all(followed)


def _far_shared(cuts: list[Array]) -> bool:
    """Whether batches that do not follow each other share rows, out of the order of x."""
    in_old_order = all(np.all(np.diff(cut) == 1) for cut in cuts)
    shared = (np.isin(one, np.concatenate(cuts[i + 2 :])).any() for i, one in enumerate(cuts[:-2]))
    return not in_old_order and any(shared)


def _judge_order(rows: Array, truth: Array, y: Array, size: int) -> Complaint | None:
    """Whether each row kept its label, and whether the order is a new one."""
    wrong = int(np.count_nonzero(truth != y[rows]))
    in_order = np.array_equal(rows, np.arange(len(rows)))
    if wrong:
        are = "1 row stands" if wrong == 1 else f"{wrong} of {len(rows)} rows stand"
        left = "labels_left" if np.array_equal(truth, y) else "apart"
        return Complaint(f"{are} beside the label of another.", "rows_left" if in_order else left)
    if in_order:
        # Batches in a new order can be in the old one by chance, so this alone names no mistake.
        return Complaint("The rows come in the order in which they were given.")
    steps = np.diff(rows)
    if np.all(steps % len(rows) == 1):
        # Blocks in a new order can come to this by chance, unless one of them is torn.
        return Complaint(
            f"The rows come in the order in which they were given, only that row {rows[0]} is the "
            "first.",
            "turned" if rows[0] % size else None,
        )
    within = steps[np.arange(1, len(rows)) % size > 0]
    if np.all(within == 1):
        return Complaint(
            "In each of your batches the rows are those that stood next to each other in x, in "
            "the old order.",
            "blocks",
        )
    if np.array_equal(rows // size, np.arange(len(rows)) // size):
        return Complaint(
            "Each of your batches holds just the rows that stood at its place in x.",
            "within_blocks",
        )
    return None


def _listed(numbers: list[int]) -> str:
    """Numbers in words; equal ones in front are counted: "5 times 4, then 2"."""
    same = next((i for i, each in enumerate(numbers) if each != numbers[0]), len(numbers))
    rest = [str(each) for each in numbers[same:]]
    front = f"{same} times {numbers[0]}" if same > 1 else str(numbers[0])
    if len(rest) > 4:
        rest = [*rest[:3], "..."]
    return f"{front}, then {', '.join(rest)}" if rest else front


def _pairs(result: Any) -> list[tuple[Array, Array]] | None:
    """The batches as arrays, or None where the result is no list of pairs."""
    if not isinstance(result, list | tuple) or not result:
        return None
    pairs = []
    for pair in result:
        if not isinstance(pair, list | tuple) or len(pair) != 2:
            return None
        part, truth = np.asarray(pair[0]), np.asarray(pair[1])
        if part.ndim != 2 or truth.ndim != 1 or len(part) != len(truth):
            return None
        pairs.append((part, truth))
    return pairs


def _row_numbers(pairs: list[tuple[Array, Array]], x: Array) -> list[Array] | None:
    """For each batch, which rows of x its rows are, in any float; None where one is none of them.

    No two rows are alike: the numbers in x differ by a tenth and more.
    """
    if any(part.shape[1:] != x.shape[1:] for part, _ in pairs):
        return None
    given = np.concatenate([part for part, _ in pairs])
    far = np.abs(given.astype("float64")[:, None] - x).max(axis=2)
    found = far.argmin(axis=1)
    right = Precision().with_result(given).close(given, x[found])
    ends = np.cumsum([len(part) for part, _ in pairs])
    return np.split(found, ends[:-1]) if right.all() else None


mini_batches = SeededExercise(
    name="mini_batches",
    lesson="gradient_descent",
    title="Cut an epoch into batches",
    statement=r"""
Write `batches(x, y, size, rng)`, one epoch in shuffled mini-batches:

- `x`: rows, an array (n, d); `y`: a label for each row, an array (n,);
- `size`: how many rows a batch holds;
- `rng`: a NumPy generator, the only source of chance to use: whoever passes an equal generator gets
  an equal epoch. `rng.permutation(n)` gives the numbers 0 to n - 1 in a new order.

Return a list of pairs `(x_part, y_part)`. Every row is in one batch and only one, in a new random
order of all rows, together with its own label. All batches hold `size` rows; only the last may be
shorter.
Change neither `x` nor `y`.
""",
    draw=_draw_rows,
    solution=batches,
    decided=_pairs,
    judge=_judge_batches,
    demands="the batches together hold each row once, with its own label, in a new random order; "
    "all hold `size` rows, and only the last may be shorter",
    mistakes=(
        Mistake(
            "tail_dropped",
            _tail_dropped,
            "You dropped the tail. The rows at the end of the order that do not fill a batch "
            "belong into a last, shorter one.",
        ),
        Mistake(
            "apart",
            _apart,
            "You shuffled x and y apart, by two orders, so that the images carry the labels of "
            "others. Draw one order of row numbers, and pick from both by it.",
        ),
        Mistake(
            "labels_left",
            _labels_left,
            "You shuffled x, but y is in its old order. Each label has to go with its row: one "
            "order picks from both.",
        ),
        Mistake(
            "rows_left",
            _rows_left,
            "You shuffled y, but x is in its old order. Each label has to go with its row: one "
            "order picks from both.",
        ),
        Mistake(
            "unshuffled",
            _unshuffled,
            "You cut the rows in the order in which they came. Draw a new order first, with "
            "rng.permutation(len(x)).",
        ),
        Mistake(
            "with_replacement",
            _with_replacement,
            "You drew rows with replacement, so that some are missing and some come twice. "
            "rng.permutation(len(x)) holds every row number once.",
        ),
        Mistake(
            "drawn_for_each_batch",
            _drawn_for_each_batch,
            "You drew each batch from all rows anew, so that some rows are in several batches and "
            "some in none. The order is drawn once, before the loop.",
        ),
        Mistake(
            "turned",
            _turned,
            "You only moved the place where the old order begins, so that the rows keep their "
            "neighbours. Every order of the rows should be possible.",
        ),
        Mistake(
            "evened",
            _evened,
            "You made all batches nearly equal. Each holds `size` rows, and what is left over at "
            "the end is a shorter batch.",
        ),
        Mistake(
            "size_counts_batches",
            _size_counts_batches,
            "You cut the order into `size` batches. `size` is how many rows are in a batch, not "
            "how many batches there are.",
        ),
        Mistake(
            "blocks",
            _blocks,
            "You shuffled the batches, but not the rows in them. Shuffle first, then cut.",
        ),
        Mistake(
            "within_blocks",
            _within_blocks,
            "You shuffled inside each batch only, so that the same rows meet in a batch in every "
            "epoch. Shuffle all rows first, then cut.",
        ),
        Mistake(
            "overlapping",
            _one_overlaps,
            "Your batches overlap: each begins one row after the one before. It has to begin where "
            "the one before ends.",
        ),
    ),
    hints=(
        "Draw an order of row numbers. Cut the order, not the rows.",
        "A piece of the order is order[start : start + size]; a slice past the end is just short.",
        "For start in range(0, len(x), size): rows = order[start : start + size], and the pair is "
        "(x[rows], y[rows]).",
    ),
)
