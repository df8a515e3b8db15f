"""How evenly rows are spread over parts: sizes, skew, and the Gini coefficient of the sizes."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from amaas_kit.data.arrays import Array
from amaas_kit.errors import DataError
from amaas_kit.partition.arguments import check_parts, shown, whole_numbers


def part_sizes(numbers: npt.ArrayLike, parts: int) -> Array:
    """How many rows each part has, empty parts included.

    Args:
        numbers: (n,) the part of each row, from 0; n may be 0.
        parts: how many parts there are.

    Returns:
        (parts,) int64, whose sum is n.

    Raises:
        DataError: parts is no whole number from 1, or a number is not one of 0 to parts - 1.

    Taught in: notebooks/05_data_partitioning, "Skew".
    """
    situation = "While counting the rows of parts"
    check_parts(parts, situation)
    found = whole_numbers(numbers, situation)
    if found.ndim != 1:
        fix = "pass a list such as [0, 2, 1]"
        raise DataError(situation, shown(numbers), "that takes one number for each row", fix)
    if found.size and not (found.min() >= 0 and found.max() < parts):
        raise DataError(
            situation=situation,
            seen=f"part numbers from {found.min()} to {found.max()}",
            wrong=f"{parts} parts are numbered 0 to {parts - 1}",
            fix="pass the number of parts that the plan has",
        )
    return np.bincount(found, minlength=parts)


def skew_of(sizes: npt.ArrayLike) -> float:
    """The largest size over the mean size: by so much is the largest part above its fair share.

    Parts that are worked on side by side are done when the largest is, so this is also by how much
    the work takes longer than if it were spread evenly. Less 1, it is the load imbalance of Pearce
    and others (2012), "Quantifying the effectiveness of load balance algorithms".

    Args:
        sizes: (parts,) rows, or bytes, of each part.

    Returns:
        From 1, where all are equal, to the number of parts, where one has all. 1 for a single
        part, and for parts without any row.

    Raises:
        DataError: no part, or a size that is negative or no finite number.

    Taught in: notebooks/05_data_partitioning, "Skew".
    """
    known = _sizes(sizes)
    return float(known.max() / known.mean()) if known.any() else 1.0


def gini_of(sizes: npt.ArrayLike) -> float:
    """The Gini coefficient: half the mean difference of two sizes, over the mean size.

    With n sizes in ascending order, x1 to xn, it is
    2 (1 x1 + 2 x2 + … + n xn) / (n (x1 + … + xn)) - (n + 1) / n.
    Source: C. Gini (1912), "Variabilità e mutabilità"; this form in A. Sen (1973), "On economic
    inequality".

    Args:
        sizes: (parts,) rows, or bytes, of each part.

    Returns:
        From 0, where all are equal, to (n - 1) / n, where one has all. 0 for a single part, and
        for parts without any row.

    Raises:
        DataError: as for `skew_of`.

    Taught in: notebooks/05_data_partitioning, "Skew".
    """
    known = np.sort(_sizes(sizes))
    if not known.any():
        return 0.0
    count = len(known)
    ranks = np.arange(1, count + 1)
    return float(2 * (ranks @ known) / (count * known.sum()) - (count + 1) / count)


def _sizes(sizes: npt.ArrayLike) -> Array:
    try:
        known = np.asarray(sizes, dtype=np.float64)
    except (TypeError, ValueError):
        known = np.empty(0)
    if known.ndim != 1 or not known.size or not np.isfinite(known).all() or known.min() < 0:
        raise DataError(
            situation="While measuring how even parts are",
            seen=f"sizes {shown(sizes)}",
            wrong="that takes the size of each part, none below 0",
            fix="pass a list such as [120, 80, 0], or the result of `part_sizes`",
        )
    return known
