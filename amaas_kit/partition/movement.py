"""How many rows move when a part is added, and a hash under which hardly any do.

With modulo hashing, `hash mod parts`, a row stays only where both remainders agree. With rendezvous
hashing each part bids for each row and the highest bid wins, so that a new part only takes rows.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from amaas_kit.data.arrays import Array
from amaas_kit.errors import DataError
from amaas_kit.partition.arguments import check_parts, shown, whole_numbers
from amaas_kit.partition.reference import A, B, P, hash_parts

BITS = (1 << 31) - 1
"""A weight is a remainder modulo 2^31: the last 31 bits."""

WEIGHING = "While giving rows to parts by their weight"
COMPARING = "While comparing the parts of rows before and after"


def rendezvous_parts(numbers: npt.ArrayLike, parts: int) -> Array:
    """The part that weighs most for each number.

    Source: Thaler and Ravishankar (1998), "Using name-based mappings to increase hit rates",
    IEEE/ACM Transactions on Networking 6(1), where it is called highest random weight.

    Args:
        numbers: (n,) whole numbers, negative ones too; of texts, `reference.key_numbers`.
        parts: how many parts, from 1.

    Returns:
        (n,) int64 from 0 to parts - 1. Of parts that weigh the same the first is taken.

    Raises:
        DataError: parts is no whole number from 1, or a number is not whole.

    Taught in: notebooks/05_data_partitioning, "A part is added".
    """
    check_parts(parts, WEIGHING)
    digests = _digests(numbers)
    if digests.ndim != 1:
        fix = "pass a list such as [17, -3, 42]"
        raise DataError(WEIGHING, shown(numbers), "that takes one number for each row", fix)
    best = np.zeros(len(digests), np.int64)
    highest = _weights(digests, 0)
    for part in range(1, parts):
        weights = _weights(digests, part)
        higher = weights > highest
        best[higher] = part
        np.maximum(highest, weights, out=highest)
    return best


def rendezvous_weights(numbers: npt.ArrayLike, part: npt.ArrayLike) -> Array:
    """What a part weighs for a number.

    The function is `Wrand` of Thaler and Ravishankar (1998):
    (A ((A part + B) xor digest) + B) mod 2^31, with the constants of the BSD `rand`. The digest
    of 31 bits is the kit's hash before its last remainder. In 64 bits nothing overflows.

    Args:
        numbers: whole numbers, of any shape.
        part: its number; or several, of a shape that fits.

    Returns:
        int64 from 0 to 2^31 - 1, of the shape of both.

    Raises:
        DataError: a number is not whole.

    Taught in: notebooks/05_data_partitioning, "A part is added".
    """
    return _weights(_digests(numbers), part)


def share_moved(before: npt.ArrayLike, after: npt.ArrayLike) -> float:
    """The share of rows whose part is another one; 0 where there are no rows.

    Args:
        before, after: (n,) the part of each row.

    Raises:
        DataError: the two are not of the same rows, or a number is not whole.

    Taught in: notebooks/05_data_partitioning, "A part is added".
    """
    first, second = whole_numbers(before, COMPARING), whole_numbers(after, COMPARING)
    if first.ndim != 1 or first.shape != second.shape:
        raise DataError(
            situation=COMPARING,
            seen=f"numbers of the shapes {first.shape} and {second.shape}",
            wrong="each row has one part before and one after",
            fix="pass two lists of the same length, of the same rows in the same order",
        )
    return float((first != second).mean()) if first.size else 0.0


def moved_by_modulo(parts: int) -> float:
    """The share that is expected to move from n to n + 1 parts under `hash mod parts`.

    n and n + 1 have no divisor in common, so that of the n (n + 1) pairs of remainders, all equally
    likely, n agree. A row stays with 1 / (n + 1) and moves with n / (n + 1).

    Args:
        parts: n, how many there are before.

    Raises:
        DataError: it is no whole number from 1.
    """
    check_parts(parts, COMPARING)
    return parts / (parts + 1)


def moved_by_rendezvous(parts: int) -> float:
    """The share that is expected to move from n to n + 1 parts under rendezvous hashing.

    The new part takes its fair share, 1 / (n + 1), and nothing else moves. No method that stays
    even can move less.

    Args:
        parts: n, how many there are before.

    Raises:
        DataError: it is no whole number from 1.
    """
    check_parts(parts, COMPARING)
    return 1 / (parts + 1)


def _digests(numbers: npt.ArrayLike) -> Array:
    return hash_parts(whole_numbers(numbers, WEIGHING), P)


def _weights(digests: Array, part: npt.ArrayLike) -> Array:
    own = A * whole_numbers(part, WEIGHING) + B & BITS
    return A * (own ^ digests) + B & BITS
