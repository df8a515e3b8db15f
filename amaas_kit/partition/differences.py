"""Which rows of a part are missing, doubled, changed or strange, found by the rows' checksums."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import polars as pl

from amaas_kit.data.arrays import Array
from amaas_kit.partition import checksum
from amaas_kit.partition.checksum import Numbers
from amaas_kit.partition.cut import PART, Cut
from amaas_kit.partition.plan import RoundRobin
from amaas_kit.partition.reference import part_numbers

ROW = "checksum of the row"
NAMED = 5
"""So many rows of a kind are named, and the others counted."""
PAIRED = 64
"""Up to so many rows of a part are compared value by value, to tell which of them changed."""
NAMING_COLUMNS = 3

Row: TypeAlias = dict[str, Any]


@dataclass(frozen=True)
class Group:
    """The parts that have the same columns, as they should be and as they are.

    Args:
        cut: the plan and its table.
        index: the place of the group among the plan's groups; 0 where only rows are cut.
        name: of the group; None where only rows are cut.
        schema: the columns of its parts.
        actual: the rows of its files with the row part in `part`.
    """

    cut: Cut
    index: int
    name: str | None
    schema: pl.Schema
    actual: pl.LazyFrame

    @property
    def expected(self) -> pl.LazyFrame:
        """The rows of the table with the row part that the reference function gives them."""
        position = self.cut.position
        number = pl.map_batches(
            [*self.cut.keys, pl.col(position)],
            lambda keys: pl.Series(part_numbers(self.cut.steps, keys[:-1], _int64(keys[-1]))),
            return_dtype=pl.Int64,
            is_elementwise=True,
        )
        rows = self.cut.table.scan().with_row_index(position)
        return rows.select(number.alias(PART), *self.schema)

    def label(self, row_part: int) -> str:
        """What a part is called."""
        number = row_part * max(1, len(self.cut.groups)) + self.index
        return f"part {number}" + (f" ({self.name})" if self.name is not None else "")


@dataclass(frozen=True)
class _Difference:
    """Checksums of rows of one part: (n,) each.

    Args:
        missing: of rows that are there too seldom.
        doubled: of rows that are there too often.
        strange: of rows that belong to another part, or to none.
    """

    missing: Numbers
    doubled: Numbers
    strange: Numbers


def sentences(group: Group, row_parts: Sequence[int]) -> list[str]:
    """Say what is wrong with the rows of some parts. One part at a time is in memory.

    Args:
        group: the parts of the same columns.
        row_parts: those whose rows differ.
    """
    found = {part: _difference(group, part) for part in row_parts}
    homes = _homes(group, found)
    return [
        sentence
        for part, difference in found.items()
        for sentence in _sentences(group, part, difference, homes)
    ]


def _difference(group: Group, row_part: int) -> _Difference:
    expected, wanted = np.unique(_checksums(group.expected, row_part), return_counts=True)
    actual, there = np.unique(_checksums(group.actual, row_part), return_counts=True)
    both = np.union1d(expected, actual)
    surplus = np.zeros(len(both), np.int64)
    surplus[np.searchsorted(both, actual)] += there
    surplus[np.searchsorted(both, expected)] -= wanted
    known = np.isin(both, expected, assume_unique=True)
    return _Difference(
        missing=both[surplus < 0],
        doubled=both[(surplus > 0) & known],
        strange=both[(surplus > 0) & ~known],
    )


def _checksums(rows: pl.LazyFrame, row_part: int) -> Numbers:
    own = rows.filter(pl.col(PART) == row_part).drop(PART)
    numbers = own.map_batches(
        lambda batch: pl.DataFrame({ROW: checksum.rows(batch)}),
        schema={ROW: pl.UInt64},
        streamable=True,
    )
    return numbers.collect(engine="streaming")[ROW].to_numpy()


def _homes(group: Group, found: Mapping[int, _Difference]) -> dict[int, int]:
    """The row parts that strange rows belong to, by checksum; those of no part are left out."""
    strange = np.concatenate([difference.strange for difference in found.values()])
    home = _look_up(group.expected, strange, [])
    return dict(zip(home[ROW].to_list(), home[PART].to_list(), strict=True))


def _look_up(rows: pl.LazyFrame, wanted: Numbers, columns: Sequence[str]) -> pl.DataFrame:
    """The part, the checksum and some columns of the rows with these checksums."""
    shape = rows.collect_schema()
    result = pl.Schema({PART: pl.Int64(), ROW: pl.UInt64(), **{n: shape[n] for n in columns}})
    if not len(wanted):
        return result.to_frame()

    def chosen(batch: pl.DataFrame) -> pl.DataFrame:
        numbers = pl.Series(ROW, checksum.rows(batch.drop(PART)))
        there = pl.Series(np.isin(numbers.to_numpy(), wanted))
        return batch.with_columns(numbers).filter(there).select(list(result))

    return rows.map_batches(chosen, schema=result, streamable=True).collect(engine="streaming")


def _sentences(
    group: Group, row_part: int, difference: _Difference, homes: Mapping[int, int]
) -> list[str]:
    lost = np.setdiff1d(difference.missing, _array(homes))
    unknown = _array(n for n in difference.strange.tolist() if n not in homes)
    moved: dict[int, list[int]] = {}
    for number in difference.strange.tolist():
        if number in homes:
            moved.setdefault(homes[number], []).append(number)
    named = PAIRED if max(len(lost), len(unknown)) <= PAIRED else NAMED
    here = _rows(
        group.actual.filter(pl.col(PART) == row_part),
        np.concatenate(
            [
                unknown[:named],
                difference.doubled[:NAMED],
                *(_array(numbers[:NAMED]) for numbers in moved.values()),
            ]
        ),
        group.schema,
    )
    source = _rows(group.expected, lost[:named], group.schema)
    changed = _changed(source, {n: here[n] for n in unknown[:named].tolist() if n in here})
    lost = np.setdiff1d(lost, _array(before for before, _ in changed))
    unknown = np.setdiff1d(unknown, _array(after for _, after in changed))
    said = _Sentences(group, group.label(row_part))
    return [
        *said.changed([(source[before], here[after]) for before, after in changed]),
        *said.counted(lost, source, "is missing", "are missing"),
        *said.counted(difference.doubled, here, "is there twice", "are there twice"),
        *(
            sentence
            for home, numbers in moved.items()
            for sentence in said.counted(
                numbers, here, *(f"{verb} to {group.label(home)}" for verb in ("belongs", "belong"))
            )
        ),
        *said.counted(unknown, here, "is not in the source", "are not in the source"),
    ]


def _array(numbers: Iterable[int]) -> Numbers:
    return np.array(list(numbers), np.uint64)


def _rows(rows: pl.LazyFrame, wanted: Numbers, schema: pl.Schema) -> dict[int, Row]:
    """The rows with these checksums, each once."""
    found = _look_up(rows, wanted, list(schema)).unique(ROW).drop(PART)
    return {row.pop(ROW): row for row in found.iter_rows(named=True)}


def _changed(before: Mapping[int, Row], after: Mapping[int, Row]) -> list[tuple[int, int]]:
    """Pairs of a row that is missing and one that is strange, equal in at least half their values.

    The pairs with the most equal values come first; each row is in one pair.
    """
    likeness = [
        (sum(repr(old[name]) == repr(new[name]) for name in old), one, other)
        for one, old in before.items()
        for other, new in after.items()
    ]
    pairs: list[tuple[int, int]] = []
    for equal, one, other in sorted(likeness, reverse=True):
        taken = any(one == a or other == b for a, b in pairs)
        if not taken and equal * 2 >= len(before[one]):
            pairs.append((one, other))
    return pairs


@dataclass(frozen=True)
class _Sentences:
    """What is said of the rows of one part."""

    group: Group
    label: str

    def counted(
        self, numbers: Sequence[int] | Numbers, rows: Mapping[int, Row], one: str, many: str
    ) -> list[str]:
        """One sentence on all rows of a kind, with the first of them by name."""
        if not len(numbers):
            return []
        names = [self.name(rows[n]) for n in map(int, numbers[:NAMED]) if n in rows]
        more = ["…"] if len(numbers) > NAMED else []
        what = f"1 row {one}" if len(numbers) == 1 else f"{len(numbers):,} rows {many}"
        return [f"{self.label}: {what}: {'; '.join([*names, *more])}"]

    def changed(self, pairs: Sequence[tuple[Row, Row]]) -> list[str]:
        """A sentence for each row that has other values than in the source."""
        said = []
        for before, after in pairs[:NAMED]:
            values = ", ".join(
                f"{name} was {_shown(before[name])} and is {_shown(after[name])}"
                for name in before
                if repr(before[name]) != repr(after[name])
            )
            said.append(f"{self.label}: a row was changed: {self.name(before)}: {values}")
        if len(pairs) > NAMED:
            said.append(f"{self.label}: {len(pairs) - NAMED:,} more rows were changed")
        return said

    def name(self, row: Row) -> str:
        """A row by its keys and its first columns."""
        keys = [step.key for step in self.group.cut.plan.steps if not isinstance(step, RoundRobin)]
        names = [*dict.fromkeys([name for name in [*keys, *row] if name in row])]
        return ", ".join(f"{name}={_shown(row[name])}" for name in names[:NAMING_COLUMNS])


def _shown(value: object) -> str:
    text = repr(value) if isinstance(value, str | bytes) else str(value)
    return text if len(text) <= 40 else text[:39] + "…"


def _int64(position: pl.Series) -> Array:
    return position.cast(pl.Int64).to_numpy()
