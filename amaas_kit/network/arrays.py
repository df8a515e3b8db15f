"""What an array is in this room: its types, and the checks that numbers pass at the door."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from amaas_kit.errors import NetworkError

Array = npt.NDArray[np.floating[Any]]
"""Numbers that a network computes with: float32 or float64."""

Classes = npt.NDArray[np.integer[Any]]
"""Class numbers, 0 to k - 1."""

FLOAT_DTYPES = ("float32", "float64")
"""The dtypes that a network can have."""


def as_array(values: npt.ArrayLike, *, name: str, situation: str) -> npt.NDArray[Any]:
    """`values` as an array of whatever dtype it has.

    Raises:
        NetworkError: the rows of a nested list differ in length.
    """
    try:
        return np.asarray(values)
    except ValueError as error:
        raise NetworkError(
            situation=situation,
            seen=f"{name} is a {type(values).__name__} that NumPy cannot make an array of: {error}",
            wrong="an array has the same number of columns in every row",
            fix=f"give each row of {name} the same length",
        ) from error


def as_floats(values: npt.ArrayLike, dtype: np.dtype[Any], *, name: str, situation: str) -> Array:
    """`values` as finite numbers of `dtype`; integers, booleans and other floats are cast.

    Args:
        values: numbers of any shape.
        dtype: float32 or float64.
        name: of the values, for the message.
        situation: what is being done, for the message.

    Raises:
        NetworkError: text, objects or complex numbers; NaN, infinity, or too large for `dtype`.
    """
    array = as_array(values, name=name, situation=situation)
    if array.dtype.kind not in "biuf":
        raise NetworkError(
            situation=situation,
            seen=f"{name} has dtype {array.dtype}",
            wrong="a network computes with real numbers only",
            fix=f"turn {name} into numbers first, for example np.array({name}, dtype='{dtype}')",
        )
    with np.errstate(over="ignore"):  # a number too large becomes inf, which is refused below
        floats = array.astype(dtype, copy=False)
    finite = np.isfinite(floats)
    if not finite.all():
        places = np.argwhere(~finite)
        first = tuple(places[0])
        others = f", and {len(places) - 1} more like it" if len(places) > 1 else ""
        too_large = np.isfinite(array[first])
        raise NetworkError(
            situation=situation,
            seen=f"{name}[{', '.join(map(str, first))}] = {array[first]}{others}",
            wrong=f"{dtype} ends at {np.finfo(dtype).max:.2g}"
            if too_large
            else "a network computes with finite numbers",
            fix=f"scale {name} down, or make the network with dtype='float64'"
            if too_large
            else f"find them with np.argwhere(~np.isfinite({name})) and put real values there; a "
            "row of data can also be left out",
        )
    return floats


def as_rows(x: npt.ArrayLike, columns: int, dtype: np.dtype[Any], *, situation: str) -> Array:
    """`x` as rows that a network can take in.

    Args:
        x: numbers of shape (n, columns), n at least 1.
        columns: how many numbers a row must have.
        dtype: that the rows are cast to.
        situation: what is being done, for the message.

    Returns:
        Array (n, columns) of `dtype`; `x` itself where nothing had to be cast.

    Raises:
        NetworkError: another shape, no rows, or values that `as_floats` refuses.
    """
    array = as_array(x, name="x", situation=situation)
    expected = f"x must have the shape (rows, {columns})"
    if array.ndim != 2:
        one_row = array.ndim == 1
        raise NetworkError(
            situation=situation,
            seen=f"x of shape {array.shape}",
            wrong=f"{expected}" + (", even for a single row" if one_row else ""),
            fix="pass x[None, :] for one row" if one_row else "pass x.reshape(len(x), -1)",
        )
    if array.shape[1] != columns:
        raise NetworkError(
            situation=situation,
            seen=f"x of shape {array.shape}",
            wrong=f"{expected}: the network takes {columns} columns, not {array.shape[1]}",
            fix=f"pass the {columns} columns that the network was made for, "
            f"or make one with sizes=[{array.shape[1]}, …]",
        )
    if array.shape[0] == 0:
        raise NetworkError(
            situation=situation,
            seen=f"x of shape {array.shape}",
            wrong="there is not one row, so there is nothing to compute",
            fix="pass at least one row; look at the filter or slice that made x",
        )
    return as_floats(array, dtype, name="x", situation=situation)
