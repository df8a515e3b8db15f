"""The exercises of notebooks/02_backpropagation: the gradients by hand, and what checks them."""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
import numpy.typing as npt

from amaas_kit.exercises import compare, describe
from amaas_kit.exercises.exercise import Complaint, Exercise, Mistake
from amaas_kit.network import Value

Array = npt.NDArray[Any]

Gradients = tuple[Array, Array, Array]
"""dx, dw, db of a layer."""

Graph = Mapping[str, Sequence[tuple[str, float]]]
"""By the name of a node: its parents, each with the slope of the node by that parent."""


CARET = r"TypeError: (ufunc 'bitwise_xor' not supported|unsupported operand type\(s\) for \^)"
"""The error of a power that is written as in other languages."""

CARET_IS_NO_POWER = (
    "You wrote `^`, which in Python is no power but works on the bits of whole numbers. A power is "
    "written with two stars, `**`."
)


# One neuron.


def _draw_neuron(rng: np.random.Generator) -> dict[str, Any]:
    w, x = rng.uniform(0.5, 1.5, size=2) * rng.choice([-1, 1], size=2)
    b, y = rng.uniform(0.2, 0.9, size=2) * rng.choice([-1, 1], size=2)
    return {name: round(float(v), 2) for name, v in (("w", w), ("x", x), ("b", b), ("y", y))}


def neuron_gradients(w: float, x: float, b: float, y: float) -> tuple[Any, ...]:
    a = np.tanh(w * x + b)
    da = 2 * (a - y)
    dz = da * (1 - a**2)
    dw, dx, db = dz * x, dz * w, dz
    return dw, dx, db


def _neuron_by_the_graph(w: float, x: float, b: float, y: float) -> tuple[float, ...]:
    inputs = Value(w), Value(x), Value(b)
    (((inputs[0] * inputs[1] + inputs[2]).tanh() - y) ** 2).backward()
    return tuple(value.grad for value in inputs)


def _neuron_without_slope(w: float, x: float, b: float, y: float) -> tuple[Any, ...]:
    da = 2 * (np.tanh(w * x + b) - y)
    return da * x, da * w, da


def _neuron_slope_at_z(w: float, x: float, b: float, y: float) -> tuple[Any, ...]:
    z = w * x + b
    dz = 2 * (np.tanh(z) - y) * (1 - z**2)
    return dz * x, dz * w, dz


def _neuron_difference_squared(w: float, x: float, b: float, y: float) -> tuple[Any, ...]:
    a = np.tanh(w * x + b)
    dz = 2 * (a - y) * (1 - a) ** 2
    return dz * x, dz * w, dz


def _neuron_without_two(w: float, x: float, b: float, y: float) -> tuple[Any, ...]:
    dw, dx, db = neuron_gradients(w, x, b, y)
    return dw / 2, dx / 2, db / 2


def _neuron_sign(w: float, x: float, b: float, y: float) -> tuple[Any, ...]:
    dw, dx, db = neuron_gradients(w, x, b, y)
    return -dw, -dx, -db


def _neuron_swapped(w: float, x: float, b: float, y: float) -> tuple[Any, ...]:
    dw, dx, db = neuron_gradients(w, x, b, y)
    return dx, dw, db


def _neuron_bias_as_factor(w: float, x: float, b: float, y: float) -> tuple[Any, ...]:
    dw, dx, db = neuron_gradients(w, x, b, y)
    return dw, dx, db * b


def _neuron_bias_forgotten(w: float, x: float, b: float, y: float) -> tuple[Any, ...]:
    dw, dx, _ = neuron_gradients(w, x, b, y)
    return dw, dx, 1.0


def _neuron_with_caret(w: float, x: float, b: float, y: float) -> tuple[Any, ...]:
    a = np.tanh(w * x + b)
    dz = 2 * (a - y) * (1 - a ^ 2)
    return dz * x, dz * w, dz


def _neuron_slope_without_brackets(w: float, x: float, b: float, y: float) -> tuple[Any, ...]:
    a = np.tanh(w * x + b)
    dz = 2 * (a - y) * 1 - a**2
    return dz * x, dz * w, dz


def _neuron_difference_without_brackets(w: float, x: float, b: float, y: float) -> tuple[Any, ...]:
    a = np.tanh(w * x + b)
    dz = (2 * a - y) * (1 - a**2)
    return dz * x, dz * w, dz


def _neuron_slope_left_out_of(place: int) -> Callable[..., tuple[Any, ...]]:
    def gradients(w: float, x: float, b: float, y: float) -> tuple[Any, ...]:
        found = list(neuron_gradients(w, x, b, y))
        found[place] = _neuron_without_slope(w, x, b, y)[place]
        return tuple(found)

    return gradients


def _neuron_in_order(*places: int) -> Callable[..., tuple[Any, ...]]:
    def gradients(w: float, x: float, b: float, y: float) -> tuple[Any, ...]:
        found = neuron_gradients(w, x, b, y)
        return tuple(found[place] for place in places)

    return gradients


def _neuron_loss_only(w: float, x: float, b: float, y: float) -> tuple[Any, ...]:
    slope = 1 - np.tanh(w * x + b) ** 2
    return slope * x, slope * w, slope


neuron = Exercise(
    name="neuron",
    lesson="backpropagation",
    title="The gradients of one neuron",
    statement=r"""
One neuron with tanh, one row with one input, and the squared error:

$$z = wx + b, \qquad a = \tanh(z), \qquad L = (a - y)^2$$

Write `neuron_gradients(w, x, b, y)`. All four are numbers. Return three numbers, in this order:

$$\frac{\partial L}{\partial w}, \qquad \frac{\partial L}{\partial x}, \qquad
\frac{\partial L}{\partial b}$$

In NumPy, $\tanh(z)$ is `np.tanh(z)`. Its slope by $z$ is $1 - \tanh^2(z)$. Begin at the end, with
the slope of $L$ by $a$.
""",
    draw=_draw_neuron,
    solution=neuron_gradients,
    definition=_neuron_by_the_graph,
    demands="the slopes of L = (tanh(w x + b) - y)^2 by w, by x and by b, in this order: by how "
    "much L grows when only that number grows, per unit",
    mistakes=(
        Mistake(
            "slope_left_out",
            _neuron_without_slope,
            "You went from a to z as if tanh were not there. Its slope, 1 - tanh(z)^2, is a factor "
            "of all three gradients, because all three numbers reach the loss through tanh.",
        ),
        Mistake(
            "slope_at_z",
            _neuron_slope_at_z,
            "You took 1 - z^2 for the slope of tanh. It is one minus the square of *tanh(z)*, "
            "which is 1 - a^2.",
        ),
        Mistake(
            "difference_squared",
            _neuron_difference_squared,
            "You took (1 - a)^2 for the slope of tanh. Only a is squared: 1 - a^2.",
        ),
        Mistake(
            "two_left_out",
            _neuron_without_two,
            "Your gradients are half as large as they should be. The slope of a square, "
            "(a - y)^2, by a has a factor 2.",
        ),
        Mistake(
            "sign",
            _neuron_sign,
            "Your gradients have the wrong sign. When a is above y, a larger a makes the loss "
            "larger, so the slope of the loss by a has the sign of a - y, not of y - a.",
        ),
        Mistake(
            "w_and_x_swapped",
            _neuron_swapped,
            "The gradients by w and by x have changed places. The slope of a product by one "
            "factor is the *other* factor: by w it is x. (The order to return is w, x, b.)",
        ),
        Mistake(
            "bias_as_factor",
            _neuron_bias_as_factor,
            "You multiplied the gradient by b with b. But b is added, not multiplied: when b grows "
            "by a little, z grows by just as much, whatever b is.",
        ),
        Mistake(
            "bias_one",
            _neuron_bias_forgotten,
            "You gave 1 as the gradient by b. That is the slope of *z* by b. From z it is still "
            "the whole way to the loss: multiply by the slope of L by z.",
        ),
        Mistake(
            "loss_left_out",
            _neuron_loss_only,
            "These are the slopes of the output a. The loss is one step further: multiply by the "
            "slope of (a - y)^2 by a.",
        ),
        Mistake("caret", _neuron_with_caret, CARET_IS_NO_POWER, raises=CARET),
        Mistake(
            "slope_without_brackets",
            _neuron_slope_without_brackets,
            "The slope of tanh is a factor, and it lacks its brackets: Python multiplies before it "
            "subtracts, so the product ended at the 1, and the square of a was taken away from all "
            "of it.",
        ),
        Mistake(
            "difference_without_brackets",
            _neuron_difference_without_brackets,
            "The 2 in the slope of the loss reached only a, not y. Python multiplies before it "
            "subtracts: put the difference in brackets.",
        ),
        *(
            Mistake(
                f"slope_left_out_of_{name}",
                _neuron_slope_left_out_of(place),
                f"Two of the three are right; only {name} lacks the slope of tanh. All "
                "three numbers reach the loss through tanh, so all three gradients are made of the "
                "slope by z.",
            )
            for place, name in enumerate(("dw", "dx", "db"))
        ),
        *(
            Mistake(
                "order_" + "_".join(("dw", "dx", "db")[place] for place in places),
                _neuron_in_order(*places),
                "These are the right numbers in another order. Return the slope by w first, then "
                "by x, then by b.",
            )
            for places in ((0, 2, 1), (1, 2, 0), (2, 0, 1), (2, 1, 0))
        ),
    ),
    hints=(
        "Go forwards first and keep a. Then backwards: the slope of L by a, then by z, then by "
        "w, x and b. Each is the one before, times the slope of one operation.",
        "With da the slope of L by a: da = 2 (a - y), and the slope by z is dz = da (1 - a^2).",
        "From z = w x + b: the slope by w is dz times x, the one by x is dz times w, and the one "
        "by b is dz itself.",
    ),
)


# A gradient checker.

TOLERANCE = 1e-7
"""Of the gradient checker: the largest error, relative to the largest slope.

The functions are drawn so that central differences reach it with any step from 1e-4 to 1e-7, and
one-sided ones with none: their values lie near 400, so that a step of 1e-8 is drowned in rounding,
and they bend so much that a step of 1e-7 is already too long for one side.
"""

LEVEL = 400.0


@dataclass(frozen=True)
class Curve:
    """f(w) = 400 + the sum of e^(s w) + (the sum of w)^2, which bends strongly in each direction.

    Args:
        rates: s, one for each entry of w.
    """

    rates: tuple[float, ...]

    def __call__(self, w: npt.ArrayLike) -> float:
        """f(w) for w of as many numbers as there are rates.

        Raises:
            ValueError: w of another shape.
        """
        w = np.asarray(w, "float64")
        if w.shape != (len(self.rates),):
            raise ValueError(f"f takes an array of shape ({len(self.rates)},), not {w.shape}")
        return float(LEVEL + np.exp(np.multiply(self.rates, w)).sum() + w.sum() ** 2)

    def derivative(self, w: Array, order: int) -> Array:
        """The slope (order 1), curvature (2) or third derivative (3) of f by each entry of w."""
        of_square = (2 * w.sum(), 2.0, 0.0)[order - 1]
        derivative: Array = np.power(self.rates, order) * np.exp(self.rates * w) + of_square
        return derivative


Function = Callable[[Array], float]

_CURVES: WeakKeyDictionary[Function, Curve] = WeakKeyDictionary()
"""What the judge knows of each function that was drawn, and its caller does not."""


def values_alone(curve: Curve) -> Function:
    """A function that gives the values of a curve and shows nothing else of it."""

    def f(w: Array) -> float:
        return curve(w)

    _CURVES[f] = curve
    return f


def _draw_curve(rng: np.random.Generator) -> dict[str, Any]:
    """Rates of both signs, so that no two derivatives are proportional."""
    k = rng.integers(3, 6)
    signs = rng.permutation([1, -1, *rng.choice([-1, 1], size=k - 2)])
    rates = signs * rng.uniform(3, 4, size=k)
    w = rng.uniform(0.5, 1.5, size=k) / rates
    curve = Curve(tuple(rates.round(1).tolist()))
    return {"f": values_alone(curve), "w": w.round(2)}


def gradient_by_nudging(f: Callable[[Array], float], w: Array) -> Array:
    h = 1e-5
    slopes = np.zeros_like(w)
    for i in range(len(w)):
        above, below = w.copy(), w.copy()
        above[i] += h
        below[i] -= h
        slopes[i] = (f(above) - f(below)) / (2 * h)
    return slopes


def _differences(f: Function, w: Array, up: float, down: float) -> Array:
    """(f(w + up) - f(w - down)) / (up + down), entry by entry."""
    steps = np.eye(len(w))
    rises = [f(w + up * step) - f(w - down * step) for step in steps]
    return np.array(rises) / (up + down)


def _one_sided(f: Function, w: Array) -> Array:
    return _differences(f, w, 1e-6, 0.0)


def _one_sided_downwards(f: Function, w: Array) -> Array:
    return _differences(f, w, 0.0, 1e-6)


def _too_small(f: Function, w: Array) -> Array:
    return _differences(f, w, 1e-12, 1e-12)


def _too_large(f: Function, w: Array) -> Array:
    return _differences(f, w, 1e-2, 1e-2)


def _divided_by_one_step(f: Function, w: Array) -> Array:
    return 2 * gradient_by_nudging(f, w)


def _half(f: Function, w: Array) -> Array:
    return _differences(f, w, 1e-5, 0.0) / 2


def _entries_stay_moved(f: Function, w: Array) -> Array:
    h, moved, slopes = 1e-5, w.copy(), np.zeros_like(w)
    for i in range(len(w)):
        moved[i] += h
        above = f(moved)
        moved[i] -= 2 * h
        slopes[i] = (above - f(moved)) / (2 * h)
    return slopes


def _same_array_twice(f: Function, w: Array) -> Array:
    h, slopes = 1e-5, np.zeros_like(w)
    for i in range(len(w)):
        above = below = w.copy()
        above[i] += h
        below[i] -= h
        slopes[i] = (f(above) - f(below)) / (2 * h)
    return slopes


def _copied_before_the_loop(f: Function, w: Array) -> Array:
    h, above, below, slopes = 1e-5, w.copy(), w.copy(), np.zeros_like(w)
    for i in range(len(w)):
        above[i] += h
        below[i] -= h
        slopes[i] = (f(above) - f(below)) / (2 * h)
    return slopes


def _falls(f: Function, w: Array) -> Array:
    return -gradient_by_nudging(f, w)


def _entry_alone(f: Function, w: Array) -> Array:
    h = 1e-5
    return np.array([(f(w[i] + h) - f(w[i] - h)) / (2 * h) for i in range(len(w))])


def _all_at_once(f: Function, w: Array) -> float:
    h = 1e-5
    return (f(w + h) - f(w - h)) / (2 * h)


def _too_few_digits(f: Function, w: Array) -> Array:
    return gradient_by_nudging(f, w.astype("float32"))


def _first_pass_only(f: Function, w: Array) -> Array:
    slopes = np.zeros_like(w)
    slopes[0] = gradient_by_nudging(f, w)[0]
    return slopes


def _multiplied_by_step(f: Function, w: Array) -> Array:
    h = 1e-5
    rises = 2 * h * _differences(f, w, h, h)
    return rises / 2 * h


def _one_value_divided(f: Function, w: Array) -> Array:
    h, steps = 1e-5, np.eye(len(w))
    return np.array([f(w + h * step) - f(w - h * step) / (2 * h) for step in steps])


CHECKER_MISTAKES = (
    Mistake(
        "one_sided",
        _one_sided,
        "Your error grows with the curvature of f, as it does for a one-sided difference, "
        "which compares a point with w itself. The curve bends within the step. Go equally far to "
        "both sides of w: then the bend on the right cancels the bend on the left.",
    ),
    Mistake(
        "one_sided_downwards",
        _one_sided_downwards,
        "Your error grows with the curvature of f and points the other way, as it does for a "
        "one-sided difference that looks back from w. Go equally far to both sides of w: then what "
        "the bend adds on one side it takes away on the other.",
    ),
    Mistake(
        "step_too_small",
        _too_small,
        "Your step is too small. f is near 400 and float64 keeps about 16 digits of it, so the "
        "two values agree in nearly all of them and their difference is rounding. Look at the "
        "U-shaped curve: further to the right is not better.",
    ),
    Mistake(
        "step_too_large",
        _too_large,
        "Your step is too large: your error is that of a central difference over a long step, on "
        "which the curve changes its bend. Make the step smaller; the U-shaped curve says how far "
        "to go.",
    ),
    Mistake(
        "divided_by_one_step",
        _divided_by_one_step,
        "Your slopes are twice as large as they should be. A slope is a rise over the way "
        "that belongs to it, and from the lower point to the upper one that is two steps.",
    ),
    Mistake(
        "half",
        _half,
        "Your slopes are half as large as they should be. You divided by twice the distance "
        "that you moved: two steps are right only when you went one to each side.",
    ),
    Mistake(
        "entries_stay_moved",
        _entries_stay_moved,
        "Your first slope is the best, and the error grows from entry to entry: an entry that was "
        "moved is not put back before the next one is tried. Start from a fresh copy of w for each "
        "entry.",
    ),
    Mistake(
        "same_numbers_twice",
        _same_array_twice,
        "All your slopes are 0, so f gave the same value twice. Perhaps both calls saw the same "
        "array: `up = down` makes no second copy, and what is done to one is done to the other. Or "
        "the step is below 1e-16, and is rounded away in w.",
    ),
    Mistake(
        "moves_pile_up",
        _copied_before_the_loop,
        "Each of your slopes holds those before it as well, as when an entry that was moved stays "
        "moved while the next ones are tried. If you make the moved copies, or an array of steps, "
        "before the loop, make them afresh for each entry. If you add with `+=`, keep each slope "
        "by itself.",
    ),
    Mistake(
        "sign",
        _falls,
        "Your slopes have the wrong sign. Take the value at w - h away from the value at w + h: "
        "where f rises the slope is positive.",
    ),
    Mistake(
        "entry_alone",
        _entry_alone,
        "You gave f a single number such as w[i]. It takes the whole array: copy w, move entry i "
        "of the copy, and call f with the copy.",
        raises=r"f takes an array of shape \(\d+,\), not \(\)",
    ),
    Mistake(
        "one_number",
        _all_at_once,
        "You got one number, the sum of all slopes: either all entries moved at once, or the "
        "slopes were added up at the end. Move one entry at a time, and give each slope its own "
        "place in the result.",
    ),
    Mistake(
        "too_few_digits",
        _too_few_digits,
        "Your slopes are right as far as their digits go, but float32 or float16 takes part, which "
        "keep seven digits or three. Keep all numbers in float64, like w.",
    ),
    Mistake(
        "first_pass_only",
        _first_pass_only,
        "Only the first entry got its slope; for the others there is none. If you wrote a loop, "
        "look at how far `return` is indented: inside the loop it ends the function in the first "
        "pass.",
    ),
    Mistake(
        "multiplied_by_step",
        _multiplied_by_step,
        "All your slopes are too small by the same tiny factor, as if the difference were "
        "multiplied by the step. Python goes from left to right, so that what stands behind `*` "
        "multiplies, even after a division: brackets hold the whole divisor together.",
    ),
    Mistake(
        "one_value_divided",
        _one_value_divided,
        "Your slopes are huge and nearly the same: only one of the two values of f was divided by "
        "the step. Python divides before it subtracts, so the difference needs brackets.",
    ),
)


def _judge_gradient(result: Any, f: Function, w: Array) -> Complaint | None:
    """Compare with the slopes by calculus; an error is named by what it is proportional to."""
    curve, found = _CURVES[f], compare.plain(result)
    wanted = f"The result is {describe.kind(result)}; return an array like w."
    if not isinstance(found, np.ndarray | np.generic | float):
        return Complaint(wanted)
    complaint = _coarse(found, curve, w) or _wrong_slopes(np.asarray(found, "float64"), curve, w)
    if isinstance(result, np.ndarray | np.generic | float):
        return complaint
    return Complaint(wanted, complaint.mistake if complaint else None)


def _coarse(found: Any, curve: Curve, w: Array) -> Complaint | None:
    """What to say of slopes that are right but for the digits of their dtype."""
    exact, dtype = curve.derivative(w, 1), compare.lowest_precision(found)
    if dtype == "float64" or found.shape != exact.shape:
        return None
    if np.abs(found - exact).max() > 0.02 * np.abs(exact).max():
        return None
    return Complaint(f"The result is {dtype}, which has too few digits.", "too_few_digits")


def _wrong_slopes(slopes: Array, curve: Curve, w: Array) -> Complaint | None:
    exact = curve.derivative(w, 1)
    if not slopes.any():
        return Complaint("All slopes are 0, which they are not.", "same_numbers_twice")
    if slopes.shape != w.shape:
        text = f"w has the shape {w.shape}, and so has its gradient; yours has {slopes.shape}."
        return Complaint(text, _cause_of_one_number(slopes, exact))
    error = slopes - exact
    largest = float(np.abs(error).max() / np.abs(exact).max())
    if largest <= TOLERANCE:
        return None
    text = f"The largest error is {largest:.1e} of the largest slope; {TOLERANCE:.0e} is allowed."
    return Complaint(text, _cause_in_form(slopes, curve, w) or _cause(slopes, curve, w))


def _cause_of_one_number(slopes: Array, exact: Array) -> str | None:
    """The mistake that leaves one number instead of an array, or None."""
    if slopes.size != 1:
        return None
    rounding = 1e-4 * np.abs(exact).max()
    if np.abs(slopes - exact[0]).max() <= rounding:
        return "first_pass_only"
    at_once = slopes.ndim == 0 and math.isclose(slopes, exact.sum(), rel_tol=1e-2)
    return "one_number" if at_once else None


def _cause_in_form(slopes: Array, curve: Curve, w: Array) -> str | None:
    """The mistake that makes such numbers of right differences, or of values; None if none does."""
    exact = curve.derivative(w, 1)
    first = np.where(np.arange(len(w)) == 0, exact, 0.0)
    for pattern, name in (
        (2 * exact, "divided_by_one_step"),
        (exact / 2, "half"),
        (-exact, "sign"),
        (exact.cumsum(), "moves_pile_up"),
        (first, "first_pass_only"),
    ):
        if _are_near(slopes, pattern, exact):
            return name
    if slopes.max() < -10 * curve(w) and np.ptp(slopes) < 0.05 * np.abs(slopes).max():
        return "one_value_divided"
    last_digit = float(np.spacing(curve(w)))
    return "multiplied_by_step" if _are_multiplied(slopes, exact, last_digit) else None


def _are_near(slopes: Array, pattern: Array, exact: Array) -> bool:
    return np.allclose(slopes, pattern, rtol=1e-2, atol=1e-3 * np.abs(exact).max())


def _are_multiplied(slopes: Array, exact: Array, last_digit: float) -> bool:
    """Whether the slopes are too small by one factor, but are no bare differences of values of f.

    Such differences, and halves of them, are whole numbers of half the last digit of f.
    """
    factor = float(slopes @ exact / (exact @ exact))
    if not 0 < factor < 1e-3 or not _are_near(slopes / factor, exact, exact):
        return False
    counts = 2 * slopes / last_digit
    return bool((np.abs(counts - counts.round()) > 1e-6).any())


def _cause(slopes: Array, curve: Curve, w: Array) -> str | None:
    """The mistake that leaves such an error, whatever step was chosen; None if none does."""
    error, last_digit = slopes - curve.derivative(w, 1), float(np.spacing(curve(w)))
    if _is_counted_in(last_digit, slopes):
        return "step_too_small"
    half_step = _proportion(error, curve.derivative(w, 2), last_digit)
    if half_step is not None:
        return "one_sided" if half_step > 0 else "one_sided_downwards"
    if (_proportion(error, curve.derivative(w, 3)) or 0) > 0:
        return "step_too_large"
    return "entries_stay_moved" if _proportion(error, np.arange(len(w))) is not None else None


def _proportion(error: Array, pattern: Array, last_digit: float = 0.0) -> float | None:
    """The number that makes the pattern the error, entry by entry; None if none does.

    Where the number is half a step, the last digit of f over that step may be missing as well, as
    long as that is not most of the error.
    """
    number = float(error @ pattern / (pattern @ pattern))
    largest = np.abs(error).max()
    rounding = min(last_digit / abs(2 * number or math.inf), 0.4 * largest)
    allowed = 0.05 * np.abs(number * pattern) + 0.005 * largest + rounding
    return number if (np.abs(error - number * pattern) <= allowed).all() else None


def _is_counted_in(last_digit: float, slopes: Array) -> bool:
    """Whether the slopes are whole numbers of the last digit of f, over a tiny step or two."""
    steps = np.array([*(10.0 ** -np.arange(8, 18)), np.finfo("float64").eps])
    counts = np.outer([*steps, *(2 * steps)], slopes) / last_digit
    whole = (np.abs(counts - counts.round()) < 1e-6).all(axis=1) & counts.round().any(axis=1)
    return bool(whole.any())


gradient_checker = Exercise(
    name="gradient_checker",
    lesson="backpropagation",
    title="A gradient checker",
    statement=r"""
Write `gradient_by_nudging(f, w)`. `f` is a function that takes an array like `w` and returns one
number; `w` is a float64 array of shape (k,). Return an array of shape (k,): for each entry of
`w`, the slope of `f` when only this entry moves.

You know nothing about `f` but its values: call it. Choose the step, and how to use it, so that
the error is at most $10^{-7}$ of the largest slope. The functions that are drawn bend strongly,
and their values are near 400. `w` itself must not change, not even by rounding: adding a step and
taking it away again does not always give the same number.
""",
    draw=_draw_curve,
    solution=gradient_by_nudging,
    judge=_judge_gradient,
    demands="entry i is the derivative of f by w[i], with an error of at most 1e-7 of the largest "
    "of them; w is left as it was, to the last digit, which adding a step and taking it away again "
    "does not promise",
    mistakes=CHECKER_MISTAKES,
    hints=(
        "One entry after the other: copy w, move entry i of the copy by a small step, and see what "
        "f does.",
        "Move it up in one copy and down in another, and divide the difference of the two values "
        "by the way from one to the other, which is 2 h.",
        "In float64 the best step is near the cube root of 2e-16, which is 6e-6. h = 1e-5 will do.",
    ),
    draws=20,
)


# Back through a layer.


def _draw_layer(rng: np.random.Generator) -> dict[str, Any]:
    """Mostly square, where a product in the wrong order has a result, and a wrong one."""
    square = rng.random() < 0.75
    n, d, h = [rng.integers(2, 4)] * 3 if square else rng.permutation([2, 3, 4])
    x, w, b = rng.normal(size=(n, d)), rng.normal(size=(d, h)), rng.normal(size=h)
    upstream = rng.normal(size=(n, h)) / n
    a = np.tanh(x @ w + b)
    return {"x": x.round(2), "w": w.round(2), "a": a.round(2), "upstream": upstream.round(3)}


def layer_backward(x: Array, w: Array, a: Array, upstream: Array) -> Gradients:
    delta = upstream * (1 - a**2)
    dx = delta @ w.T
    dw = x.T @ delta
    db = delta.sum(axis=0)
    return dx, dw, db


def _layer_number_by_number(x: Array, w: Array, a: Array, upstream: Array) -> Gradients:
    """Each product of the chain rule by itself, added where it belongs."""
    dx, dw, db = np.zeros_like(x), np.zeros_like(w), np.zeros(w.shape[1])
    for i, j in np.ndindex(a.shape):
        slope_of_tanh = 1 - a[i, j] ** 2
        by_z = upstream[i, j] * slope_of_tanh
        db[j] += by_z
        for k in range(len(w)):
            dw[k, j] += by_z * x[i, k]
            dx[i, k] += by_z * w[k, j]
    return dx, dw, db


def _x_not_transposed(x: Array, w: Array, a: Array, upstream: Array) -> Gradients:
    delta = upstream * (1 - a**2)
    return delta @ w.T, x @ delta, delta.sum(axis=0)


def _w_not_transposed(x: Array, w: Array, a: Array, upstream: Array) -> Gradients:
    delta = upstream * (1 - a**2)
    return delta @ w, x.T @ delta, delta.sum(axis=0)


def _neither_transposed(x: Array, w: Array, a: Array, upstream: Array) -> Gradients:
    delta = upstream * (1 - a**2)
    return delta @ w, x @ delta, delta.sum(axis=0)


def _slope_left_out(x: Array, w: Array, a: Array, upstream: Array) -> Gradients:
    return upstream @ w.T, x.T @ upstream, upstream.sum(axis=0)


def _slope_left_out_of_dx(x: Array, w: Array, a: Array, upstream: Array) -> Gradients:
    _, dw, db = layer_backward(x, w, a, upstream)
    return upstream @ w.T, dw, db


def _tanh_again(x: Array, w: Array, a: Array, upstream: Array) -> Gradients:
    return layer_backward(x, w, np.tanh(a), upstream)


def _difference_squared(x: Array, w: Array, a: Array, upstream: Array) -> Gradients:
    delta = upstream * (1 - a) ** 2
    return delta @ w.T, x.T @ delta, delta.sum(axis=0)


def _mean_twice(x: Array, w: Array, a: Array, upstream: Array) -> Gradients:
    dx, dw, db = layer_backward(x, w, a, upstream)
    return dx, dw / len(x), db / len(x)


def _mean_twice_in_all(x: Array, w: Array, a: Array, upstream: Array) -> Gradients:
    return layer_backward(x, w, a, upstream / len(x))


def _mean_missing(x: Array, w: Array, a: Array, upstream: Array) -> Gradients:
    dx, dw, db = layer_backward(x, w, a, upstream)
    return dx, dw * len(x), db * len(x)


def _mean_missing_in_all(x: Array, w: Array, a: Array, upstream: Array) -> Gradients:
    return layer_backward(x, w, a, upstream * len(x))


def _dw_averaged(x: Array, w: Array, a: Array, upstream: Array) -> Gradients:
    dx, dw, db = layer_backward(x, w, a, upstream)
    return dx, dw / len(x), db


def _db_averaged(x: Array, w: Array, a: Array, upstream: Array) -> Gradients:
    dx, dw, db = layer_backward(x, w, a, upstream)
    return dx, dw, db / len(x)


def _db_not_summed(x: Array, w: Array, a: Array, upstream: Array) -> Gradients:
    dx, dw, _ = layer_backward(x, w, a, upstream)
    return dx, dw, upstream * (1 - a**2)


def _db_over_units(x: Array, w: Array, a: Array, upstream: Array) -> Gradients:
    dx, dw, _ = layer_backward(x, w, a, upstream)
    return dx, dw, (upstream * (1 - a**2)).sum(axis=1)


def _db_one_number(x: Array, w: Array, a: Array, upstream: Array) -> Gradients:
    dx, dw, db = layer_backward(x, w, a, upstream)
    return dx, dw, db.sum()


def _dense_with_caret(x: Array, w: Array, a: Array, upstream: Array) -> Gradients:
    delta = upstream * (1 - a ^ 2)
    return delta @ w.T, x.T @ delta, delta.sum(axis=0)


def _slope_without_brackets(x: Array, w: Array, a: Array, upstream: Array) -> Gradients:
    delta = upstream * 1 - a**2
    return delta @ w.T, x.T @ delta, delta.sum(axis=0)


def _upstream_left_out(x: Array, w: Array, a: Array, upstream: Array) -> Gradients:
    return layer_backward(x, w, a, np.ones_like(upstream))


def _slope_left_out_of_dw(x: Array, w: Array, a: Array, upstream: Array) -> Gradients:
    dx, _, db = layer_backward(x, w, a, upstream)
    return dx, x.T @ upstream, db


def _slope_left_out_of_db(x: Array, w: Array, a: Array, upstream: Array) -> Gradients:
    dx, dw, _ = layer_backward(x, w, a, upstream)
    return dx, dw, upstream.sum(axis=0)


def _delta_before_x(x: Array, w: Array, a: Array, upstream: Array) -> Gradients:
    delta = upstream * (1 - a**2)
    return delta @ w.T, delta @ x, delta.sum(axis=0)


def _w_before_delta(x: Array, w: Array, a: Array, upstream: Array) -> Gradients:
    delta = upstream * (1 - a**2)
    return w @ delta, x.T @ delta, delta.sum(axis=0)


def _falling(x: Array, w: Array, a: Array, upstream: Array) -> Gradients:
    return layer_backward(x, w, a, -upstream)


def _another_order(places: tuple[int, ...]) -> Callable[..., tuple[Array, ...]]:
    def reordered(x: Array, w: Array, a: Array, upstream: Array) -> tuple[Array, ...]:
        gradients = layer_backward(x, w, a, upstream)
        return tuple(gradients[place] for place in places)

    return reordered


dense_backward = Exercise(
    name="dense_backward",
    lesson="backpropagation",
    title="Back through a layer",
    statement=r"""
A layer with tanh, for a batch of $n$ rows: $z = xW + b$, $a = \tanh(z)$. From what comes after
it, it gets the upstream gradient $\partial L/\partial a$.

Write `layer_backward(x, w, a, upstream)`, where

- `x` of shape (n, d) went in, `w` of shape (d, h) are the weights, `a` of shape (n, h) came out;
- `upstream` of shape (n, h) is $\partial L/\partial a$.

Return three arrays, in this order: `dx` of shape (n, d), `dw` of shape (d, h), `db` of shape
(h,).

The loss $L$ of the batch is a *mean* over the rows. Its $1/n$ is already in `upstream`, because
that is the gradient of this very $L$. The slope of tanh at $z$ is $1 - a^2$.
""",
    draw=_draw_layer,
    solution=layer_backward,
    definition=_layer_number_by_number,
    demands="with delta[i, j] = upstream[i, j] * (1 - a[i, j]**2): dx[i, k] is the sum over the "
    "units j of delta[i, j] * w[k, j]; dw[k, j] the sum over the rows i of x[i, k] * delta[i, j]; "
    "db[j] the sum over the rows i of delta[i, j]",
    mistakes=(
        Mistake(
            "x_not_transposed",
            _x_not_transposed,
            "In dw you multiplied x itself with delta. dw[k, j] adds x[i, k] delta[i, j] over the "
            "*rows* i, and a matrix product adds over the columns of its first factor: transpose "
            "x, so that its rows become columns. With as many rows as inputs the shapes cannot "
            "warn you.",
        ),
        Mistake(
            "w_not_transposed",
            _w_not_transposed,
            "In dx you multiplied delta with w itself. The way back from unit j to input k goes by "
            "w[k, j], added over the *units* j, so w must be transposed: (n, h) times (h, d). In a "
            "square layer the shapes cannot warn you.",
        ),
        Mistake(
            "neither_transposed",
            _neither_transposed,
            "Both products are in the wrong order: in dw the x is not transposed, and in dx the w "
            "is not. Write the shapes down: dw (d, h) comes from x (n, d) and delta (n, h), and dx "
            "(n, d) from delta (n, h) and w (d, h).",
        ),
        Mistake(
            "slope_left_out",
            _slope_left_out,
            "You left out the slope of the activation. The upstream gradient is by a; what dw, db "
            "and dx need is the gradient by z, which is upstream times 1 - a^2, number by number. "
            "That is what the article's formula hides.",
        ),
        Mistake(
            "slope_left_out_of_dx",
            _slope_left_out_of_dx,
            "dw and db are right, but dx was made of the upstream gradient itself. x reaches the "
            "loss through z as the weights do: use the same delta for all three.",
        ),
        Mistake(
            "tanh_again",
            _tanh_again,
            "You applied tanh to a once more. a is tanh(z) already, so the slope of tanh at z is "
            "1 - a^2.",
        ),
        Mistake(
            "difference_squared",
            _difference_squared,
            "You took (1 - a)^2 for the slope of tanh. Only a is squared: 1 - a^2.",
        ),
        Mistake(
            "mean_twice",
            _mean_twice,
            "Your dw and db are n times too small: the mean over the batch is taken twice. The 1/n "
            "is in the upstream gradient already, so here the rows are only added.",
        ),
        Mistake(
            "mean_twice_in_all",
            _mean_twice_in_all,
            "All three gradients are n times too small: you divided by the number of rows, and the "
            "upstream gradient had been divided by it before. The mean belongs to the loss, and is "
            "taken there once.",
        ),
        Mistake(
            "mean_missing",
            _mean_missing,
            "Your dw and db are n times too large: the mean over the batch is missing. It came "
            "with the upstream gradient as the factor 1/n; keep it, and multiply nothing by n.",
        ),
        Mistake(
            "mean_missing_in_all",
            _mean_missing_in_all,
            "All three gradients are n times too large: the factor 1/n that came with the upstream "
            "gradient is gone. These are gradients of the *sum* of the rows' losses; L is their "
            "mean.",
        ),
        Mistake(
            "dw_averaged",
            _dw_averaged,
            "dw is n times too small: you divided it by the number of rows. The mean is in the "
            "upstream gradient already; the matrix product only adds the rows.",
        ),
        Mistake(
            "db_averaged",
            _db_averaged,
            "db is n times too small: you took the mean of delta over the rows. The mean is in the "
            "upstream gradient already; add the rows, as dw does.",
        ),
        Mistake(
            "db_not_summed",
            _db_not_summed,
            "Your db has one row for each row of the batch. There is only one b, which is added to "
            "every row, so it reaches the loss through all of them: add delta over the rows.",
        ),
        Mistake(
            "db_over_units",
            _db_over_units,
            "You added delta over the units, which leaves one number for each row. There is one "
            "bias for each *unit*: add over the rows.",
        ),
        Mistake(
            "db_one_number",
            _db_one_number,
            "You added up all of delta. Each unit has a bias of its own, so db has one number for "
            "each unit: add over the rows only.",
        ),
        Mistake("caret", _dense_with_caret, CARET_IS_NO_POWER, raises=CARET),
        Mistake(
            "slope_without_brackets",
            _slope_without_brackets,
            "The slope of tanh is a factor, and it lacks its brackets: Python multiplies before it "
            "subtracts, so the product ended at the 1, and the square of a was taken away from all "
            "of it.",
        ),
        Mistake(
            "upstream_left_out",
            _upstream_left_out,
            "You left out the upstream gradient: these are made of the slope of tanh alone. What "
            "comes after the layer decides how much each of its outputs counts for the loss.",
        ),
        Mistake(
            "slope_left_out_of_dw",
            _slope_left_out_of_dw,
            "dx and db are right, but dw was made of the upstream gradient itself. w reaches the "
            "loss through z as b does: use the same delta for all three.",
        ),
        Mistake(
            "slope_left_out_of_db",
            _slope_left_out_of_db,
            "dx and dw are right, but db was made of the upstream gradient itself. b is added to "
            "z, and from z to a the slope of tanh is still a factor: use the same delta for all "
            "three.",
        ),
        Mistake(
            "delta_before_x",
            _delta_before_x,
            "In dw the factors stand in the wrong order: a matrix product adds over the columns of "
            "its first factor and the rows of its second. dw adds over the rows of *both*, and its "
            "own rows belong to the inputs. In a square layer the shapes cannot warn you.",
        ),
        Mistake(
            "w_before_delta",
            _w_before_delta,
            "In dx the factors stand in the wrong order: a matrix product adds over the columns of "
            "its first factor and the rows of its second. dx has one row for each row of the "
            "batch, and adds over the units. In a square layer the shapes cannot warn you.",
        ),
        Mistake(
            "sign",
            _falling,
            "All three gradients have the wrong sign. The layer gets the slope of the loss and "
            "hands on the slope of the loss; to go against it is for whoever makes the step.",
        ),
        *(
            Mistake(
                "order_" + "_".join(("dx", "dw", "db")[place] for place in places),
                _another_order(places),
                "These are the right arrays in another order. Return dx first, then dw, then db.",
            )
            for places in list(itertools.permutations(range(3)))[1:]
        ),
    ),
    hints=(
        "First past the activation: delta = upstream * (1 - a**2), number by number. All three "
        "results are made of delta.",
        "Let the shapes find the product. From x (n, d) and delta (n, h) must come dw (d, h); from "
        "delta (n, h) and w (d, h) must come dx (n, d). `.T` transposes. db (h,) is a sum.",
        "dw = x.T @ delta and dx = delta @ w.T. For db: which axis of delta counts the rows?",
    ),
)


# Back through ReLU.


def _draw_relu(rng: np.random.Generator) -> dict[str, Any]:
    """All four pairs of signs of z and upstream occur; z at exactly 0 does not."""
    shape = rng.integers(2, 4, size=2)
    spare = np.prod(shape) - 4
    signs = np.array([*([(1, 1), (1, -1), (-1, 1), (-1, -1)]), *rng.choice([-1, 1], (spare, 2))])
    sizes = rng.uniform(0.2, 2, size=(np.prod(shape), 2)).round(1)
    z, upstream = rng.permutation(signs * sizes).T.reshape(2, *shape)
    return {"z": z, "a": np.maximum(z, 0), "upstream": upstream}


def relu_gradient(z: Array, a: Array, upstream: Array) -> Array:
    mask = z > 0
    return upstream * mask


def _relu_number_by_number(z: Array, a: Array, upstream: Array) -> Array:
    dz = np.zeros_like(upstream)
    for place in np.ndindex(z.shape):
        if z[place] > 0:
            dz[place] = upstream[place]
    return dz


def _always_true(z: Array, a: Array, upstream: Array) -> Array:
    return upstream * (a >= 0)


def _sign_of_gradient(z: Array, a: Array, upstream: Array) -> Array:
    return upstream * (upstream > 0)


def _signs_of_both(z: Array, a: Array, upstream: Array) -> Array:
    return upstream * (upstream > 0) * (z > 0)


def _sign_alone(z: Array, a: Array, upstream: Array) -> Array:
    return np.sign(upstream) * (z > 0)


def _mask_alone(z: Array, a: Array, upstream: Array) -> Array:
    return (z > 0).astype(upstream.dtype)


def _picked_out(z: Array, a: Array, upstream: Array) -> Array:
    return upstream[z > 0]


def _times_output(z: Array, a: Array, upstream: Array) -> Array:
    return upstream * a


def _minus_one(z: Array, a: Array, upstream: Array) -> Array:
    return upstream * np.sign(z)


def _inverted(z: Array, a: Array, upstream: Array) -> Array:
    return upstream * (z < 0)


def _asked_once(z: Array, a: Array, upstream: Array) -> Array:
    return upstream if z > 0 else np.zeros_like(z)


def _times_input(z: Array, a: Array, upstream: Array) -> Array:
    return upstream * z


def _positive_products(z: Array, a: Array, upstream: Array) -> Array:
    return np.maximum(upstream * z, 0)


relu_backward = Exercise(
    name="relu_backward",
    lesson="backpropagation",
    title="Back through ReLU",
    statement=r"""
Write `relu_gradient(z, a, upstream)`. All three are arrays of one shape (n, h): `z` went into a
ReLU, `a = np.maximum(z, 0)` came out, and `upstream` is $\partial L/\partial a$. Return $\partial
L/\partial z$, of the same shape. You may use `z` or `a` or both.

At $z = 0$ a ReLU has a corner and no slope. The kit takes 0 there, as TensorFlow does; 1 is as
good a choice. No `z` that is drawn is exactly 0, so either passes.
""",
    draw=_draw_relu,
    solution=relu_gradient,
    definition=_relu_number_by_number,
    demands="entry [i, j] is upstream[i, j] times the slope of max(z, 0) at z[i, j]",
    mistakes=(
        Mistake(
            "always_true",
            _always_true,
            "Everything came through. If you asked `a >= 0`: that is always true, because a ReLU "
            "gives 0 for everything negative and nothing below it. Where z was negative, a is 0 "
            "and the gradient must stop.",
        ),
        Mistake(
            "sign_of_gradient",
            _sign_of_gradient,
            "You asked for the sign of the *gradient*. Whether it comes through is decided by z, "
            "the number that went in: a negative gradient passes where z is positive, and a "
            "positive one stops where z is negative.",
        ),
        Mistake(
            "signs_of_both",
            _signs_of_both,
            "Negative gradients got lost. You asked for a positive z, which is right, and for a "
            "positive gradient as well, which is not: where z is positive, the gradient passes "
            "with its sign.",
        ),
        Mistake(
            "sign_alone",
            _sign_alone,
            "Only the signs of the gradient came through, as 1 and -1. The slope is 1 where z is "
            "positive, so the gradient passes there unchanged, with its size.",
        ),
        Mistake(
            "mask_alone",
            _mask_alone,
            "You returned the slope of ReLU, the mask. The gradient by z is the upstream gradient "
            "times that slope.",
        ),
        Mistake(
            "picked_out",
            _picked_out,
            "You picked out the gradients that pass, and lost their places. The result has the "
            "shape of z, with 0 where nothing passes: multiply by the mask instead of indexing "
            "with it.",
        ),
        Mistake(
            "times_output",
            _times_output,
            "You multiplied by the output a. The chain rule asks for the *slope* of ReLU, which is "
            "1 for every positive z, large or small.",
        ),
        Mistake(
            "minus_one_below",
            _minus_one,
            "Where z is negative you changed the sign of the gradient. ReLU is level there: its "
            "slope is 0, not -1, and nothing comes through.",
        ),
        Mistake(
            "inverted",
            _inverted,
            "Your mask is the wrong way round: it lets through where z is negative and stops where "
            "z is positive.",
        ),
        Mistake(
            "asked_once",
            _asked_once,
            "Python's `if`, `and` and `max` ask for one truth value, but a comparison with an "
            "array has one for each number. Each number of z decides only for its own place.",
            raises="ValueError: The truth value of an array with more than one element",
        ),
        Mistake(
            "times_input",
            _times_input,
            "You multiplied by z itself. The chain rule asks for the *slope* of ReLU at z, which "
            "is 1 for every positive z and 0 for every negative one.",
        ),
        Mistake(
            "positive_products",
            _positive_products,
            "You applied ReLU to the product of z and the gradient. ReLU is not done once more on "
            "the way back: its slope at z, 1 or 0, is the factor of the gradient.",
        ),
    ),
    hints=(
        "The slope of max(z, 0) is 1 where z is positive and 0 where it is negative.",
        "`z > 0` is an array of True and False, which NumPy multiplies as 1 and 0.",
        "Multiply the upstream gradient by the mask `z > 0`.",
    ),
)


# Back through softmax and cross-entropy.


def _draw_classes(rng: np.random.Generator) -> dict[str, Any]:
    """At least two classes occur among the rows."""
    n, k = rng.integers(2, 5), rng.integers(3, 5)
    y = np.concatenate([rng.permutation(k)[:2], rng.integers(k, size=n - 2)])
    return {"z": rng.normal(0, 1.5, size=(n, k)).round(2), "y": y}


def loss_gradient(z: Array, y: Array) -> Array:
    powers = np.exp(z - z.max(axis=1, keepdims=True))
    p = powers / powers.sum(axis=1, keepdims=True)
    truth = np.eye(z.shape[1])[y]
    return (p - truth) / len(z)


def _loss_by_differences(z: Array, y: Array) -> Array:
    """How the room's loss changes when one logit moves, in numbers with an imaginary part.

    f(z + ih) = f(z) + ih f'(z) + …, so the imaginary part over h is the slope, without the
    difference of two numbers that are nearly equal (Squire and Trapp, SIAM Review, 1998).
    """
    h, slopes = 1e-30, np.zeros_like(z)
    for place in np.ndindex(z.shape):
        moved = z.astype("complex128")
        moved[place] += 1j * h
        logs = np.log(np.exp(moved).sum(axis=1)) - moved[np.arange(len(y)), y]
        slopes[place] = logs.mean().imag / h
    return slopes


def _softmax(z: Array) -> Array:
    powers = np.exp(z)
    p: Array = powers / powers.sum(axis=1, keepdims=True)
    return p


def _truths(z: Array, y: Array) -> Array:
    return np.eye(z.shape[1])[y]


def _wrong_sign(z: Array, y: Array) -> Array:
    return -loss_gradient(z, y)


def _rows_not_averaged(z: Array, y: Array) -> Array:
    return loss_gradient(z, y) * len(z)


def _averaged_twice(z: Array, y: Array) -> Array:
    return loss_gradient(z, y) / len(z)


def _averaged_over_all(z: Array, y: Array) -> Array:
    return loss_gradient(z, y) / z.shape[1]


def _truth_left_out(z: Array, y: Array) -> Array:
    return _softmax(z) / len(z)


def _whole_columns(z: Array, y: Array) -> Array:
    p = _softmax(z)
    p[:, y] -= 1
    return p / len(z)


def _whole_rows(z: Array, y: Array) -> Array:
    p = _softmax(z)
    p[y] -= 1
    return p / len(z)


def _class_numbers(z: Array, y: Array) -> Array:
    return (_softmax(z) - y[:, None]) / len(z)


def _class_numbers_across(z: Array, y: Array) -> Array:
    return (_softmax(z) - y) / len(z)


def _without_softmax(z: Array, y: Array) -> Array:
    return (z - _truths(z, y)) / len(z)


def _by_probability(z: Array, y: Array) -> Array:
    return -_truths(z, y) / _softmax(z) / len(z)


def _softmax_over_rows(z: Array, y: Array) -> Array:
    return (_softmax(z.T).T - _truths(z, y)) / len(z)


def _softmax_of_all(z: Array, y: Array) -> Array:
    powers = np.exp(z)
    return (powers / powers.sum() - _truths(z, y)) / len(z)


def _only_truth_averaged(z: Array, y: Array) -> Array:
    return _softmax(z) - _truths(z, y) / len(z)


def _times_rows(answer: Callable[[Array, Array], Array]) -> Callable[[Array, Array], Array]:
    """The same mistake, with the mean over the rows missing as well."""

    def without_mean(z: Array, y: Array) -> Array:
        return answer(z, y) * len(z)

    return without_mean


AND_NO_MEAN = (
    ("truth_left_out", _truth_left_out, "nothing was taken from the probabilities for the truth"),
    ("sign", _wrong_sign, "the sign is wrong: a larger logit of the true class lowers the loss"),
    ("whole_columns", _whole_columns, "1 was taken from whole columns, not once in each row"),
    ("whole_rows", _whole_rows, "1 was taken from whole rows, but a class number counts columns"),
    ("class_numbers", _class_numbers, "the class number was taken from its row, but is a place"),
    (
        "class_numbers_across",
        _class_numbers_across,
        "y itself was taken from p, along the columns, but a class number is a place in its row",
    ),
)
"""Mistakes that come with a missing mean as well: the name, the answer, what is wrong."""

softmax_cross_entropy = Exercise(
    name="softmax_cross_entropy",
    lesson="backpropagation",
    title="Back through softmax and cross-entropy",
    statement=r"""
For the logits $z$ of $n$ rows and $k$ classes, with $p_{ij} = e^{z_{ij}} / \sum_m e^{z_{im}}$,
the loss is the mean over the rows of $-\log p_{i y_i}$.

Write `loss_gradient(z, y)`. `z` has the shape (n, k); `y` has the shape (n,) and holds the true
class of each row, a whole number from 0 to k - 1. Return $\partial L/\partial z$, of shape (n,
k).

For one row it is $p_j - 1$ where $j$ is the true class, and $p_j$ elsewhere. The loss of the
batch is a mean, and this is where its $1/n$ belongs.
""",
    draw=_draw_classes,
    solution=loss_gradient,
    definition=_loss_by_differences,
    demands="entry [i, j] is (p[i, j] - 1) / n where j is y[i], and p[i, j] / n elsewhere, with p "
    "the softmax of row i",
    mistakes=(
        Mistake(
            "sign",
            _wrong_sign,
            "Your gradient has the wrong sign. A larger logit of the true class makes the loss "
            "smaller, so the entry of the truth is negative: probability minus truth, not truth "
            "minus probability.",
        ),
        Mistake(
            "mean_missing",
            _rows_not_averaged,
            "Your gradient is n times too large: that of the sum over the rows. The loss is their "
            "mean, so divide by the number of rows. Every layer before relies on it.",
        ),
        Mistake(
            "mean_twice",
            _averaged_twice,
            "Your gradient is n times too small: you divided by the number of rows twice.",
        ),
        Mistake(
            "averaged_over_all",
            _averaged_over_all,
            "Your gradient is k times too small: you divided by the number of all entries. The "
            "loss is one number for each row, and the mean is over the n rows, not over the n k "
            "logits.",
        ),
        Mistake(
            "truth_left_out",
            _truth_left_out,
            "You returned the probabilities over n and did not take the truth away. Subtract 1 in "
            "each row at the place of its true class.",
        ),
        Mistake(
            "whole_columns",
            _whole_columns,
            "You subtracted 1 from whole columns: `p[:, y]` means the columns y in *all* rows. One "
            "entry in each row is meant, so each class number needs the number of its own row "
            "beside it: row 0 goes with y[0], row 1 with y[1], and so on.",
        ),
        Mistake(
            "whole_rows",
            _whole_rows,
            "You subtracted 1 from whole rows, or from rows that are not there: `p[y]` means the "
            "*rows* y. A class number counts columns. One entry in each row is meant: in row 0 "
            "that of column y[0], in row 1 that of column y[1], and so on.",
        ),
        Mistake(
            "class_numbers",
            _class_numbers,
            "You subtracted the class numbers themselves from all probabilities of the row. A "
            "class number is a place, not a quantity: take away 1, in that place only.",
        ),
        Mistake(
            "class_numbers_across",
            _class_numbers_across,
            "You subtracted y from p. y has one class number a row, and NumPy lays it along the "
            "columns, or refuses where their counts differ. A class number says *where* to take "
            "away 1: in row i at the place y[i].",
        ),
        Mistake(
            "without_softmax",
            _without_softmax,
            "You subtracted the truth from the logits themselves. The gradient holds "
            "probabilities: apply softmax first.",
        ),
        Mistake(
            "by_probability",
            _by_probability,
            "That is the gradient by the probabilities, -1/p at the truth. It is still a step to "
            "the logits, back through softmax. Together the two make something simpler: the "
            "probability minus the truth.",
        ),
        Mistake(
            "softmax_over_rows",
            _softmax_over_rows,
            "Your softmax adds over the rows. Each row is a prediction of its own, and its k "
            "probabilities sum to 1: add over `axis=1`.",
        ),
        Mistake(
            "softmax_of_all",
            _softmax_of_all,
            "Your softmax divides by the sum over the whole array. Each row is a prediction of its "
            "own: divide it by its own sum, with `axis=1, keepdims=True`.",
        ),
        Mistake(
            "only_truth_averaged",
            _only_truth_averaged,
            "Only the truth was divided by the number of rows, not the probabilities. The mean is "
            "taken of the whole gradient. (Python divides before it subtracts.)",
        ),
        *(
            Mistake(
                f"{name}_and_mean_missing",
                _times_rows(answer),
                f"Two things are wrong. First, {what}. And the loss is the mean over the rows, "
                "whose 1/n is missing.",
            )
            for name, answer, what in AND_NO_MEAN
        ),
    ),
    hints=(
        "Begin with `p = softmax(z)`, the function above this exercise. Then take 1 away at the "
        "right places.",
        "`p[np.arange(len(y)), y]` are the entries of the truth, one a row.",
        "Subtract 1 from those entries, then divide all of p by len(y).",
    ),
)


# In topological order.


LONG = 60
"""Nodes of a chain with so many paths, 2 to the power of 59, that nobody can follow them all."""


def _draw_graph(rng: np.random.Generator) -> dict[str, Any]:
    """No gradient is 0: where slopes cancel, even right answers may leave some rounding."""
    while True:
        drawn = _draw_doubling_chain(rng) if rng.random() < 0.3 else _draw_shortcuts(rng)
        if all(_path_by_path(**drawn).values()):
            return drawn


def _draw_doubling_chain(rng: np.random.Generator) -> dict[str, Any]:
    """Each node was computed from the one before it, used twice; the gradients are 1 and -1."""
    names = [f"v{number}" for number in rng.permutation(LONG)]
    pairs = ((0.5, 0.5), (1.5, -0.5), (-2.0, 1.0), (-0.5, -0.5))
    graph: dict[str, list[tuple[str, float]]] = {names[0]: []}
    for parent, name in itertools.pairwise(names):
        graph[name] = [(parent, slope) for slope in pairs[rng.integers(len(pairs))]]
    return {"graph": _shuffled(graph, rng), "last": names[-1]}


def _shuffled(graph: Graph, rng: np.random.Generator) -> dict[str, Any]:
    return {str(name): graph[str(name)] for name in rng.permutation(list(graph))}


def _draw_shortcuts(rng: np.random.Generator) -> dict[str, Any]:
    """A chain with shortcuts, of which the last node always has one that skips two nodes."""
    count = int(rng.integers(5, 8))
    names = [str(name) for name in rng.permutation(list("abcdefg")[:count])]
    graph: dict[str, list[tuple[str, float]]] = {}
    for i, name in enumerate(names):
        parents = [i - 1] if i else []
        if i == count - 1:
            parents.append(int(rng.integers(1, count - 3)))
        elif i and rng.random() < 0.6:
            parents.append(int(rng.integers(0, i)))
        slopes = rng.choice([-3, -2, 2, 3], size=len(parents)).tolist()
        edges = [(names[p], float(slope)) for p, slope in zip(parents, slopes, strict=True)]
        graph[name] = [edges[j] for j in rng.permutation(len(edges))]
    return {"graph": _shuffled(graph, rng), "last": names[-1]}


def graph_gradients(graph: Graph, last: str) -> dict[str, float]:
    to_come = dict.fromkeys(graph, 0)
    for parents in graph.values():
        for parent, _ in parents:
            to_come[parent] += 1
    gradients = dict.fromkeys(graph, 0.0)
    gradients[last] = 1.0
    ready = [last]
    while ready:
        node = ready.pop()
        for parent, slope in graph[node]:
            gradients[parent] += slope * gradients[node]
            to_come[parent] -= 1
            if to_come[parent] == 0:
                ready.append(parent)
    return gradients


def _path_by_path(graph: Graph, last: str) -> dict[str, float]:
    """The sum over all paths from a node to the last one of the products of their slopes.

    What is known of a node is kept, so that no path is followed twice.
    """

    @functools.cache
    def slope_of_last_by(node: str) -> float:
        onwards = [
            slope * slope_of_last_by(child)
            for child, parents in graph.items()
            for parent, slope in parents
            if parent == node
        ]
        return 1.0 if node == last else sum(onwards)

    return {node: slope_of_last_by(node) for node in graph}


def _backwards(graph: Graph, last: str) -> Iterator[str]:
    """The nodes in an order in which each has received everything: most steps to `last` last."""
    steps = {last: 0}
    for _ in graph:
        for node in list(steps):
            for parent, _ in graph[node]:
                steps[parent] = max(steps.get(parent, 0), steps[node] + 1)
    return iter(sorted(steps, key=lambda node: steps[node]))


def _in_order(graph: Graph, last: str, order: Iterator[str]) -> dict[str, float]:
    gradients = dict.fromkeys(graph, 0.0)
    gradients[last] = 1.0
    for node in order:
        for parent, slope in graph[node]:
            gradients[parent] += slope * gradients[node]
    return gradients


def _overwritten(graph: Graph, last: str) -> dict[str, float]:
    gradients = dict.fromkeys(graph, 0.0)
    gradients[last] = 1.0
    for node in _backwards(graph, last):
        for parent, slope in graph[node]:
            gradients[parent] = slope * gradients[node]
    return gradients


def _as_met(graph: Graph, last: str) -> dict[str, float]:
    """Breadth first: a node hands on when its turn comes, whatever is still on its way to it."""
    met = [last]
    for node in met:
        for parent, _ in graph[node]:
            if parent not in met:
                met.append(parent)
    return _in_order(graph, last, iter(met))


def _as_met_in_depth(graph: Graph, last: str) -> dict[str, float]:
    met: list[str] = []

    def meet(node: str) -> None:
        if node not in met:
            met.append(node)
            for parent, _ in graph[node]:
                meet(parent)

    meet(last)
    return _in_order(graph, last, iter(met))


MOST_WAITING = 10_000
"""A mistake that would go on for ever in a long chain gives up here."""


def _every_time(graph: Graph, last: str) -> dict[str, float]:
    """A node hands on all that it has each time that something arrives."""
    gradients = dict.fromkeys(graph, 0.0)
    gradients[last] = 1.0
    waiting = [last]
    for node in waiting:
        if len(waiting) > MOST_WAITING:
            raise TimeoutError("as many steps as there are paths")
        for parent, slope in graph[node]:
            gradients[parent] += slope * gradients[node]
            waiting.append(parent)
    return gradients


def _last_in_every_time(graph: Graph, last: str) -> dict[str, float]:
    """The same, with the newest arrival first."""
    gradients = dict.fromkeys(graph, 0.0)
    gradients[last] = 1.0
    waiting = [last]
    for _ in range(MOST_WAITING):
        if not waiting:
            return gradients
        node = waiting.pop()
        for parent, slope in graph[node]:
            gradients[parent] += slope * gradients[node]
            waiting.append(parent)
    raise TimeoutError("as many steps as there are paths")


def _at_once_in_depth(graph: Graph, last: str) -> dict[str, float]:
    """The same, each arrival followed to its end before the next one."""
    gradients = dict.fromkeys(graph, 0.0)
    gradients[last] = 1.0
    steps = itertools.count()

    def hand_on(node: str) -> None:
        if next(steps) > MOST_WAITING:
            raise TimeoutError("as many steps as there are paths")
        for parent, slope in graph[node]:
            gradients[parent] += slope * gradients[node]
            hand_on(parent)

    hand_on(last)
    return gradients


def _parents_first(graph: Graph, last: str) -> dict[str, float]:
    return _in_order(graph, last, reversed(list(_backwards(graph, last))))


def _pairs_as_dict(graph: Graph, last: str) -> dict[str, float]:
    return graph_gradients({node: [*dict(graph[node]).items()] for node in graph}, last)


def _without_last(graph: Graph, last: str) -> dict[str, float]:
    gradients = graph_gradients(graph, last)
    return {node: gradients[node] for node in graph if node != last}


def _last_called_l(graph: Graph, last: str) -> dict[str, float]:
    return graph_gradients(graph, "L")


def _as_written(graph: Graph, last: str) -> dict[str, float]:
    return _in_order(graph, last, iter(graph))


def _as_written_backwards(graph: Graph, last: str) -> dict[str, float]:
    return _in_order(graph, last, reversed(list(graph)))


def _slopes_added(graph: Graph, last: str) -> dict[str, float]:
    gradients = dict.fromkeys(graph, 0.0)
    gradients[last] = 1.0
    for node in _backwards(graph, last):
        for parent, slope in graph[node]:
            gradients[parent] += slope + gradients[node]
    return gradients


topological_order = Exercise(
    name="topological_order",
    lesson="backpropagation",
    title="In topological order",
    statement=r"""
A graph is given as a dict. `graph[node]` is a list of pairs `(parent, slope)`: the parents that
the node was computed from, each with the slope of the node by it. For $b = a \cdot a$, $c = b +
a$, $L = b \cdot c$ at $a = 2$:

```python
graph = {
    "c": [("b", 1.0), ("a", 1.0)],
    "a": [],
    "L": [("b", 6.0), ("c", 4.0)],
    "b": [("a", 2.0), ("a", 2.0)],
}
```

Write `graph_gradients(graph, last)`. Return a dict that gives, for each node, the gradient of the
node `last` by it. Here, with `last = "L"`, that is 44 for a, 10 for b, 4 for c and 1 for L. In
other graphs the last node has another name.

The keys of the dict stand in any order. Every node leads to `last`, and nothing leads in a
circle. Some of the graphs are chains of 60 nodes, each used twice by the next one: they have more
paths than anybody can follow, so use each pair once. Do not change `graph`.
""",
    draw=_draw_graph,
    solution=graph_gradients,
    definition=_path_by_path,
    demands="the gradient of a node is the sum, over all paths from it to the last node, of the "
    "product of the slopes on the path; that of the last node is 1",
    mistakes=(
        Mistake(
            "overwritten",
            _overwritten,
            "What a node had received was overwritten. A node that is used twice receives twice, "
            "and both count: add with `+=`.",
        ),
        Mistake(
            "handed_on_too_early",
            _as_met,
            "Some nodes handed on too early: in the order in which you met them, going back level "
            "by level from the last node. A shortcut reaches a node before the long way does. Let "
            "a node wait until every node that uses it has handed on.",
        ),
        Mistake(
            "handed_on_in_depth",
            _as_met_in_depth,
            "Some nodes handed on too early: you followed one path to its end before the other "
            "paths had arrived, and what came later was not handed on. A node may hand on only "
            "when every node that uses it has done so.",
        ),
        *(
            Mistake(
                name,
                answer,
                "Some gradients were handed on twice: a node passed on all that it had each time "
                "that something arrived. Let it wait until everything is there, and hand on once.",
            )
            for name, answer in (
                ("handed_on_every_time", _every_time),
                ("handed_on_every_time_last_in", _last_in_every_time),
                ("handed_on_every_time_in_depth", _at_once_in_depth),
            )
        ),
        Mistake(
            "parents_first",
            _parents_first,
            "Only the parents of the last node received something. If you went through an order of "
            "the nodes, it was the wrong way round: a node before the last had nothing to hand on "
            "when its turn came. Begin with the last node, and then let the others hand on too.",
        ),
        Mistake(
            "pairs_as_dict",
            _pairs_as_dict,
            "A parent that stands twice in a list counted only once, with its last slope. `dict` "
            "keeps one value for each key; take the pairs as they are.",
        ),
        Mistake(
            "last_left_out",
            _without_last,
            "The last node is missing in your result, and only that. It is a node as well, with a "
            "gradient by itself.",
        ),
        Mistake(
            "last_by_its_name_in_the_example",
            _last_called_l,
            "You wrote the name L into your function. The last node has that name in the example "
            "only; in each call `last` holds its name.",
            raises="KeyError: 'L'",
        ),
        Mistake(
            "order_of_the_dict",
            _as_written,
            "You went through the dict in the order in which it is written. That order means "
            "nothing: find one in which every node comes after all that use it.",
        ),
        Mistake(
            "order_of_the_dict_backwards",
            _as_written_backwards,
            "You went through the dict from its end. That would do for a dict that is written "
            "parents first, but the keys stand in any order: count for each node how many will "
            "hand on to it.",
        ),
        Mistake(
            "slopes_added",
            _slopes_added,
            "You added slopes along a path. Along a path they are multiplied: slope times the "
            "gradient of the child. Only different paths are added.",
        ),
    ),
    hints=(
        "Give every node the gradient 0.0 and the last one 1.0. A node hands `slope * gradient` to "
        "each of its parents, which adds it. All depends on who may hand on when.",
        "Count for each node how often it stands in the lists of the others: so many gradients are "
        "still to come. Each time that one arrives, count down.",
        "Keep a list of the nodes that are ready, at first only `last`. Take one out, let it hand "
        "on, and put each parent in whose count has come down to 0.",
    ),
    core=False,
    draws=30,
    seconds=5.0,
    too_slow="Do you follow every path from each node to the last? In a chain in which each node "
    "is used twice by the next one, the paths double with every node. Let each node hand on once, "
    "when it has received everything. (Or there is a loop that never ends.)",
)
