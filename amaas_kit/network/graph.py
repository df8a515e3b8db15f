"""A computation graph of scalars: each operation notes its slopes, backward multiplies them up.

Where a network works on whole arrays, this shows reverse-mode differentiation one number at a time.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from numbers import Real
from typing import NamedTuple

from amaas_kit.errors import NetworkError


class BackwardStep(NamedTuple):
    """One addition of the way back: value.grad += slope * upstream, after which it was `total`.

    Attributes:
        value: that received.
        child: that handed on, which was computed from `value`; None at the start.
        slope: of the child by the value.
        upstream: the gradient of the child.
        total: the gradient of the value after the addition.
    """

    value: Value
    child: Value | None
    slope: float
    upstream: float
    total: float


class Value:
    """A number, and how it was computed. Taught in: notebooks/02_backpropagation, A scalar graph.

    Args:
        data: the number.
        label: a name to show, such as "w".
        parents: the values it was computed from.
        operation: what was done with them, such as "*".
        slopes: the derivative of this value by each parent, at the parents' numbers. They are noted
            once: for other numbers, compute anew.

    Attributes:
        grad: the derivative by this value of the value that `backward` was last called on.
    """

    __slots__ = ("data", "grad", "label", "operation", "parents", "slopes")
    __array_ufunc__ = None  # so that NumPy's number * Value asks Value, instead of making an array

    def __init__(
        self,
        data: float,
        label: str = "",
        parents: tuple[Value, ...] = (),
        operation: str = "",
        slopes: tuple[float, ...] = (),
    ) -> None:
        self.data = float(data)
        self.grad = 0.0
        self.label = label
        self.parents = parents
        self.operation = operation
        self.slopes = slopes

    def __add__(self, other: Value | float) -> Value:
        other = _as_value(other)
        return _result(self.data + other.data, "+", (self, 1.0), (other, 1.0))

    def __sub__(self, other: Value | float) -> Value:
        other = _as_value(other)
        return _result(self.data - other.data, "-", (self, 1.0), (other, -1.0))

    def __mul__(self, other: Value | float) -> Value:
        other = _as_value(other)
        return _result(self.data * other.data, "*", (self, other.data), (other, self.data))

    def __truediv__(self, other: Value | float) -> Value:
        other = _as_value(other)
        if other.data == 0:
            raise _undefined(f"{self.data:g} / 0", "a division by zero has no value")
        quotient = self.data / other.data
        return _result(quotient, "/", (self, 1 / other.data), (other, -quotient / other.data))

    def __pow__(self, other: Value | float) -> Value:
        """self ** other. A plain number is a constant, which needs no node and no slope."""
        exponent = _as_value(other)
        base, n = self.data, exponent.data
        try:
            power = math.pow(base, n)
            slope = n * math.pow(base, n - 1) if n != 0 else 0.0
            if other is not exponent:
                return _result(power, f"**{n:g}", (self, slope))
            return _result(power, "**", (self, slope), (exponent, power * math.log(base)))
        except (ValueError, OverflowError) as error:
            wrong = "the power or its slope is no finite real number there"
            raise _undefined(f"{base:g} ** {n:g}", wrong) from error

    def __neg__(self) -> Value:
        return _result(-self.data, "neg", (self, -1.0))

    def __radd__(self, other: float) -> Value:
        return _as_value(other) + self

    def __rsub__(self, other: float) -> Value:
        return _as_value(other) - self

    def __rmul__(self, other: float) -> Value:
        return _as_value(other) * self

    def __rtruediv__(self, other: float) -> Value:
        return _as_value(other) / self

    def __rpow__(self, other: float) -> Value:
        return _as_value(other) ** self

    def exp(self) -> Value:
        """e to this power, which is its own slope."""
        try:
            power = math.exp(self.data)
        except OverflowError as error:
            raise _undefined(f"exp({self.data:g})", "it is above the largest float") from error
        return _result(power, "exp", (self, power))

    def log(self) -> Value:
        """The natural logarithm; slope 1 / x."""
        if self.data <= 0:
            raise _undefined(f"log({self.data:g})", "only positive numbers have a logarithm")
        return _result(math.log(self.data), "log", (self, 1 / self.data))

    def tanh(self) -> Value:
        """The hyperbolic tangent; slope 1 - tanh(x)^2."""
        t = math.tanh(self.data)
        return _result(t, "tanh", (self, 1 - t**2))

    def relu(self) -> Value:
        """max(x, 0); slope 1 where x > 0, else 0, at 0 too."""
        return _result(max(self.data, 0.0), "relu", (self, float(self.data > 0)))

    def topological_order(self) -> list[Value]:
        """Every value that this one was computed from, parents before children, itself last.

        Depth first with a stack of its own: Python's call stack ends after some thousand calls,
        and a chain of operations can be longer.
        """
        order: list[Value] = []
        entered: set[Value] = set()
        stack = [(self, False)]
        while stack:
            value, parents_done = stack.pop()
            if parents_done:
                order.append(value)
            elif value not in entered:
                entered.add(value)
                stack.append((value, True))
                stack.extend((parent, False) for parent in reversed(value.parents))
        return order

    def backward(self) -> None:
        """Set `grad` of every value in this graph to the derivative of this value by it.

        Each call starts from zero, so a second one gives the same answer. Were gradients kept, the
        second call would send the old ones down the graph again. For the gradient of a sum of two
        losses, call backward on the sum.
        """
        for _ in self.backward_steps():
            pass

    def backward_steps(self) -> Iterator[BackwardStep]:
        """What `backward` does, one addition at a time: each is done when it is given out.

        The first one sets the gradient of this value by itself, 1. Then each value, children before
        parents, hands its gradient to its parents. Whoever stops in between leaves gradients that
        are not whole yet; the next start, of this or of `backward`, begins from zero again.

        Taught in: notebooks/02_backpropagation, A scalar graph.
        """
        order = self.topological_order()
        for value in order:
            value.grad = 0.0
        self.grad = 1.0
        yield BackwardStep(self, None, 1.0, 1.0, 1.0)
        for value in reversed(order):
            for parent, slope in zip(value.parents, value.slopes, strict=True):
                parent.grad += slope * value.grad
                yield BackwardStep(parent, value, slope, value.grad, parent.grad)

    def __repr__(self) -> str:
        label = f", label={self.label!r}" if self.label else ""
        return f"Value({self.data:g}, grad={self.grad:g}{label})"


def _result(data: float, operation: str, *edges: tuple[Value, float]) -> Value:
    """The value that an operation makes of its parents, each given with the slope by it."""
    parents, slopes = zip(*edges, strict=True)
    return Value(data, parents=parents, operation=operation, slopes=slopes)


def _as_value(number: Value | float) -> Value:
    if isinstance(number, Value):
        return number
    if not isinstance(number, Real):
        raise NetworkError(
            situation="While computing with a Value",
            seen=f"{number!r}, a {type(number).__name__}",
            wrong="a Value is one number, and goes together with numbers and Values only",
            fix="take one number of it, or make a Value of each",
        )
    return Value(number)


def _undefined(expression: str, wrong: str) -> NetworkError:
    return NetworkError(
        situation="While computing with a Value",
        seen=expression,
        wrong=wrong,
        fix="keep the numbers away from that point, or look at how this one came about",
    )
