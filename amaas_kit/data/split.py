"""The three parts of a data set that a model is trained, chosen and judged by."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from amaas_kit.data.targets import Labels
from amaas_kit.errors import DataError

if TYPE_CHECKING:
    from amaas_kit.data.dataset import Dataset


@dataclass(frozen=True, eq=False, repr=False)
class Split:
    """Three data sets of one kind: to learn from, to choose by, and to judge by once at the end.

    Args:
        train: what the network learns from.
        validation: what settings and the moment to stop are chosen by.
        test: what the finished model is judged by.
        by: how the rows were drawn: "random", "block", or "published" where the source says
            which rows are for testing.
        seed: what they were drawn with; None if with a generator that was passed.
        name: of the data.

    Raises:
        DataError: the parts differ in shape, columns, labels or bounds, or a class has no row in
            one of them.

    Taught in: notebooks/04_first_network, "Split without leakage".
    """

    train: Dataset
    validation: Dataset
    test: Dataset
    by: str
    seed: int | None
    name: str

    def __post_init__(self) -> None:
        for part in ("validation", "test"):
            self._check_same_kind(part)
        if self.train.labels is not None:
            for part in ("train", "validation", "test"):
                self._check_every_class(part, self.train.labels)

    def __repr__(self) -> str:
        rows = ", ".join(
            f"{part} {getattr(self, part).rows:,}" for part in ("train", "validation", "test")
        )
        return f"Split({self.name!r} by {self.by}, seed {self.seed}: {rows} rows)"

    def _check_same_kind(self, part: str) -> None:
        mine, other = _kind(self.train), _kind(getattr(self, part))
        for what, value in mine.items():
            if other[what] != value:
                raise DataError(
                    situation=f"While splitting {self.name!r}",
                    seen=f"{what} {value} in train and {other[what]} in {part}",
                    wrong="a network that fits one part could not be measured on the other",
                    fix="make the parts from one data set with dataset.split(...)",
                )

    def _check_every_class(self, part: str, labels: Labels) -> None:
        y = getattr(self, part).y
        missing = np.flatnonzero(np.bincount(y, minlength=len(labels)) == 0)
        if missing.size == 0:
            return
        where = ", ".join(repr(labels[number]) for number in missing[:5])
        more = f" and {missing.size - 5} more" if missing.size > 5 else ""
        raise DataError(
            situation=f"While splitting {self.name!r} by {self.by} with seed {self.seed}",
            seen=f"no row of class {where}{more} among the {len(y):,} rows of {part}",
            wrong="what the model does with a class that is not there can be neither learnt nor "
            "measured",
            fix='use by="random", which puts each class into each part; or cut more and smaller '
            "blocks, or take another seed",
        )


def _kind(dataset: Dataset) -> dict[str, Any]:
    return {
        "features of shape": dataset.x.shape[1:],
        "targets of shape": dataset.y.shape[1:],
        "columns": dataset.columns,
        "labels": dataset.labels,
        "bounds": dataset.bounds,
    }
