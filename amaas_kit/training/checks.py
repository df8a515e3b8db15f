"""What must hold before training starts, and the rows in the form that the model takes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from amaas_kit.data import Dataset
from amaas_kit.errors import TrainingError
from amaas_kit.session import tensorflow
from amaas_kit.training.objective import Objective
from amaas_kit.training.program import Rows
from amaas_kit.training.pure import PureModel


def as_rows(model: PureModel, x: Any, y: Any) -> Rows:
    """Arrays as tensors: x in the model's input shape, class labels as int32."""
    tf = tensorflow()
    labels = "int32" if np.issubdtype(y.dtype, np.integer) else model.dtype
    return Rows(
        tf.constant(np.reshape(x, (len(x), *model.input_shape)), model.dtype),
        tf.constant(y, labels),
    )


def check_data(data: Any, name: str, kinds: tuple[type, ...] = (Dataset,)) -> None:
    """Refuse what is no data set, such as a pair of arrays.

    Raises:
        TrainingError: which names the argument and its type.
    """
    if not isinstance(data, kinds):
        wanted = " or a ".join(kind.__name__ for kind in kinds)
        raise _refusal(
            f"{name} is a {type(data).__name__}",
            f"{name} must be a {wanted}, which checks its rows and labels once",
            f"pass {name}=amaas_kit.data.Dataset(x, y)",
        )


def check_settings(
    train: Dataset,
    validation: Dataset | None,
    *,
    epochs: int,
    batch_size: int,
    patience: int | None,
    callbacks: Sequence[Any],
) -> None:
    """Refuse settings with which no run can start.

    Raises:
        TrainingError: which names the setting.
    """
    if not (isinstance(callbacks, list | tuple) and all(map(callable, callbacks))):
        raise _refusal(
            f"callbacks={callbacks!r}",
            "callbacks are functions that take the history, in a list",
            "pass for example callbacks=[lambda history: print(history)]",
        )
    settings = {"epochs": epochs, "batch_size": batch_size}
    if patience is not None:
        settings["patience"] = patience
    for name, value in settings.items():
        whole = isinstance(value, int | np.integer) and not isinstance(value, bool)
        if not (whole and value >= 1):
            raise _refusal(
                f"{name}={value!r}",
                f"{name} must be a whole number of 1 or more",
                f"pass for example {name}={32 if name == 'batch_size' else 10}",
            )
    if batch_size > train.rows:
        raise _refusal(
            f"batch_size={batch_size} and {train.rows} training rows",
            "a batch cannot hold more rows than there are",
            f"pass batch_size={min(32, train.rows)}, or any number up to {train.rows}",
        )
    if patience is not None and validation is None:
        raise _refusal(
            f"patience={patience} and no validation rows",
            "without them there is no best epoch to stop at",
            "pass a Split, or validation=Dataset(x, y), or leave patience out",
        )


def check_fit(model: PureModel, goal: Objective, data: Dataset, part: str) -> None:
    """Refuse rows and labels that the model's input, output and loss do not suit.

    Args:
        part: what the rows are for, "training" or "validation".

    Raises:
        TrainingError: which names both sizes.
    """
    if part == "training" and not model.parameters:
        raise _refusal(
            "a model that has no weights that train",
            "there is nothing that training could change",
            "set trainable = True on a layer that has weights",
        )
    _check_shape(data.x.shape[1:], model.input_shape, part)
    outputs, y = model.outputs, data.y
    doubled = {"cross_entropy": "softmax", "binary_cross_entropy": "sigmoid"}.get(goal.name)
    if doubled is not None and model.final_activation == doubled:
        raise _refusal(
            f"a last layer with {doubled}, and the loss {goal.name!r}",
            f"this loss starts from logits and applies {doubled} itself; twice is wrong",
            "end the model without an activation",
        )
    _check_labels(goal, outputs, y, part)


def _check_shape(row: tuple[int, ...], wanted: tuple[int, ...], part: str) -> None:
    """Rows may be flattened or the reverse, which keeps the order of their numbers."""
    numbers = math.prod(row)
    if numbers != math.prod(wanted):
        raise _refusal(
            f"{part} rows of {numbers} numbers, and a model whose input is {wanted}",
            f"the first layer takes {math.prod(wanted)} numbers a row",
            f"make the model's input {numbers} wide, or pass the data that it was made for",
        )
    if 1 not in (len(row), len(wanted)) and _without_ones(row) != _without_ones(wanted):
        raise _refusal(
            f"{part} rows of shape {row}, and a model whose input is {wanted}",
            "the same numbers in another order of axes are another picture",
            "move the axes of x with numpy.moveaxis, or make the model's input of that shape",
        )


def _without_ones(shape: tuple[int, ...]) -> list[int]:
    return [size for size in shape if size != 1]


def _check_labels(goal: Objective, outputs: int, y: Any, part: str) -> None:
    values, highest = math.prod(y.shape[1:]), max(1, outputs - 1)  # one output says yes or no
    whole = bool(np.issubdtype(y.dtype, np.integer))
    if goal.name == "binary_cross_entropy" and outputs != 1 and whole:
        raise _refusal(
            f"loss='binary_cross_entropy' and a model with {outputs} outputs",
            "a yes-or-no loss looks at a single output",
            "end the model with 1 output, or use loss='cross_entropy'",
        )
    if goal.name == "cross_entropy" and outputs < 2:
        raise _refusal(
            "loss='cross_entropy' and a model with 1 output",
            "cross-entropy compares one output for each class",
            f"end the model with {int(y.max()) + 1} outputs, or use loss='binary_cross_entropy'",
        )
    wanted = {"class": 1, "numbers": outputs, "any": values}[goal.row_label]
    if values != wanted:
        raise _refusal(
            f"{values} value(s) a row in the {part} labels, and a model with {outputs} output(s)",
            f"the loss {goal.name!r} takes {wanted} value(s) a row with this model",
            "use loss='cross_entropy' for class numbers"
            if whole
            else f"end the model with {values} output(s), or choose another loss",
        )
    if goal.right is not None and whole and y.max() > highest:
        raise _refusal(
            f"{part} labels from {y.min()} to {y.max()}, and a model with {outputs} output(s)",
            f"labels must lie between 0 and {highest}, the model's classes",
            f"end the model with {int(y.max()) + 1} outputs, or number the classes from 0",
        )
    if goal.name == "binary_cross_entropy" and (y.min() < 0 or y.max() > 1):
        raise _refusal(
            f"{part} labels from {y.min():g} to {y.max():g}, and the loss 'binary_cross_entropy'",
            "labels must lie between 0 (no) and 1 (yes)",
            "use loss='mse' for values",
        )


def _refusal(seen: str, wrong: str, fix: str) -> TrainingError:
    return TrainingError(
        situation="While preparing the training run", seen=seen, wrong=wrong, fix=fix
    )
