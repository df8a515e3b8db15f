"""The kinds of array that a data set holds, and the search for a number that it cannot hold."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from amaas_kit.errors import DataError

Floats = npt.NDArray[np.float32]
"""Features (n, d) or (n, height, width); target values (n,) or (n, k)."""

Ints = npt.NDArray[np.int64]
"""Class numbers (n,), or row numbers."""

Array = npt.NDArray[Any]
"""What a caller or a file hands over, before it is checked."""


def to_float32(numbers: Array) -> tuple[Floats, tuple[int, ...] | None]:
    """Numbers as float32, and the position of the first that is not a finite float32, if any.

    Args:
        numbers: an array of integers, floats or booleans, any shape.

    Returns:
        The same array where it is float32 in C order already, else a new, read-only one; and None
        or the index of the first NaN, infinity or number beyond float32's range, in row order.
    """
    with np.errstate(over="ignore"):
        converted = numbers.astype(np.float32, order="C", copy=False)
    if converted is not numbers:
        converted.setflags(write=False)
    finite = np.isfinite(converted)
    if finite.all():
        return converted, None
    first = np.unravel_index(int(np.argmin(finite)), finite.shape)
    return converted, tuple(int(i) for i in first)


TOO_LARGE = "the number is beyond float32, which ends at about 3.4e38"


def why_not_finite(number: float) -> str:
    """What is wrong with a number that `to_float32` named."""
    if math.isnan(number):
        return "NaN is not a number: a network that meets one answers NaN everywhere"
    if math.isinf(number):
        return "an infinite number makes every sum that it enters infinite"
    return TOO_LARGE


def as_array(values: npt.ArrayLike, what: str, situation: str) -> Array:
    """The values as an array; nested lists of unequal length are a DataError."""
    try:
        return np.asarray(values)
    except ValueError as error:
        raise DataError(
            situation=situation,
            seen=f"{what}: {error}",
            wrong="the rows are not all of one length",
            fix="give each row the same number of entries",
        ) from None


def frozen(array: Array, dtype: type[np.generic]) -> Array:
    """The array with this dtype, in C order and read-only; a copy unless it is all that already.

    A copy, so that whoever holds the array that was passed cannot change the data set with it.
    """
    if array.dtype == dtype and array.flags.c_contiguous and _is_sealed(array):
        return array
    copy = np.array(array, dtype=dtype, order="C")
    copy.setflags(write=False)
    return copy


def _is_sealed(array: Array) -> bool:
    return array.flags.owndata and not array.flags.writeable
