"""The compiled loop: whole epochs inside TensorFlow instead of one dispatch a step.

A small network computes a step in microseconds, and Python needs a millisecond to ask for it. Here
one call runs many steps, so that the arithmetic sets the pace.

Taught in: notebooks/04_first_network, What fit does.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass, fields
from typing import Any, NamedTuple

from amaas_kit.errors import TrainingError
from amaas_kit.session import tensorflow
from amaas_kit.training.objective import Objective
from amaas_kit.training.pure import Programs, PureModel
from amaas_kit.training.rules import Adam, RMSProp, Rule

Tensor = Any

ORDER_ENTRIES = 2**18
"""At most so many row numbers travel with one call."""

ROWS_AT_ONCE = 4096
"""Rows that are measured in one piece; larger sets are cut."""

KERAS_BATCH = 32
"""Rows in a piece where `keras.Model.evaluate` is not told otherwise."""

PROGRAMS_KEPT = 64
"""Compiled functions that are kept for models of one kind."""


class Carry(NamedTuple):
    """All that a step changes. Tensors, so that an earlier carry stays valid."""

    weights: list[Tensor]
    slots: list[tuple[Tensor, ...]]
    state: list[Tensor]
    step: Tensor
    loss: Tensor
    """Summed over the rows that the epoch under way has met; so is `right`."""
    right: Tensor


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


def start(model: PureModel, rule: Rule, seed: int) -> Carry:
    """The carry before the first step."""
    tf = tensorflow()
    weights, state = model.read(seed)
    slots = [tuple(tf.zeros_like(w) for _ in range(rule.slot_count)) for w in weights]
    zero = tf.zeros((), model.dtype)
    return Carry(weights, slots, state, step=zero, loss=zero, right=zero)


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
    """The compiled (weights, state, rows) -> (mean loss, right answers, state); made once."""
    key = ("measure", model.key, objective.key, *(array.shape for array in rows))
    measure = Measure(model, objective, KERAS_BATCH)
    return _kept(model.programs, key, lambda: _compiled(measure, model.xla))


def _kept(programs: Programs, key: Hashable, make: Callable[[], Any]) -> Any:
    """The program under this key, made if need be; the oldest gives way when there are many."""
    if key not in programs:
        while len(programs) >= PROGRAMS_KEPT:
            del programs[next(iter(programs))]
        programs[key] = make()
    return programs[key]


class Measured(NamedTuple):
    """Mean loss over rows, how many were answered right, and the state that this left behind."""

    loss: Tensor
    right: Tensor
    state: list[Tensor]


class Measure:
    """Loss and right answers without training, piece by piece.

    A Keras model is measured in batches of `batch_size` rows, since its layers may add losses that
    depend on the batch, or count their calls.
    """

    def __init__(self, model: PureModel, objective: Objective, batch_size: int) -> None:
        self.model = model
        self.objective = objective
        self.rows_at_once = batch_size if model.batch_by_batch else ROWS_AT_ONCE

    def __call__(self, weights: list[Tensor], state: list[Tensor], rows: Rows) -> Measured:
        """The mean loss over the rows, how many were answered right, and the new state."""
        tf = tensorflow()
        count, size = rows.x.shape[0], min(rows.x.shape[0], self.rows_at_once)
        whole, rest = divmod(count, size)

        def add(sums: Measured, x: Tensor, y: Tensor, length: int) -> Measured:
            outputs, state, penalty = self.model.apply(weights, sums.state, x, training=False)
            loss = tf.cast(self.objective.loss(outputs, y), self.model.dtype) + penalty
            right = _right(self.objective, outputs, y)
            return Measured(sums.loss + loss * length, sums.right + right, state)

        def piece(i: Tensor, sums: Measured) -> tuple[Tensor, Measured]:
            x, y = (_cut(array, i * size, size) for array in rows)
            return i + 1, add(sums, x, y, size)

        zero = tf.zeros((), self.model.dtype)
        _, sums = tf.while_loop(lambda i, _: i < whole, piece, (0, Measured(zero, zero, state)))
        if rest:
            sums = add(sums, rows.x[-rest:], rows.y[-rest:], rest)
        return Measured(sums.loss / count, sums.right, sums.state)


class _Loop:
    """The training loop as one function of tensors."""

    def __init__(self, model: PureModel, rule: Rule, objective: Objective, batch_size: int) -> None:
        self.model = model
        self.rule = rule
        self.objective = objective
        self.batch_size = batch_size
        self.measure = Measure(model, objective, batch_size)

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
        dtype, size = self.model.dtype, self.batch_size
        whole, rest = divmod(train.x.shape[0], size)
        zero = tf.zeros((), dtype)

        def batch(carry: Carry, indices: Tensor) -> Carry:
            x, y = (tf.gather(array, indices) for array in train)
            return self._step(carry, x, y, rate, indices.shape[0])

        def epoch(e: Tensor, carry: Carry, totals: Totals) -> tuple[Tensor, Carry, Totals]:
            order = orders[e]

            def step(s: Tensor, carry: Carry) -> tuple[Tensor, Carry]:
                return s + 1, batch(carry, _cut(order, s * size, size))

            _, carry = tf.while_loop(lambda s, _: s < last, step, (first, carry))
            ended = tf.equal(last, whole)
            if rest:
                carry = tf.cond(ended, lambda: batch(carry, order[-rest:]), lambda: carry)
            measured = Measured(zero, zero, carry.state)
            if validation.x.shape[0]:
                measured = tf.cond(
                    ended,
                    lambda: self.measure(carry.weights, carry.state, validation),
                    lambda: measured,
                )
            finite = tf.math.is_finite(carry.loss)
            for weight in carry.weights:
                finite &= tf.reduce_all(tf.math.is_finite(weight))
            row = Totals(
                *(carry.loss, carry.right, measured.loss, measured.right),
                finite=tf.cast(finite, dtype),
            )
            totals = Totals(
                *(
                    tf.tensor_scatter_nd_update(column, [[e]], [value])
                    for column, value in zip(totals, row, strict=True)
                )
            )
            carry = carry._replace(
                state=measured.state,
                loss=tf.where(ended, zero, carry.loss),
                right=tf.where(ended, zero, carry.right),
            )
            return e + 1, carry, totals

        totals = Totals(*(tf.zeros(orders.shape[0], dtype) for _ in Totals._fields))
        _, carry, totals = tf.while_loop(
            lambda e, *_: e < epochs, epoch, (tf.constant(0), carry, totals)
        )
        return carry, totals

    def _step(self, carry: Carry, x: Tensor, y: Tensor, rate: Tensor, rows: int) -> Carry:
        tf = tensorflow()
        with tf.GradientTape() as tape:
            tape.watch(carry.weights)
            outputs, state, penalty = self.model.apply(carry.weights, carry.state, x, training=True)
            loss = tf.cast(self.objective.loss(outputs, y), self.model.dtype) + penalty
        gradients = tape.gradient(loss, carry.weights)
        _refuse_gradients(gradients, self.rule)
        number, weights, slots = carry.step + 1, list(carry.weights), list(carry.slots)
        for i, dw in enumerate(gradients):
            if dw is not None:  # a weight that the loss does not depend on stays, as in Keras
                dense = tf.convert_to_tensor(dw)
                w, slots[i] = self.rule.step(weights[i], dense, slots[i], number, rate)
                weights[i] = self.model.constrain(i, w)
        right = _right(self.objective, outputs, y)
        return Carry(
            *(weights, slots, state, number),
            loss=carry.loss + loss * rows,
            right=carry.right + right,
        )


def _refuse_gradients(gradients: list[Tensor], rule: Rule) -> None:
    """Raise where there is nothing to follow, or a rule would make something else of it than Keras.

    The gradient of a table that is looked up (Embedding) has a part for each lookup. Keras's rules
    with squares square those parts before they are added up.
    """
    tf = tensorflow()
    if all(dw is None for dw in gradients):
        raise TrainingError(
            situation="While preparing the first step",
            seen="a loss that depends on none of the weights that train",
            wrong="no gradient comes back through the model, so that no weight would change",
            fix="look for an operation without a derivative: stop_gradient, argmax, a cast to int",
        )
    looked_up = any(isinstance(dw, tf.IndexedSlices) for dw in gradients)
    if looked_up and isinstance(rule, Adam | RMSProp):
        raise TrainingError(
            situation="While preparing the first step",
            seen=f"{type(rule).__name__}, and a layer that looks up rows of a table (Embedding)",
            wrong="Keras squares the gradient of each lookup by itself there, which fit does not",
            fix="pass rule=SGD(0.1), Momentum() or Nesterov(), or train with the model's own fit",
        )


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
