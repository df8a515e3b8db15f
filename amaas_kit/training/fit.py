"""Training: many steps a call, watched once an epoch, interrupted without loss."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import is_dataclass
from typing import Any, cast

import numpy as np

from amaas_kit.data import Dataset, Split
from amaas_kit.errors import TrainingError
from amaas_kit.training.checks import check_data, check_fit, check_settings
from amaas_kit.training.history import DataFacts, History
from amaas_kit.training.loop import Callback, Run
from amaas_kit.training.objective import loss_for, objective
from amaas_kit.training.pure import pure
from amaas_kit.training.rules import Adam, Rule, from_keras


def fit(
    model: Any,
    data: Split | Dataset,
    rule: Any = None,
    epochs: int = 20,
    batch_size: int = 32,
    loss: Any = None,
    seed: int | np.random.Generator | None = None,
    *,
    validation: Dataset | None = None,
    shuffle: bool = True,
    patience: int | None = None,
    callbacks: Sequence[Callback] = (),
    progress: bool | None = None,
) -> History:
    """Train a model in place, as `keras.Model.fit` would, many steps a call.

    Each run starts its rule afresh: what a rule remembers (momentum, Adam's means) does not pass
    from one run to the next. The last batch of an epoch holds what is left, as in Keras.

    Args:
        model: an `amaas_kit.network.Network`, or a built Keras model with one input and one output
            of shape (n, k). Rows are flattened, or the reverse, where the model's input wants it
            (64 numbers, 8 x 8 x 1).
        data: a Split (its validation part is measured after each epoch) or a Dataset.
        rule: an update rule of `amaas_kit.training`, or a fresh Keras optimizer. By default the
            optimizer of a compiled Keras model, else Adam(0.001).
        epochs: how often to go through the rows.
        batch_size: rows a step; at most the rows of the data.
        loss: "cross_entropy", "mse", "binary_cross_entropy" (both cross-entropies from logits), a
            Keras loss, or None: the loss that a Keras model was compiled with, else cross-entropy
            for whole-number labels and mean squared error for others.
        seed: of the order of the rows and of dropout; the same seed on the same machine gives the
            same weights and history, bit for bit. None draws one, which the history states. A
            Keras layer that was made with a seed of its own keeps to that.
        validation: rows to measure after each epoch, in place of the split's.
        shuffle: draw a new order for each epoch.
        patience: stop after so many epochs without a smaller validation loss, and keep the weights
            of the best epoch. None trains all epochs and keeps the last weights.
        callbacks: functions that are called with the history after each epoch, when the model holds
            the weights of that epoch, to look at, not to change; one that returns True ends the
            run.
        progress: show a bar; None shows one, from the second second on, where somebody can see it.

    Returns:
        The history of the run. After Ctrl-C or the stop button the model keeps what it has learnt
        and the history says "interrupted".

    Raises:
        TrainingError: settings, data and model that do not go together, and a Keras model, loss or
            optimizer with which `keras.Model.fit` would compute something else.
        DivergedError: the loss or a weight left the finite numbers; the model keeps the weights of
            the last epoch in which all were finite, and the error's `history` says how it went.

    Taught in: notebooks/04_first_network.
    """
    check_data(data, "data", (Split, Dataset))
    train = data.train if isinstance(data, Split) else data
    if validation is None and isinstance(data, Split):
        validation = data.validation
    if validation is not None:
        check_data(validation, "validation")
    pure_model = pure(model, train.x.shape[1:])
    rule = _choose_rule(model, rule)
    goal = objective(loss_for(model, loss), train.y)
    check_settings(
        *(train, validation),
        epochs=epochs,
        batch_size=batch_size,
        patience=patience,
        callbacks=callbacks,
    )
    check_fit(pure_model, goal, train, "training")
    if validation is not None:
        check_fit(pure_model, goal, validation, "validation")
    history = History(
        rule=rule,
        loss_name=goal.name,
        batch_size=batch_size,
        seed=_draw(seed),
        data=DataFacts.of(data, validation),
    )
    run = Run(pure_model, goal, history, train, validation, shuffle=shuffle)
    try:
        with _progress_bar(epochs, progress) as show:
            run.train(epochs, patience, callbacks, show)
    finally:
        for callback in callbacks:
            if callable(ended := getattr(callback, "ended", None)):
                ended(history)
    return history


def _choose_rule(model: Any, rule: Any) -> Rule:
    if rule is None:
        rule = getattr(model, "optimizer", None) or Adam()
    made = not isinstance(rule, type)  # Adam() is a rule, Adam is not
    if made and hasattr(rule, "slot_count") and is_dataclass(rule):
        return cast(Rule, rule)
    if made and hasattr(rule, "get_config") and hasattr(rule, "iterations"):
        return from_keras(rule)
    raise TrainingError(
        situation="While choosing the update rule",
        seen=f"rule={rule!r}",
        wrong="it is neither a rule of amaas_kit.training, a dataclass, nor a Keras optimizer",
        fix="pass for example rule=amaas_kit.training.Adam(1e-3), or SGD(0.01)",
    )


def _draw(seed: int | np.random.Generator | None) -> int:
    if isinstance(seed, np.random.Generator):
        return int(seed.integers(2**31))
    if seed is None:
        return int(np.random.default_rng().integers(2**31))
    if isinstance(seed, bool) or not isinstance(seed, int | np.integer) or seed < 0:
        raise TrainingError(
            situation="While seeding the training run",
            seen=f"seed={seed!r}",
            wrong="a seed is a whole number of 0 or more, or a numpy.random.Generator",
            fix="pass for example seed=7",
        )
    return int(seed)


@contextlib.contextmanager
def _progress_bar(epochs: int, wanted: bool | None) -> Iterator[Callable[[History], None]]:
    """A bar that appears after two seconds, in a notebook as a widget."""
    notebook = "ipykernel" in sys.modules
    if wanted is None:
        wanted = notebook or sys.stderr.isatty()
    if not wanted:
        yield lambda history: None
        return
    from tqdm.auto import tqdm

    with tqdm(total=epochs, unit="epoch", desc="training", delay=2, leave=False) as bar:

        def show(history: History) -> None:
            bar.set_postfix(loss=f"{history.loss[-1]:.4f}", refresh=False)
            bar.update(history.epochs - bar.n)

        yield show
