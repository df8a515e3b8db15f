"""The compiled loop: whole epochs inside TensorFlow instead of one dispatch a step.

A small network computes a step in microseconds, and Python needs a millisecond to ask for it. Here
one call runs many steps, so that the arithmetic sets the pace.

Taught in: notebooks/04_first_network, What fit does.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass, fields
from typing import Any, NamedTuple

from amaas_kit.session import tensorflow
from amaas_kit.training.objective import Objective
from amaas_kit.training.pure import Programs, PureModel
from amaas_kit.training.rules import Rule

Tensor = Any

ORDER_ENTRIES = 2**18
"""At most so many row numbers travel with one call."""

ROWS_AT_ONCE = 4096
"""Rows that are measured in one piece; larger sets are cut."""


PROGRAMS_KEPT = 64
"""Compiled functions that are kept for models of one kind."""


class Carry(NamedTuple):
    """All that a step changes. Tensors, so that an earlier carry stays valid."""

    weights: list[Tensor]
    slots: list[tuple[Tensor, ...]]
    state: list[Tensor]
    step: Tensor


class Rows(NamedTuple):
    """Rows x (n, …) and their labels y (n, …), n may be 0."""

    x: Tensor
    y: Tensor


class Totals(NamedTuple):
    """One entry an epoch of the call: sums over rows, and whether all stayed finite."""

    loss: Tensor
    right: Tensor
    validation_loss: Tensor
    validation_right: Tensor
    finite: Tensor


def orders_at_once(rows: int) -> int:
    """How many epochs' orders one call takes."""
    return max(1, min(16, ORDER_ENTRIES // rows))


def start(model: PureModel, rule: Rule) -> Carry:
    """The carry before the first step."""
    tf = tensorflow()
    weights, state = model.read()
    slots = [tuple(tf.zeros_like(w) for _ in range(rule.slot_count)) for w in weights]
    return Carry(weights, slots, state, tf.constant(0, weights[0].dtype))


@dataclass
class Program:
    """A compiled loop, and how long one of its steps took when last measured; None before."""

    advance: Any
    seconds_per_step: float | None = None


def program(
    model: PureModel, rule: Rule, objective: Objective, batch_size: int, train: Rows, held_out: Rows
) -> Program:
    """The compiled loop for this model; made once, then reused for every fit of its kind."""
    constants = tuple(
        (field.name, getattr(rule, field.name))
        for field in fields(rule)  # type: ignore[arg-type]
        if field.name != "learning_rate"
    )
    key = (
        *("advance", model.key, type(rule), constants, objective.key, batch_size),
        *(array.shape for array in (*train, *held_out)),
    )
    loop = _Loop(model, rule, objective, batch_size)
    found: Program = _kept(model.programs, key, lambda: Program(_compiled(loop.advance, model.xla)))
    return found


def measurer(model: PureModel, objective: Objective, rows: Rows) -> Any:
    """The compiled (weights, state, rows) -> (mean loss, right answers); made once."""
    key = ("measure", model.key, objective.key, *(array.shape for array in rows))
    return _kept(model.programs, key, lambda: _compiled(Measure(model, objective), model.xla))


def _kept(programs: Programs, key: Hashable, make: Callable[[], Any]) -> Any:
    """The program under this key, made if need be; the oldest gives way when there are many."""
    if key not in programs:
        while len(programs) >= PROGRAMS_KEPT:
            del programs[next(iter(programs))]
        programs[key] = make()
    return programs[key]


class Measure:
    """Mean loss over rows and number of right answers, without training."""

    def __init__(self, model: PureModel, objective: Objective) -> None:
        self.model = model
        self.objective = objective

    def __call__(
        self, weights: list[Tensor], state: list[Tensor], rows: Rows
    ) -> tuple[Tensor, Tensor]:
        """The mean loss over the rows, and how many were answered right."""
        tf = tensorflow()
        count, size = rows.x.shape[0], min(rows.x.shape[0], ROWS_AT_ONCE)
        whole, rest = divmod(count, size)

        def piece(x: Tensor, y: Tensor, length: int) -> tuple[Tensor, Tensor]:
            outputs, _, penalty = self.model.apply(weights, state, x, training=False)
            return (self.objective.loss(outputs, y) + penalty) * length, _right(
                self.objective, outputs, y
            )

        def add(i: Tensor, loss: Tensor, right: Tensor) -> tuple[Tensor, Tensor, Tensor]:
            x, y = (_cut(array, i * size, size) for array in rows)
            more_loss, more_right = piece(x, y, size)
            return i + 1, loss + more_loss, right + more_right

        zero = tf.zeros((), weights[0].dtype)
        _, loss, right = tf.while_loop(lambda i, *_: i < whole, add, (0, zero, zero))
        if rest:
            more_loss, more_right = piece(rows.x[-rest:], rows.y[-rest:], rest)
            loss, right = loss + more_loss, right + more_right
        return loss / count, right


class _Loop:
    """The training loop as one function of tensors."""

    def __init__(self, model: PureModel, rule: Rule, objective: Objective, batch_size: int) -> None:
        self.model = model
        self.rule = rule
        self.objective = objective
        self.batch_size = batch_size
        self.measure = Measure(model, objective)

    def advance(
        self,
        carry: Carry,
        train: Rows,
        validation: Rows,
        orders: Tensor,
        epochs: Tensor,
        first: Tensor,
        last: Tensor,
        rate: Tensor,
    ) -> tuple[Carry, Totals]:
        """Run steps `first` to `last` of each of the first `epochs` orders.

        Args:
            carry: where training stands.
            train: the rows to learn from.
            validation: the rows to measure after each epoch; none are allowed.
            orders: row numbers (m, n), one order of the n rows an epoch.
            epochs: how many of the orders to use, at most m.
            first, last: steps of the epoch, last not included; where `last` is the number of full
                batches, the short last batch and the validation follow.
            rate: the learning rate.

        Returns:
            The new carry, and totals of m entries, of which the first `epochs` count.
        """
        tf = tensorflow()
        rows, size = train.x.shape[0], self.batch_size
        whole, rest = divmod(rows, size)
        dtype = carry.weights[0].dtype
        zero = tf.zeros((), dtype)

        def batch(carry: Carry, indices: Tensor) -> tuple[Carry, Tensor, Tensor]:
            x, y = (tf.gather(array, indices) for array in train)
            return self._step(carry, x, y, rate)

        def epoch(e: Tensor, carry: Carry, totals: Totals) -> tuple[Tensor, Carry, Totals]:
            order = orders[e]

            def step(
                s: Tensor, carry: Carry, loss: Tensor, right: Tensor
            ) -> tuple[Tensor, Carry, Tensor, Tensor]:
                carry, more_loss, more_right = batch(carry, _cut(order, s * size, size))
                return s + 1, carry, loss + more_loss * size, right + more_right

            _, carry, loss, right = tf.while_loop(
                lambda s, *_: s < last, step, (first, carry, zero, zero)
            )
            ended = tf.equal(last, whole)
            if rest:

                def short() -> tuple[Carry, Tensor, Tensor]:
                    new, more_loss, more_right = batch(carry, order[-rest:])
                    return new, loss + more_loss * rest, right + more_right

                carry, loss, right = tf.cond(ended, short, lambda: (carry, loss, right))
            measured = zero, zero
            if validation.x.shape[0]:
                measured = tf.cond(
                    ended,
                    lambda: self.measure(carry.weights, carry.state, validation),
                    lambda: (zero, zero),
                )
            finite = tf.math.is_finite(loss)
            for weight in carry.weights:
                finite &= tf.reduce_all(tf.math.is_finite(weight))
            row = Totals(loss, right, *measured, tf.cast(finite, dtype))
            totals = Totals(
                *(
                    tf.tensor_scatter_nd_update(column, [[e]], [value])
                    for column, value in zip(totals, row, strict=True)
                )
            )
            return e + 1, carry, totals

        totals = Totals(*(tf.zeros(orders.shape[0], dtype) for _ in Totals._fields))
        _, carry, totals = tf.while_loop(
            lambda e, *_: e < epochs, epoch, (tf.constant(0), carry, totals)
        )
        return carry, totals

    def _step(
        self, carry: Carry, x: Tensor, y: Tensor, rate: Tensor
    ) -> tuple[Carry, Tensor, Tensor]:
        tf = tensorflow()
        with tf.GradientTape() as tape:
            tape.watch(carry.weights)
            outputs, state, penalty = self.model.apply(carry.weights, carry.state, x, training=True)
            loss = self.objective.loss(outputs, y) + penalty
        gradients = tape.gradient(loss, carry.weights)
        number = carry.step + 1
        updated = [
            (w, remembered)  # a weight that the loss does not depend on stays, as in Keras
            if dw is None
            else self.rule.step(w, tf.convert_to_tensor(dw), remembered, number, rate)
            for w, dw, remembered in zip(carry.weights, gradients, carry.slots, strict=True)
        ]
        weights = self.model.constrain([w for w, _ in updated])
        slots = [remembered for _, remembered in updated]
        right = _right(self.objective, outputs, y)
        return Carry(weights, slots, state, number), loss, right


def _right(objective: Objective, outputs: Tensor, y: Tensor) -> Tensor:
    tf = tensorflow()
    return tf.zeros((), outputs.dtype) if objective.right is None else objective.right(outputs, y)


def _cut(array: Tensor, begin: Tensor, length: int) -> Tensor:
    """`length` rows from `begin` on; the length is known when the loop is compiled."""
    tf = tensorflow()
    rest = array.shape[1:]
    return tf.slice(array, [begin, *[0] * len(rest)], [length, *rest])


def _compiled(function: Any, xla: bool) -> Any:
    """The function as one TensorFlow graph, through XLA where that helps and is to be had."""
    tf = tensorflow()
    plain = tf.function(function, autograph=False)
    if not xla:
        return plain
    fast = tf.function(function, autograph=False, jit_compile=True)
    refused = False

    def call(*arguments: Any) -> Any:
        nonlocal refused
        if not refused:
            try:
                return fast(*arguments)
            except (
                tf.errors.InvalidArgumentError,
                tf.errors.NotFoundError,
                tf.errors.UnimplementedError,
            ):
                refused = True
        return plain(*arguments)

    return call
