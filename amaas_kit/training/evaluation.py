"""How good a model is on rows that it did not learn from, beside a trivial baseline."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from amaas_kit.data import Dataset
from amaas_kit.session import tensorflow
from amaas_kit.training.checks import as_rows, check_data, check_fit
from amaas_kit.training.objective import Objective, loss_for, objective
from amaas_kit.training.program import measurer
from amaas_kit.training.pure import pure


@dataclass(frozen=True)
class Evaluation:
    """A model measured on a data set.

    Attributes:
        rows: how many rows were measured.
        loss: the mean loss over them.
        accuracy: share of right answers; None for values.
        baseline: what a model reaches that looks at no feature: the accuracy of always answering
            the most frequent class; where there is no accuracy, the loss of always answering the
            mean.
        data: the name of the data set.
    """

    rows: int
    loss: float
    accuracy: float | None
    baseline: float
    data: str


def evaluate(model: Any, data: Dataset, loss: Any = None) -> Evaluation:
    """Measure a model without training it.

    Args:
        model: a Network or a Keras model, as for `fit`.
        data: the rows, such as `split.test`.
        loss: as for `fit`.

    Raises:
        TrainingError: model, data and loss do not go together.

    Taught in: notebooks/04_first_network.
    """
    check_data(data, "data")
    pure_model = pure(model, data.x.shape[1:])
    goal = objective(loss_for(model, loss), data.y)
    check_fit(pure_model, goal, data, "evaluation")
    rows = as_rows(pure_model, data.x, data.y)
    measured = measurer(pure_model, goal, rows)(*pure_model.read(), rows)
    return Evaluation(
        rows=data.rows,
        loss=float(measured.loss),
        accuracy=None if goal.right is None else float(measured.right) / data.rows,
        baseline=_baseline(goal, data.y),
        data=data.name,
    )


def _baseline(goal: Objective, y: Any) -> float:
    if goal.right is not None:
        return float(np.unique(y, return_counts=True)[1].max() / len(y))
    tf = tensorflow()
    values = np.reshape(y, (len(y), -1)).astype("float32")
    mean = np.broadcast_to(values.mean(axis=0), values.shape)
    if goal.row_label == "numbers":
        return float(goal.loss(tf.constant(mean), tf.constant(values)))
    return float(np.mean((values - mean) ** 2))
