"""What must hold before training starts, and the rows in the form that the model takes."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from amaas_kit.data import Dataset
from amaas_kit.errors import TrainingError
from amaas_kit.session import tensorflow
from amaas_kit.training.objective import Objective
from amaas_kit.training.program import Rows
from amaas_kit.training.pure import PureModel


def as_rows(model: PureModel, x: Any, y: Any, dtype: Any) -> Rows:
    """Arrays as tensors: x in the model's input shape, class labels as int32."""
    tf = tensorflow()
    labels = "int32" if np.issubdtype(y.dtype, np.integer) else dtype
    return Rows(
        tf.constant(np.reshape(x, (len(x), *model.input_shape)), dtype),
        tf.constant(y, labels),
    )


def check_settings(
    train: Dataset,
    validation: Dataset | None,
    *,
    epochs: int,
    batch_size: int,
    patience: int | None,
) -> None:
    """Refuse counts with which no run can start.

    Raises:
        TrainingError: which names the setting.
    """
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
    numbers, shape = math.prod(data.x.shape[1:]), model.input_shape
    if numbers != math.prod(shape):
        raise _refusal(
            f"{part} rows of {numbers} numbers, and a model whose input is {shape}",
            f"the first layer takes {math.prod(shape)} numbers a row",
            f"make the model's input {numbers} wide, or pass the data that it was made for",
        )
    outputs, y = model.outputs, data.y
    doubled = {"cross_entropy": "softmax", "binary_cross_entropy": "sigmoid"}.get(goal.name)
    if doubled is not None and model.final_activation == doubled:
        raise _refusal(
            f"a last layer with {doubled}, and the loss {goal.name!r}",
            f"this loss starts from logits and applies {doubled} itself; twice is wrong",
            "end the model without an activation",
        )
    if np.issubdtype(y.dtype, np.integer):
        _check_classes(goal, outputs, y, part)
    elif goal.name == "mse" and math.prod(y.shape[1:]) != outputs:
        raise _refusal(
            f"{math.prod(y.shape[1:])} value(s) a row in the {part} labels, "
            f"and a model with {outputs} output(s)",
            "each value needs one output of its own",
            f"end the model with {math.prod(y.shape[1:])} output(s)",
        )


def _check_classes(goal: Objective, outputs: int, y: Any, part: str) -> None:
    highest = max(1, outputs - 1)  # a single output answers yes or no
    if goal.name == "binary_cross_entropy" and outputs != 1:
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
    if goal.right is not None and (y.min() < 0 or y.max() > highest):
        raise _refusal(
            f"{part} labels from {y.min()} to {y.max()}, and a model with {outputs} output(s)",
            f"labels must lie between 0 and {highest}, the model's classes",
            f"end the model with {int(y.max()) + 1} outputs, or number the classes from 0",
        )


def _refusal(seen: str, wrong: str, fix: str) -> TrainingError:
    return TrainingError(
        situation="While preparing the training run", seen=seen, wrong=wrong, fix=fix
    )
