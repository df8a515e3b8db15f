"""What a training run did: one value an epoch, the settings, and the data that it saw."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, NamedTuple

from amaas_kit.data import Dataset, Split
from amaas_kit.training.rules import Rule

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Stopped = Literal["running", "finished", "early", "by callback", "interrupted", "diverged"]


@dataclass(frozen=True)
class DataFacts:
    """What a model card and a request contract need to know of the training data.

    Attributes:
        minimum, maximum: smallest and largest feature value among the training rows.
        bounds: the range that the features have by definition, where there is one.
        by, split_seed: how the rows were divided; None for an undivided data set.
    """

    name: str
    task: str
    rows: int
    features: int
    minimum: float
    maximum: float
    bounds: tuple[float, float] | None
    columns: tuple[str, ...] | None
    labels: tuple[str | int, ...] | None
    validation_rows: int
    by: str | None
    split_seed: int | None

    @classmethod
    def of(cls, data: Split | Dataset, validation: Dataset | None) -> DataFacts:
        """The facts of the rows that `fit` trains on."""
        train = data.train if isinstance(data, Split) else data
        return cls(
            name=train.name,
            task=train.task,
            rows=train.rows,
            features=train.features,
            minimum=float(train.x.min()),
            maximum=float(train.x.max()),
            bounds=train.bounds,
            columns=train.columns,
            labels=train.labels,
            validation_rows=validation.rows if validation is not None else 0,
            by=data.by if isinstance(data, Split) else None,
            split_seed=data.seed if isinstance(data, Split) else None,
        )


class Epoch(NamedTuple):
    """The figures of one finished epoch; None where there is nothing to measure."""

    loss: float
    accuracy: float | None
    val_loss: float | None
    val_accuracy: float | None


@dataclass
class History:
    """The course of one training run.

    Attributes:
        rule, loss_name, batch_size, seed: the settings; with them the run can be repeated.
        data: what the run saw.
        records: the figures of each finished epoch.
        seconds: wall time of the run.
        first_call_seconds: wall time of its first call, which traces and compiles unless an earlier
            run of the same kind did.
        stopped: why the run ended.
        kept_epoch: the epoch after which the model's weights stand; 0 is before the first. After an
            interruption the model may also hold steps of the epoch that was under way.
    """

    rule: Rule
    loss_name: str
    batch_size: int
    seed: int
    data: DataFacts
    records: list[Epoch] = field(default_factory=list)
    seconds: float = 0.0
    first_call_seconds: float = 0.0
    stopped: Stopped = "running"
    kept_epoch: int = 0

    @property
    def epochs(self) -> int:
        """How many epochs were finished."""
        return len(self.records)

    @property
    def loss(self) -> list[float]:
        """Mean loss of each epoch over the training rows, as they were met."""
        return [record.loss for record in self.records]

    @property
    def accuracy(self) -> list[float]:
        """Share of training rows answered right in each epoch, as they were met; [] for values."""
        return [record.accuracy for record in self.records if record.accuracy is not None]

    @property
    def val_loss(self) -> list[float]:
        """Mean loss over the validation rows after each epoch; [] without validation."""
        return [record.val_loss for record in self.records if record.val_loss is not None]

    @property
    def val_accuracy(self) -> list[float]:
        """Share of validation rows answered right after each epoch; [] for values."""
        return [record.val_accuracy for record in self.records if record.val_accuracy is not None]

    @property
    def best_epoch(self) -> int:
        """The epoch, from 1, with the least validation loss (loss where nothing was validated)."""
        watched = [math.inf if math.isnan(value) else value for value in self.val_loss or self.loss]
        return watched.index(min(watched)) + 1 if watched else 0

    def __repr__(self) -> str:
        parts = [f"{self.epochs} epochs"]
        for name in ("loss", "accuracy", "val_loss", "val_accuracy"):
            values = getattr(self, name)
            if values:
                parts.append(f"{name} {values[-1]:.4f}")
        return f"History({', '.join(parts)}, {self.stopped})"

    def plot(self) -> Figure:
        """The loss and, for classes, the accuracy by epoch: training beside validation.

        Returns:
            A matplotlib Figure.
        """
        from matplotlib import pyplot as plt

        figure, axes = plt.subplots(
            1,
            len(self.panels),
            figsize=(4.2 * len(self.panels), 3.2),
            squeeze=False,
            layout="constrained",
        )
        self.draw(axes[0])
        return figure

    @property
    def panels(self) -> list[str]:
        """What there are curves of: the loss and, for classes, the accuracy."""
        return ["loss"] + ["accuracy"] * bool(self.accuracy)

    def draw(self, axes: Sequence[Axes]) -> None:
        """Draw the curves of `plot`, one panel an axis, into axes of yours.

        Args:
            axes: empty, as many as there are `panels`.
        """
        from matplotlib import ticker

        epochs = range(1, self.epochs + 1)
        marker = "o" if self.epochs == 1 else ""
        for axis, name in zip(axes, self.panels, strict=True):
            axis.plot(epochs, getattr(self, name), label="training", marker=marker)
            validated = getattr(self, f"val_{name}")
            if validated:
                axis.plot(epochs, validated, "--", label="validation", marker=marker)
                axis.axvline(
                    self.best_epoch, color="grey", linewidth=0.8, linestyle=":", label="best epoch"
                )
            if name == "loss" and all(0 < value < math.inf for value in self.loss):
                axis.set_yscale("log")
                few = max(self.loss, default=1) < 100 * min(self.loss, default=1)
                axis.yaxis.set_major_locator(ticker.LogLocator(subs=(1, 2, 5) if few else (1,)))
                axis.yaxis.set_major_formatter("{x:g}")
                axis.yaxis.set_minor_locator(ticker.NullLocator())
            axis.xaxis.set_major_locator(ticker.MaxNLocator(6, integer=True, min_n_ticks=1))
            axis.set_xlim(0.5, max(self.epochs, 1) + 0.5)
            axis.set_xlabel("epoch")
            axis.set_ylabel(name)
        handles, labels = axis.get_legend_handles_labels()
        axis.figure.legend(handles, labels, loc="outside upper center", ncols=3, frameon=False)
