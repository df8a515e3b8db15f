"""A table of features and targets that fit each other: made, read from a file, cut, divided."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

from amaas_kit.data import checks, drawing
from amaas_kit.data.arrays import Array, Floats
from amaas_kit.data.split import Split
from amaas_kit.data.table import Table
from amaas_kit.data.targets import Labels, Task, encode_target
from amaas_kit.errors import DataError


@dataclass(frozen=True, eq=False, repr=False)
class Dataset:
    """Features and targets that fit each other; the arrays are copies and read-only.

    Whole-number (or boolean) targets are class numbers, float targets are values. Labels that are
    text, or numbers that do not count from 0, become class numbers with `class_numbers`.

    Args:
        x: (n, d) features, or (n, height, width, ...) images; numbers or booleans, kept as
            float32, which is exact for whole numbers up to 16,777,216.
        y: (n,) class numbers, kept as int64; or (n,) or (n, k) values, kept as float32.
        name: what the data is called in reports and errors.
        columns: names of the d features.
        labels: names of the classes, at the place of their number. Left out, the classes are
            called 0, 1, 2, ..., and each must occur in `y`.
        bounds: the least and greatest number that x can hold by definition, if there are such;
            not those that happen to occur.

    Raises:
        DataError: there is no row, the shapes or dtypes do not fit, a number is NaN, infinite or
            out of bounds, or a class number has no label.

    Taught in: notebooks/04_first_network, "Split without leakage".
    """

    x: Floats
    y: Array
    name: str = field(default="own data", kw_only=True)
    columns: tuple[str, ...] | None = field(default=None, kw_only=True)
    labels: Labels | None = field(default=None, kw_only=True)
    bounds: tuple[float, float] | None = field(default=None, kw_only=True)

    def __post_init__(self) -> None:
        situation = f"While making the data set {self.name!r}"
        x = checks.numeric(self.x, situation)
        columns = checks.column_names(self.columns, x, situation)
        bounds = checks.bounds(self.bounds, situation)
        x = checks.features(x, columns, bounds, situation)
        y, labels = checks.target(self.y, self.labels, len(x), situation)
        values = {"x": x, "y": y, "columns": columns, "labels": labels, "bounds": bounds}
        for attribute, value in values.items():
            object.__setattr__(self, attribute, value)

    @property
    def rows(self) -> int:
        """How many rows, n."""
        return len(self.x)

    @property
    def features(self) -> int:
        """How many numbers a row has: d, or height x width x ... of an image."""
        return math.prod(self.x.shape[1:])

    @property
    def classes(self) -> int | None:
        """How many classes there are, or None where the target holds values."""
        return None if self.labels is None else len(self.labels)

    @property
    def task(self) -> Task:
        """What there is to learn: "classification" or "regression"."""
        return "regression" if self.labels is None else "classification"

    def __iter__(self) -> Iterator[Array]:
        """Unpack: `x, y = dataset`."""
        return iter((self.x, self.y))

    def __repr__(self) -> str:
        shape = " x ".join(str(size) for size in self.x.shape[1:])
        target = "values" if self.labels is None else f"{len(self.labels)} classes"
        return f"Dataset({self.name!r}: {self.rows:,} rows, {shape} features, {target})"

    def take(self, indices: npt.ArrayLike) -> Dataset:
        """The data set of these rows, in this order, with the same columns, labels and bounds.

        Args:
            indices: (m,) row numbers from 0, or (n,) booleans that mark the rows.

        Raises:
            DataError: there is no such row, no row at all, or the indices are not row numbers.
        """
        chosen = np.asarray(indices)
        try:
            if chosen.ndim != 1 or chosen.dtype.kind not in "biu":
                raise IndexError(f"indices of shape {chosen.shape} and dtype {chosen.dtype}")
            x, y = self.x[chosen], self.y[chosen]
        except IndexError as error:
            raise DataError(
                situation=f"While taking rows of {self.name!r}",
                seen=str(error),
                wrong=f"the {self.rows:,} rows have the numbers 0 to {self.rows - 1}",
                fix="pass a list of row numbers, or one boolean a row",
            ) from None
        x.setflags(write=False)
        y.setflags(write=False)
        return Dataset(
            x, y, name=self.name, columns=self.columns, labels=self.labels, bounds=self.bounds
        )

    def split(
        self,
        by: str = "random",
        validation: float = 0.1,
        test: float = 0.15,
        seed: int | np.random.Generator = 0,
        blocks: int | Sequence[int] = 10,
    ) -> Split:
        """Divide the rows into training, validation and test; each row is in exactly one.

        by="random" draws rows by chance. Each class has its share in each part within one row
        (stratified), so that a rare class is in all of them. Rows that belong together (one
        writer, one patient, one day) end up on both sides, and the test then flatters the model.

        by="block" cuts the table into contiguous blocks and draws whole blocks. Rows that stand
        together stay together, so that the test holds what the model never saw; the shares are
        those of the blocks, rounded to whole ones.

        Args:
            by: "random" or "block".
            validation: share of the validation part, above 0.
            test: share of the test part, above 0; training gets the rest.
            seed: a whole number, for the same split each time, or a generator to draw from.
            blocks: for by="block", how many blocks of equal length, or the first row of each.

        Raises:
            DataError: a class would be missing from a part, or an argument makes no sense.

        Taught in: notebooks/04_first_network, "Split without leakage".
        """
        shares = checks.shares(validation, test)
        generator = drawing.generator_from(seed)
        if by == "random":
            classes = None if self.labels is None else self.y
            parts = drawing.random_parts(classes, self.labels, self.rows, shares, generator)
        elif by == "block":
            parts = drawing.block_parts(self.rows, blocks, shares, generator)
        else:
            raise DataError(
                situation=f"While splitting {self.name!r}",
                seen=f"by={by!r}",
                wrong="there is no such way to split",
                fix='pass by="random", or by="block" where neighbouring rows belong together',
            )
        number = None if isinstance(seed, np.random.Generator) else int(seed)
        train, held_out, unseen = (self.take(part) for part in parts)
        return Split(train, held_out, unseen, by=by, seed=number, name=self.name)

    @classmethod
    def from_csv(
        cls,
        path: str | os.PathLike[str],
        target: str,
        *,
        columns: Sequence[str] | None = None,
        task: Task | None = None,
        separator: str | None = None,
        name: str | None = None,
        bounds: tuple[float, float] | None = None,
    ) -> Dataset:
        """Read a CSV file with a header, UTF-8, decimals with a point.

        The target becomes class numbers or values by a rule. Text is classification. Whole
        numbers (1 and 1.0 alike) are classification when they have at most 50 distinct values
        and at least two rows a value on the average, else regression. Numbers with a fraction
        are regression. `task` decides otherwise. Labels are sorted.

        Args:
            path: the file.
            target: the column to predict.
            columns: the columns to learn from; left out, all but the target.
            task: "classification" or "regression", against the rule.
            separator: the character between fields; left out, comma, semicolon, tab or bar,
                whichever divides the header into the most names.
            name: of the data set; left out, the file's.
            bounds: as for `Dataset`.

        Raises:
            DataError: with file, row and column: the file is missing or cut short, a row has too
                few or too many fields, a feature is no number or missing, a column is missing or
                named twice, and whatever `Dataset` refuses.

        Taught in: notebooks/11_package_and_serve, "Your own CSV".
        """
        from amaas_kit.data.csv_file import read_csv

        table = read_csv(path, target, columns, separator, mixed_target=task == "classification")
        return cls._from_table(path, table, target, task, name, bounds)

    @classmethod
    def from_parquet(
        cls,
        path: str | os.PathLike[str],
        target: str,
        *,
        columns: Sequence[str] | None = None,
        task: Task | None = None,
        name: str | None = None,
        bounds: tuple[float, float] | None = None,
    ) -> Dataset:
        """Read a Parquet file with Polars; arguments, rule and errors as for `from_csv`.

        Raises:
            DataError: as for `from_csv`.
            MissingError: Polars is not installed.

        Taught in: notebooks/11_package_and_serve, "Your own CSV".
        """
        from amaas_kit.data.parquet_file import read_parquet

        table = read_parquet(path, target, columns)
        return cls._from_table(path, table, target, task, name, bounds)

    @classmethod
    def from_npz(
        cls,
        path: str | os.PathLike[str],
        x: str = "x",
        y: str = "y",
        *,
        task: Task | None = None,
        name: str | None = None,
        bounds: tuple[float, float] | None = None,
    ) -> Dataset:
        """Read an NPZ file of NumPy arrays, without pickle; the target by the rule of `from_csv`.

        Args:
            path: the file.
            x: the array of features, (n, d) or images.
            y: the array of targets, (n,) or (n, k).
            task: "classification" or "regression", against the rule.
            name: of the data set; left out, the file's.
            bounds: as for `Dataset`.

        Raises:
            DataError: the file is missing, cut short or no NPZ file, or holds no such array, and
                whatever `Dataset` refuses.

        Taught in: notebooks/11_package_and_serve, "Your own CSV".
        """
        from amaas_kit.data.npz_file import read_npz

        features, values = read_npz(path, (x, y))
        return cls._from_table(path, Table(features, values, None), y, task, name, bounds)

    @classmethod
    def _from_table(
        cls,
        path: str | os.PathLike[str],
        table: Table,
        target: str,
        task: Task | None,
        name: str | None,
        bounds: tuple[float, float] | None,
    ) -> Dataset:
        situation = f"While reading the target {target!r} of {os.fspath(path)}"
        y, labels = encode_target(table.target, task, situation)
        return cls(
            table.x,
            y,
            name=name or Path(path).name,
            columns=table.columns,
            labels=labels,
            bounds=bounds,
        )
