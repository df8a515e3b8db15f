"""How good a model is on rows that it did not learn from, beside a trivial baseline."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from amaas_kit.data import Dataset
from amaas_kit.training.checks import as_rows, check_fit
from amaas_kit.training.objective import objective
from amaas_kit.training.program import measurer
from amaas_kit.training.pure import pure


@dataclass(frozen=True)
class Evaluation:
    """A model measured on a data set.

    Attributes:
        rows: how many rows were measured.
        loss: the mean loss over them.
        accuracy: share of right answers; None for values.
        baseline: what a model reaches that looks at no feature: for classes the accuracy of always
            answering the most frequent one, for values the mean squared error of always answering
            the mean.
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
    pure_model = pure(model)
    goal = objective(loss if loss is not None else getattr(model, "loss", None), data.y)
    check_fit(pure_model, goal, data, "evaluation")
    weights, state = pure_model.read()
    rows = as_rows(pure_model, data.x, data.y, weights[0].dtype)
    mean_loss, right = measurer(pure_model, goal, rows)(weights, state, rows)
    return Evaluation(
        rows=data.rows,
        loss=float(mean_loss),
        accuracy=None if goal.right is None else float(right) / data.rows,
        baseline=_baseline(data.y),
        data=data.name,
    )


def _baseline(y: Any) -> float:
    if np.issubdtype(y.dtype, np.integer):
        return float(np.bincount(y).max() / len(y))
    return float(np.mean((y - y.mean(axis=0)) ** 2))
