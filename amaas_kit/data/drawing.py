"""How rows are drawn into parts: by chance within each class, or in whole blocks of the file."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from amaas_kit.data.arrays import Array, Ints, as_array
from amaas_kit.data.targets import Labels
from amaas_kit.errors import DataError


def generator_from(seed: int | np.random.Generator) -> np.random.Generator:
    """The generator itself, or a new one from a whole number of at least 0."""
    if isinstance(seed, np.random.Generator):
        return seed
    if isinstance(seed, bool) or not isinstance(seed, (int, np.integer)) or seed < 0:
        raise DataError(
            situation="While splitting a data set",
            seen=f"seed={seed!r}",
            wrong="without a seed nobody could make the same split again",
            fix="pass a whole number of at least 0, or a numpy.random.Generator",
        )
    return np.random.default_rng(int(seed))


def random_parts(
    classes: Ints | None,
    labels: Labels | None,
    rows: int,
    shares: Sequence[float],
    generator: np.random.Generator,
) -> list[Ints]:
    """Draw rows into parts by chance; each class has its share in each part, within one row.

    Args:
        classes: (rows,) class numbers, or None where the target holds values.
        labels: the name of each class number, or None likewise.
        rows: how many rows there are.
        shares: the share of each part, each above 0, their sum 1.
        generator: draws the rows and their order.

    Returns:
        For each part its row numbers, in drawn order. Every row is in exactly one part.

    Raises:
        DataError: a class has too few rows to be in each part within one row of its share.
    """
    if classes is None:
        classes = np.zeros(rows, np.int64)
    rows_of_class = np.bincount(classes, minlength=len(labels or ()))
    counts = stratified_counts(rows_of_class, labels, np.asarray(shares, np.float64))
    chunks: list[list[Ints]] = [[] for _ in shares]
    for number, count in enumerate(counts):
        drawn = generator.permutation(np.flatnonzero(classes == number))
        for chunk, piece in zip(chunks, np.split(drawn, np.cumsum(count)[:-1]), strict=True):
            chunk.append(piece)
    return [generator.permutation(np.concatenate(chunk)) for chunk in chunks]


def stratified_counts(rows_of_class: Ints, labels: Labels | None, shares: Array) -> Ints:
    """How many rows of each class each part gets: at least one, and its share within one row.

    What a class's share leaves over goes to the parts that earlier classes gave too little, so
    that the parts as a whole keep their shares as well.

    Args:
        rows_of_class: (classes,) rows of each class.
        labels: (classes,) names, for the error; None where there are no classes.
        shares: (parts,) shares whose sum is 1.

    Returns:
        (classes, parts) int64; each row sums to the rows of its class.
    """
    owed = np.zeros(len(shares))
    counts = np.zeros((len(rows_of_class), len(shares)), np.int64)
    for number, rows in enumerate(rows_of_class):
        share = rows * shares
        count = np.maximum(np.floor(share + 1e-9), 1).astype(np.int64)
        left = int(rows - count.sum())
        if left < 0:
            count[np.argmax(share)] += left
        else:
            debt = np.where(share < 1, -np.inf, owed + share - count)
            count[np.argsort(-debt, kind="stable")[:left]] += 1
        if count.min() < 1 or np.abs(count - share).max() > 1 + 1e-6:
            raise _too_few(int(rows), None if labels is None else labels[number], shares)
        counts[number] = count
        owed += share - count
    return counts


def _too_few(rows: int, label: str | int | None, shares: Array) -> DataError:
    of_class = "" if label is None else f" of class {label!r}"
    return DataError(
        situation="While splitting a data set at random",
        seen=f"{rows} rows{of_class} for parts with the shares "
        + ", ".join(f"{share:.3g}" for share in shares),
        wrong="each part needs at least one row of each class, and its share within one row",
        fix="add rows, take larger shares for validation and test"
        + ("" if label is None else ", or remove the class or join it with another"),
    )


def block_parts(
    rows: int,
    blocks: int | Sequence[int],
    shares: Sequence[float],
    generator: np.random.Generator,
) -> list[Ints]:
    """Draw whole blocks of contiguous rows into parts.

    Args:
        rows: how many rows there are.
        blocks: how many blocks of (nearly) equal length, or the first row of each block.
        shares: of the blocks, each above 0, their sum 1; the first part gets what the others,
            each at least one block, leave.
        generator: draws the blocks.

    Returns:
        For each part its row numbers, ascending. Every row is in exactly one part.

    Raises:
        DataError: the blocks do not fit the rows, or are too few for the parts.
    """
    starts = _block_starts(rows, blocks)
    sizes = [max(1, round(len(starts) * share)) for share in shares[1:]]
    if sum(sizes) >= len(starts):
        raise DataError(
            situation="While splitting a data set by block",
            seen=f"{len(starts)} blocks for shares of " + ", ".join(f"{s:.3g}" for s in shares),
            wrong="each part needs at least one whole block",
            fix="pass more blocks, or smaller shares for validation and test",
        )
    drawn = generator.permutation(len(starts))
    pieces = np.split(np.arange(rows, dtype=np.int64), starts[1:])
    ends = np.cumsum(sizes)
    chosen = [drawn[ends[-1] :], *np.split(drawn[: ends[-1]], ends[:-1])]
    return [np.concatenate([pieces[block] for block in sorted(part)]) for part in chosen]


def _block_starts(rows: int, blocks: int | Sequence[int]) -> Array:
    given = as_array(blocks, "blocks", "While splitting a data set by block")
    whole = given.dtype.kind in "iu"
    if whole and given.ndim == 0 and 1 <= given <= rows:
        return np.arange(int(given), dtype=np.int64) * rows // int(given)
    if whole and given.ndim == 1 and given[0] == 0 and (np.diff(given, append=rows) > 0).all():
        return given
    raise DataError(
        situation="While splitting a data set by block",
        seen=f"blocks={blocks!r} for {rows} rows",
        wrong="a number of blocks is from 1 to the number of rows; first rows start at 0 and rise "
        "to below the number of rows",
        fix="pass how many blocks to cut, such as blocks=10, or the first row of each",
    )
