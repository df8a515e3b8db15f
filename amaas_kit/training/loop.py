"""The course of a run: call after call of the compiled loop, watched once an epoch."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from amaas_kit.data import Dataset
from amaas_kit.errors import DivergedError
from amaas_kit.session import tensorflow
from amaas_kit.training.checks import as_rows
from amaas_kit.training.history import Epoch, History
from amaas_kit.training.objective import Objective
from amaas_kit.training.program import Carry, orders_at_once, program, start
from amaas_kit.training.pure import PureModel

Callback = Callable[[History], object]

SECONDS_PER_CALL = 0.2
"""How long a compiled call may keep Python, and so the stop button, waiting."""


class Run:
    """One training run: where it stands, and what to do next."""

    def __init__(
        self,
        model: PureModel,
        goal: Objective,
        history: History,
        train: Dataset,
        validation: Dataset | None,
        *,
        shuffle: bool,
    ) -> None:
        tf = tensorflow()
        self.model = model
        self.goal = goal
        self.history = history
        self.shuffle = shuffle
        self.rows = train.rows
        self.batches = train.rows // history.batch_size
        self.validation_rows = 0 if validation is None else validation.rows
        self.carry = self.epoch_end = start(model, history.rule, history.seed)
        self.rate = tf.constant(history.rule.learning_rate, model.dtype)
        self.train_rows = as_rows(model, train.x, train.y)
        held_out = (train.x[:0], train.y[:0])
        if validation is not None:
            held_out = (validation.x, validation.y)
        self.held_out_rows = as_rows(model, *held_out)
        self.program = program(
            model, history.rule, goal, history.batch_size, self.train_rows, self.held_out_rows
        )
        self.step = 0
        self.budget = 1 if self.program.seconds_per_step is None else self._affordable()

    def train(
        self,
        epochs: int,
        patience: int | None,
        callbacks: Sequence[Callback],
        show: Callable[[History], None],
    ) -> None:
        """Run the epochs, and leave the weights that are to be kept in the model."""
        history = self.history
        best = self.carry, 0
        one_at_a_time = bool(callbacks) or patience is not None
        began = time.perf_counter()
        try:
            while history.stopped == "running":
                done = history.epochs
                self._call(1 if one_at_a_time else epochs - done)
                history.seconds = time.perf_counter() - began
                history.first_call_seconds = history.first_call_seconds or history.seconds
                if history.epochs == done:
                    continue
                if patience is not None and history.best_epoch == history.epochs:
                    best = self.carry, history.epochs
                show(history)
                if callbacks and self._tell(callbacks):
                    history.stopped = "by callback"
                elif history.epochs == epochs:
                    history.stopped = "finished"
                elif patience is not None and history.epochs - history.best_epoch >= patience:
                    history.stopped = "early"
        except (KeyboardInterrupt, SystemError) as error:
            if not _is_interrupt(error):
                raise
            history.stopped = "interrupted"
            print(
                f"Interrupted after {history.epochs} of {epochs} epochs. "
                "The model keeps what it has learnt."
            )
        finally:
            kept = self.carry, history.epochs
            if history.stopped == "diverged":
                kept = self.epoch_end, history.epochs
            elif patience is not None:
                kept = best
            with contextlib.suppress(KeyboardInterrupt):  # the run ends here anyway
                self._put(*kept)

    def _call(self, epochs_left: int) -> None:
        """One compiled call: some whole epochs, or some steps of one."""
        tf = tensorflow()
        orders = np.zeros((orders_at_once(self.rows), self.rows), dtype=np.int32)
        first, last, count = self.step, min(self.batches, self.step + self.budget), 1
        if first == 0 and last == self.batches:
            count = min(len(orders), epochs_left, self.budget // self.batches)
        for i in range(count):
            orders[i] = self._order(self.history.epochs + i)
        arguments = (
            self.train_rows,
            self.held_out_rows,
            tf.constant(orders),
            tf.constant(count),
            tf.constant(first),
            tf.constant(last),
            self.rate,
        )
        began = time.perf_counter()
        carry, totals = self.program.advance(self.carry, *arguments)
        sums = np.stack([column.numpy() for column in totals])[:, :count].astype(float)
        self._pace(time.perf_counter() - began, count * (last - first))

        finite = int(np.argmin(sums[-1])) if not sums[-1].all() else count
        if finite < count:
            self._diverge(finite, sums, arguments)
        self.carry = carry
        self.step = last % self.batches
        if self.step == 0:
            self._record(sums)
            self.epoch_end = carry

    def _order(self, epoch: int) -> Any:
        """The order of the rows in one epoch; it depends on nothing but seed and epoch."""
        if not self.shuffle:
            return np.arange(self.rows)
        return np.random.default_rng([self.history.seed, epoch]).permutation(self.rows)

    def _record(self, sums: Any) -> None:
        """Add the epochs that have ended to the history; `sums` as in `Totals`."""
        classes, validated = self.goal.right is not None, self.validation_rows > 0
        self.history.records.extend(
            Epoch(
                loss=loss / self.rows,
                accuracy=right / self.rows if classes else None,
                val_loss=val_loss if validated else None,
                val_accuracy=val_right / self.validation_rows if classes and validated else None,
            )
            for loss, right, val_loss, val_right in sums[:4].T.tolist()
        )

    def _pace(self, seconds: float, steps: int) -> None:
        """Learn from this call how many steps the next may take."""
        if self.history.first_call_seconds or self.program.seconds_per_step is not None:
            self.program.seconds_per_step = seconds / steps
            self.budget = min(16 * self.budget, self._affordable())
        else:
            self.budget = 8

    def _affordable(self) -> int:
        assert self.program.seconds_per_step is not None
        return max(1, int(SECONDS_PER_CALL / self.program.seconds_per_step))

    def _diverge(self, finite: int, sums: Any, arguments: tuple[Any, ...]) -> None:
        """Go back to the last epoch in which all was finite, and say so.

        The carry from before the call still stands, so the finite epochs of this call are run again
        from there.
        """
        if finite:
            rows, held_out, orders, _, first, last, rate = arguments
            again = tensorflow().constant(finite)
            self.epoch_end, _ = self.program.advance(
                self.carry, rows, held_out, orders, again, first, last, rate
            )
            self._record(sums[:, :finite])
        history = self.history
        history.stopped = "diverged"
        rate = history.rule.learning_rate
        error = DivergedError(
            situation=f"While training with {history.rule}",
            seen=f"in epoch {history.epochs + 1} the loss or a weight became infinite or NaN",
            wrong=f"with the rate {rate:g} the steps overshoot and grow",
            fix=f"try a smaller rate, such as {rate / 10:g}; or scale the columns of the data to "
            "about -1 … 1. The model keeps the weights "
            + (f"after epoch {history.epochs}" if history.epochs else "that it started with"),
        )
        error.history = history
        raise error

    def _tell(self, callbacks: Sequence[Callback]) -> bool:
        """Call each callback with the model up to date; whether one of them asks to stop."""
        self._put(self.carry, self.history.epochs)
        answers = [callback(self.history) for callback in callbacks]
        return any(isinstance(answer, bool | np.bool_) and answer for answer in answers)

    def _put(self, carry: Carry, epoch: int) -> None:
        """Write into the model, all of it: Ctrl-C in the middle takes effect afterwards."""
        interrupt, written = None, False
        while not written:
            try:
                self.model.write(carry.weights, carry.state)
                self.history.kept_epoch = epoch
                written = True
            except KeyboardInterrupt as pressed:
                interrupt = pressed
        if interrupt is not None:
            raise interrupt


def _is_interrupt(error: BaseException) -> bool:
    """Ctrl-C, which TensorFlow's C++ code may wrap in a SystemError."""
    return isinstance(error, KeyboardInterrupt) or isinstance(error.__cause__, KeyboardInterrupt)
