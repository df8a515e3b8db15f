"""From the target column of a table to class numbers or values, by one stated rule."""

from __future__ import annotations

from typing import Literal

import numpy as np
import numpy.typing as npt

from amaas_kit.data.arrays import Array, Ints, as_array, to_float32, why_not_finite
from amaas_kit.errors import DataError

Task = Literal["classification", "regression"]
Labels = tuple[str | int, ...]

MOST_CLASSES = 50
"""A column of whole numbers with more distinct values than this is taken for quantities."""


def class_numbers(values: npt.ArrayLike) -> tuple[Ints, Labels]:
    """Number the classes that a list of labels names, in sorted order.

    Args:
        values: (n,) labels: text, or numbers.

    Returns:
        y (n,) int64, and the labels, so that `labels[y[i]]` is the label of row i. Whole numbers
        become int labels, other numbers and text become str labels.

    Raises:
        DataError: there is no label, one is NaN, or they are neither text nor numbers.

    Taught in: notebooks/04_first_network, "Split without leakage".
    """
    situation = "While numbering classes"
    return _number_classes(as_target(values, situation), situation)


def as_target(values: npt.ArrayLike, situation: str) -> Array:
    """A target as an array of numbers or text that is not empty and has no NaN or infinity."""
    target = as_array(values, "the target", situation)
    if target.dtype.kind == "O":
        target = _text_from_objects(target, situation)
    if target.dtype.kind not in "biufU":
        raise DataError(
            situation=situation,
            seen=f"a target of dtype {target.dtype}",
            wrong="a target is text or numbers",
            fix="turn it into class names, class numbers or values first",
        )
    if target.ndim == 0 or target.size == 0:
        raise DataError(
            situation=situation,
            seen=f"a target of shape {target.shape}",
            wrong="there is no row to learn from",
            fix="pass at least one row",
        )
    if target.dtype.kind == "f":
        _, bad = to_float32(target)
        if bad is not None:
            raise DataError(
                situation=situation,
                seen=f"the target at row index {bad[0]} is {target[bad]}",
                wrong=why_not_finite(float(target[bad])),
                fix="remove the row, or put the right number there",
            )
    return target


def encode_target(
    values: npt.ArrayLike, task: Task | None, situation: str
) -> tuple[Array, Labels | None]:
    """Class numbers with their labels, or float32 values without, from a target as it was read.

    The rule, when `task` is None: text is classification. Whole numbers (1 and 1.0 alike) are
    classification when they have at most 50 distinct values and at least two rows a value on the
    average, else regression. Numbers with a fraction, and targets of several columns, are
    regression. Pass `task` to decide otherwise.

    Args:
        values: (n,) text or numbers, or (n, k) numbers.
        task: "classification", "regression" or None for the rule.
        situation: what is being done, for the error.

    Returns:
        y (n,) int64 and its labels, or y (n,) or (n, k) float32 and None.

    Raises:
        DataError: the target does not suit the task, is empty, or holds NaN or infinity.
    """
    target = as_target(values, situation)
    if task not in (None, "classification", "regression"):
        raise DataError(
            situation=situation,
            seen=f"task={task!r}",
            wrong="there is no such task",
            fix='pass task="classification", task="regression", or leave it out',
        )
    if (task or _task_of(target)) == "regression":
        if target.dtype.kind == "U":
            raise DataError(
                situation=situation,
                seen=f'task="regression" and a target of text such as {str(target.flat[0])!r}',
                wrong="a value must be a number",
                fix='pass task="classification", or choose a target of numbers',
            )
        return to_float32(target)[0], None
    return _number_classes(target, situation)


def _task_of(target: Array) -> Task:
    if target.dtype.kind == "U":
        return "classification"
    if target.ndim > 1 or not _is_whole(target):
        return "regression"
    distinct = len(np.unique(target))
    few = distinct <= MOST_CLASSES and 2 * distinct <= len(target)
    return "classification" if few else "regression"


def _is_whole(target: Array) -> bool:
    return target.dtype.kind in "biu" or bool((target == np.floor(target)).all())


def _number_classes(target: Array, situation: str) -> tuple[Ints, Labels]:
    if target.ndim > 1:
        raise DataError(
            situation=situation,
            seen=f"classes of shape {target.shape}",
            wrong="a class is one number or name a row",
            fix="pass y.argmax(axis=1) if each row marks its class with a 1, or y[:, 0] if there "
            "is one column",
        )
    distinct, y = np.unique(target, return_inverse=True)
    whole = target.dtype.kind != "U" and _is_whole(target)
    labels = tuple(int(v) for v in distinct) if whole else tuple(str(v) for v in distinct)
    return y.astype(np.int64), labels


def _text_from_objects(target: Array, situation: str) -> Array:
    for i, value in enumerate(target.flat):
        if not isinstance(value, str):
            raise DataError(
                situation=situation,
                seen=f"{value!r} at row index {i} of a target of mixed objects",
                wrong="a target is all text or all numbers",
                fix="fill in or remove what is missing, and use one type for the whole column",
            )
    return target.astype(np.str_)
