"""What is passed to the functions of this room, looked at before anything is done with it."""

from __future__ import annotations

import os
from typing import cast

import numpy as np
import numpy.typing as npt

from amaas_kit.data.arrays import Array
from amaas_kit.errors import DataError
from amaas_kit.partition.plan import MOST_PARTS, Plan

FOLDER_WANTED = 'pass the path of a folder, such as "parts"'


def check_path(path: object, situation: str, fix: str) -> None:
    """Refuse what names no file and no folder.

    Args:
        path: what was passed for a path or an address.
        situation: what was being done.
        fix: what to pass.

    Raises:
        DataError: it is neither text nor a Path, is empty, or has a NUL or what is not UTF-8.
    """
    name = os.fspath(path) if isinstance(path, str | os.PathLike) else None
    if not isinstance(name, str):
        raise DataError(situation, _kind(path), "a path is text, or a pathlib.Path", fix)
    if not name:
        raise DataError(situation, "an empty text", "it names no file and no folder", fix)
    if "\0" in name:
        raise DataError(situation, repr(name), "no system has a name with a NUL in it", fix)
    try:
        name.encode()
    except UnicodeEncodeError:
        wrong = "the name is not UTF-8, and the engines take no other"
        raise DataError(situation, repr(name), wrong, f"rename it, or {fix}") from None


def check_plan(plan: object) -> None:
    """Refuse what is no plan.

    Raises:
        DataError: with what it is.
    """
    if not isinstance(plan, Plan):
        raise DataError(
            situation="While cutting a table",
            seen=repr(plan) if isinstance(plan, str) else _kind(plan),
            wrong="what says how to cut is a Plan",
            fix='pass a plan first, such as Plan.hash("user_id", parts=8)',
        )


def check_parts(parts: object, situation: str) -> None:
    """Refuse what is no number of parts.

    Raises:
        DataError: it is no whole number from 1 to `MOST_PARTS`.
    """
    whole = isinstance(parts, int | np.integer) and not isinstance(parts, bool)
    if not whole or not 1 <= cast(int, parts) <= MOST_PARTS:
        raise DataError(
            situation=situation,
            seen=f"parts={shown(parts)}",
            wrong=f"rows go to a whole number of parts, 1 to {MOST_PARTS:,}",
            fix="pass for example parts=8",
        )


def whole_numbers(values: npt.ArrayLike, situation: str) -> Array:
    """Values as int64, of any shape; none is rounded.

    Raises:
        DataError: one of them is no whole number of 64 bits.
    """
    try:
        given = np.asarray(values)
        with np.errstate(invalid="ignore"):
            numbers = given.astype(np.int64, copy=False)
        if np.array_equal(numbers, given):
            return numbers
    except (TypeError, ValueError, OverflowError):
        pass
    raise DataError(
        situation=situation,
        seen=shown(values),
        wrong="each is a whole number of at most 64 bits, or numbers would be rounded unseen",
        fix="pass whole numbers, such as [0, 2, 1]",
    )


def shown(value: object) -> str:
    """A value on one line, cut short where it is long."""
    return f"{' '.join(repr(value).split()):.80}"


def _kind(value: object) -> str:
    return "None" if value is None else f"something of the type {type(value).__name__}"
