"""What a data set must be: each check returns its argument, converted, or says what is wrong."""

from __future__ import annotations

import math
import numbers
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from amaas_kit.data.arrays import Array, Floats, as_array, frozen, to_float32, why_not_finite
from amaas_kit.data.targets import Labels
from amaas_kit.errors import DataError


def numeric(x: npt.ArrayLike, situation: str) -> Array:
    """Features as an array of numbers with rows and at least one number a row."""
    raw = as_array(x, "x", situation)
    if raw.dtype.kind not in "biuf":
        sample = next((f", such as {v!r}" for v in raw.ravel().tolist() if not _is_number(v)), "")
        raise DataError(
            situation=situation,
            seen=f"x of dtype {raw.dtype}{sample}",
            wrong="a feature must be a number",
            fix="turn text into numbers first (one column a category, 0 or 1), or leave it out",
        )
    if raw.ndim < 2:
        raise DataError(
            situation=situation,
            seen=f"x of shape {raw.shape}",
            wrong="x is a table: one row a sample, one column a feature",
            fix="pass x.reshape(-1, 1) for one feature, x.reshape(1, -1) for one sample",
        )
    if raw.size == 0:
        raise DataError(
            situation=situation,
            seen=f"x of shape {raw.shape}",
            wrong="there is nothing to learn from",
            fix="pass at least one row and one feature",
        )
    return raw


def _is_number(value: object) -> bool:
    if not isinstance(value, str):
        return isinstance(value, numbers.Real)
    try:
        float(value)
    except ValueError:
        return False
    return True


def column_names(columns: Sequence[str] | None, x: Array, situation: str) -> tuple[str, ...] | None:
    """Names for the columns of x, each text and unique, or None."""
    if columns is None:
        return None
    names = tuple(columns)
    if x.ndim != 2 or len(names) != x.shape[1]:
        raise DataError(
            situation=situation,
            seen=f"{len(names)} column names and x of shape {x.shape}",
            wrong="each feature has one name",
            fix=f"pass {x.shape[1]} names, or none" if x.ndim == 2 else "pass no names for images",
        )
    taken: set[str] = set()
    for name in names:
        if not isinstance(name, str) or not name or name in taken:
            raise DataError(
                situation=situation,
                seen=f"the column name {name!r}" + (" twice" if name in taken else ""),
                wrong="a column is found by its name, which is text and stands once",
                fix="give each column a name of its own",
            )
        taken.add(name)
    return names


def bounds(limits: tuple[float, float] | None, situation: str) -> tuple[float, float] | None:
    """The least and greatest number that x can hold, or None."""
    if limits is None:
        return None
    try:
        low, high = (float(limit) for limit in limits)
    except (TypeError, ValueError):
        low = high = math.nan
    if not (math.isfinite(low) and math.isfinite(high) and low < high):
        raise DataError(
            situation=situation,
            seen=f"bounds={limits!r}",
            wrong="bounds are two finite numbers, the lower first",
            fix="pass for example bounds=(0.0, 1.0), or leave them out",
        )
    return low, high


def features(
    raw: Array,
    columns: tuple[str, ...] | None,
    limits: tuple[float, float] | None,
    situation: str,
) -> Floats:
    """Features as read-only float32, finite and within the bounds."""
    x, bad = to_float32(raw)
    if bad is not None:
        raise DataError(
            situation=situation,
            seen=f"{_place(bad, columns)} is {raw[bad]}",
            wrong=why_not_finite(float(raw[bad])),
            fix="remove the row, or put the right number there",
        )
    if limits is not None:
        outside = (x < np.float32(limits[0])) | (x > np.float32(limits[1]))
        if outside.any():
            first = tuple(int(i) for i in np.argwhere(outside)[0])
            raise DataError(
                situation=situation,
                seen=f"{_place(first, columns)} is {x[first]}",
                wrong=f"the bounds say that x is from {limits[0]:g} to {limits[1]:g}",
                fix="scale x into the bounds, correct the number, or pass other bounds",
            )
    return frozen(x, np.float32)


def _place(index: tuple[int, ...], columns: tuple[str, ...] | None) -> str:
    cell = f"x[{', '.join(str(i) for i in index)}]"
    return cell if columns is None else f"{cell} (column {columns[index[1]]!r})"


def target(
    y: npt.ArrayLike, labels: Sequence[str | int] | None, rows: int, situation: str
) -> tuple[Array, Labels | None]:
    """Targets as read-only class numbers with their labels, or as values without."""
    raw = as_array(y, "y", situation)
    if raw.dtype.kind not in "biuf":
        raise DataError(
            situation=situation,
            seen=f"y of dtype {raw.dtype}",
            wrong="y holds class numbers or values",
            fix="number the classes with: y, labels = amaas_kit.data.class_numbers(names), and "
            "pass both",
        )
    if raw.ndim == 0 or len(raw) != rows:
        raise DataError(
            situation=situation,
            seen=f"x of {rows} rows and y of shape {raw.shape}",
            wrong="each row has one target",
            fix="pass as many targets as rows, in the same order",
        )
    if raw.dtype.kind == "f":
        return _values(raw, labels, situation), None
    if raw.ndim != 1:
        raise DataError(
            situation=situation,
            seen=f"whole numbers y of shape {raw.shape}",
            wrong="class numbers have the shape (n,), one a row",
            fix="pass y.argmax(axis=1) if a 1 marks the class, y[:, 0] if there is one column, "
            "y.astype(float) if they are values",
        )
    if labels is None:
        return frozen(raw, np.int64), _labels_that_occur(raw, situation)
    return frozen(raw, np.int64), _labels_that_fit(labels, raw, situation)


def _values(raw: Array, labels: Sequence[str | int] | None, situation: str) -> Floats:
    if labels is not None:
        raise DataError(
            situation=situation,
            seen=f"labels {tuple(labels)} and y of dtype {raw.dtype}",
            wrong="labels name classes, and float targets are values",
            fix="pass y.astype(int) if they are class numbers, else no labels",
        )
    if raw.ndim > 2 or raw.size == 0:
        raise DataError(
            situation=situation,
            seen=f"y of shape {raw.shape}",
            wrong="values have the shape (n,) or (n, k)",
            fix="pass one row of values a sample",
        )
    values, bad = to_float32(raw)
    if bad is not None:
        raise DataError(
            situation=situation,
            seen=f"y[{', '.join(str(i) for i in bad)}] is {raw[bad]}",
            wrong=why_not_finite(float(raw[bad])),
            fix="remove the row, or put the right number there",
        )
    return frozen(values, np.float32)


def _labels_that_occur(y: Array, situation: str) -> Labels:
    found = np.unique(y)
    if found[0] != 0 or found[-1] != len(found) - 1:
        raise DataError(
            situation=situation,
            seen=f"{len(found)} different class numbers from {found[0]} to {found[-1]}",
            wrong="without labels, classes count from 0 and each occurs",
            fix="pass labels with a name for each class number; or number them with: "
            "y, labels = amaas_kit.data.class_numbers(y); or pass y.astype(float) if they are "
            "values",
        )
    return _two_or_more(tuple(range(len(found))), situation)


def _labels_that_fit(labels: Sequence[str | int], y: Array, situation: str) -> Labels:
    names = tuple(label.item() if isinstance(label, np.generic) else label for label in labels)
    for name in names:
        if not isinstance(name, (str, int)) or names.count(name) > 1:
            raise DataError(
                situation=situation,
                seen=f"the label {name!r} among {len(names)} labels",
                wrong="a label is text or a whole number, and names one class",
                fix="give each class a label of its own",
            )
    outside = (y < 0) | (y >= len(names))
    if outside.any():
        first = int(np.argmax(outside))
        raise DataError(
            situation=situation,
            seen=f"y[{first}] is {y[first]}",
            wrong=f"the {len(names)} labels name the classes 0 to {len(names) - 1}",
            fix="correct the class number, or pass a label for each class",
        )
    return _two_or_more(names, situation)


def _two_or_more(labels: Labels, situation: str) -> Labels:
    if len(labels) < 2:
        raise DataError(
            situation=situation,
            seen=f"one class, {labels[0]!r}" if labels else "no label",
            wrong="a model that knows one answer has nothing to learn",
            fix="add rows of another class, choose another target, or pass the labels of all "
            "classes",
        )
    return labels


def shares(validation: float, test: float) -> tuple[float, float, float]:
    """The shares of training, validation and test, whose sum is 1."""
    for share in (validation, test):
        if isinstance(share, bool) or not isinstance(share, (int, float)) or not 0 < share < 1:
            break
    else:
        if validation + test < 1:
            return 1 - validation - test, validation, test
    raise DataError(
        situation="While splitting a data set",
        seen=f"validation={validation!r}, test={test!r}",
        wrong="both are shares of the rows above 0, and training needs what they leave of 1",
        fix="pass for example validation=0.1, test=0.15; without a split, fit takes a Dataset",
    )
