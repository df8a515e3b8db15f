"""Whether the parts of a partition hold each row of their table once and where it belongs."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from amaas_kit.errors import DataError
from amaas_kit.partition import checksum, differences, part_files
from amaas_kit.partition.arguments import FOLDER_WANTED, check_path
from amaas_kit.partition.checksum import Tally
from amaas_kit.partition.cut import PART, Cut, fit
from amaas_kit.partition.differences import Group
from amaas_kit.partition.manifest import LITTER, Manifest, Part, key_of
from amaas_kit.partition.part_files import MANIFEST
from amaas_kit.partition.plan import counted
from amaas_kit.partition.result import Result
from amaas_kit.partition.source import UNREADABLE, Table, is_address, reading

EXPLAINED_PARTS = 8
"""The rows of so many parts of a group are compared one by one; of the others it is said that they
differ."""

NAMED_COLUMNS = 5
"""So many columns are named in which a table differs from the one that was cut."""

Files = dict[int, list[Path]]
"""The files of some parts, by row part."""


@dataclass(frozen=True)
class Verification:
    """What was found; true where all is well.

    Args:
        ok: whether nothing is wrong.
        problems: what is wrong, a sentence each.
        notes: what could not be looked at, a sentence each.
    """

    ok: bool
    problems: tuple[str, ...]
    notes: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return self.ok

    def __str__(self) -> str:
        if not self.ok:
            found = f"{counted(len(self.problems), 'problem')}:"
        elif self.notes:
            found = "The parts are as their manifest says, but were not compared with their table:"
        else:
            found = "All is well: the parts are as their manifest says, and hold each row of the "
            found += "source where it belongs."
        return "\n".join([found, *(f"  {line}" for line in (*self.problems, *self.notes))])


def verify(
    result: Result | str | os.PathLike[str], source: str | os.PathLike[str] | None = None
) -> Verification:
    """Hold the parts against their manifest, and against the table that they were cut from.

    Every row's part is computed anew by the reference function. Rows that are lost, doubled,
    changed or misplaced are named. In memory is one part at a time, and only where it differs.
    Where the table that the manifest names is gone, a note says so, and the parts are held against
    the manifest alone.

    Args:
        result: what an engine gave back, or its folder.
        source: the table that was cut; left out, the one that the manifest names.

    Raises:
        DataError: there is no partition, or the source cannot be read.

    Taught in: notebooks/05_data_partitioning, "Trust, but verify".
    """
    folder = result.path if isinstance(result, Result) else result
    check_path(folder, "While reading parts", FOLDER_WANTED)
    try:
        own = Result.open(folder)
    except DataError as error:
        if not Path(folder, MANIFEST).exists():
            raise
        return Verification(False, (f"{error.situation}: {error.seen}; {error.wrong}",))
    facts, notes = own.manifest, []
    problems = _of_files(own)
    place = facts.source.path if source is None else os.fspath(source)
    cut = None
    if source is None and not Path(place).exists():
        notes.append(f"{place} is not there, so the parts were compared with their manifest alone.")
    else:
        _check_there(place)
        cut, unfit = _cut(facts, place)
        problems += unfit
    for index, (name, schema) in enumerate(facts.schemas.items()):
        problems += _of_group(own, cut, index, name, schema)
    problems += _of_sums(facts)
    return Verification(not problems, tuple(problems), tuple(notes))


def _check_there(source: str) -> None:
    if not is_address(source) and not Path(source).exists():
        raise DataError(
            situation="While holding parts against their table",
            seen=f"no file or folder {source}",
            wrong="the parts cannot be compared with it",
            fix="look at its name, or leave the source out for the one that the manifest names",
        )


def _of_files(own: Result) -> list[str]:
    """What is wrong with the list of files."""
    problems = []
    listed = {file.path: file.bytes for part in own.parts for file in part.files}
    for path, size in listed.items():
        file = own.path / path
        if not file.is_file():
            problems.append(f"{path} is missing")
        elif file.stat().st_size != size:
            has = file.stat().st_size
            problems.append(f"{path} has {has:,} bytes, and the manifest says {size:,}")
    there = {file.relative_to(own.path).as_posix() for file in own.path.rglob("*") if _counts(file)}
    problems += [f"{path} is in no part of the manifest" for path in sorted(there - {*listed})]
    return problems


def _counts(file: Path) -> bool:
    return not file.is_dir() and file.name not in LITTER | {MANIFEST}


def _cut(facts: Manifest, path: str) -> tuple[Cut | None, list[str]]:
    """The manifest's plan held against the source; None where the two do not belong together."""
    table = Table.open(path)
    if table.schema != facts.schema:
        other = _other_columns(table.schema, facts.schema)
        return None, [f"{path} is not the table that was cut, and was not compared: {other}"]
    try:
        cut = fit(facts.plan, table)
    except DataError as error:
        return None, [f"the plan of the manifest does not fit {path}: {error.wrong} ({error.seen})"]
    if cut.parts != len(facts.parts):
        return None, [f"the plan has {cut.parts:,} parts, the manifest {len(facts.parts):,}"]
    if table.rows != facts.rows:
        seen = counted(table.rows, "row")
        return cut, [f"{path} has {seen}, and the manifest says {facts.rows:,}"]
    return cut, []


def _other_columns(now: pl.Schema, before: pl.Schema) -> str:
    """How the columns of a table differ from those of the one that was cut."""
    kinds = {
        "missing": [name for name in before if name not in now],
        "additional": [name for name in now if name not in before],
        "of another type": [
            f"{name}: {now[name]}, was {kind}"
            for name, kind in before.items()
            if name in now and now[name] != kind
        ],
    }
    found = "; ".join(f"{kind} {_first(names)}" for kind, names in kinds.items() if names)
    return f"columns {found}" if found else "its columns are in another order"


def _first(names: Sequence[str]) -> str:
    """The first of some names, and how many more there are."""
    more = len(names) - NAMED_COLUMNS
    return ", ".join([*names[:NAMED_COLUMNS], *([f"and {more:,} more"] if more > 0 else [])])


def _of_group(
    own: Result, cut: Cut | None, index: int, name: str | None, schema: pl.Schema
) -> list[str]:
    """What is wrong with the parts that have the same columns."""
    parts = {part.row_part: part for part in own.parts if part.group == name}
    kinds, problems = _readable(own.path, parts.values(), schema)
    key = key_of(cut) if cut is not None else None
    kinds, actual, unread = _tallies(own.path, kinds, schema, key)
    problems += unread
    for row_part, part in parts.items():
        problems += _of_part(part, actual.get(row_part, Tally()), keys=cut is not None)
    if cut is not None:
        rows = [part_files.scan(files, schema, PART) for files in kinds]
        none = part_files.scan({}, schema, PART)
        group = Group(cut, index, name, schema, pl.concat([none, *rows]))
        with reading(cut.table.files):
            problems += _of_rows(group, actual)
    return problems


def _readable(
    folder: Path, parts: Iterable[Part], schema: pl.Schema
) -> tuple[list[Files], list[str]]:
    """The files that have the columns they should, those of the same types together."""
    kinds: list[tuple[pl.Schema, Files]] = []
    problems = []
    for part in parts:
        for path in (file.path for file in part.files if (folder / file.path).is_file()):
            try:
                stored = part_files.stored_schema(folder / path)
            except UNREADABLE as error:
                problems.append(f"{path} cannot be read: {_first_line(error)}")
                continue
            wrong = set(stored) ^ set(schema)
            if wrong:
                problems.append(
                    f"{path} has other columns than its part: {', '.join(sorted(wrong))}"
                )
            if set(schema) <= set(stored):
                files = next((own for kind, own in kinds if kind == stored), None)
                if files is None:
                    files = {}
                    kinds.append((stored, files))
                files.setdefault(part.row_part, []).append(folder / path)
    return [files for _, files in kinds], problems


def _tallies(
    folder: Path, kinds: Sequence[Files], schema: pl.Schema, key: pl.Expr | None
) -> tuple[list[Files], dict[int, Tally], list[str]]:
    """The files that can be read to their end, their tallies by row part, and what failed."""
    found: dict[int, Tally] = {}
    good, problems = [], []
    for files in kinds:
        try:
            new = part_files.tallies(files, schema, key)
            good.append(files)
        except UNREADABLE:
            whole, unread = _whole(folder, files, schema)
            problems += unread
            new = part_files.tallies(whole, schema, key)
            good.append(whole)
        for part, tally in new.items():
            found[part] = found.get(part, Tally()) + tally
    return good, found, problems


def _whole(folder: Path, files: Files, schema: pl.Schema) -> tuple[Files, list[str]]:
    """Read file by file, to find those that cannot be read."""
    whole: Files = {}
    problems = []
    for part, path in ((part, path) for part, paths in files.items() for path in paths):
        try:
            part_files.tallies({part: [path]}, schema)
        except UNREADABLE as error:
            name = path.relative_to(folder).as_posix()
            problems.append(f"{name} cannot be read: {_first_line(error)}")
        else:
            whole.setdefault(part, []).append(path)
    return whole, problems


def _of_part(part: Part, actual: Tally, keys: bool) -> list[str]:
    """What the manifest says otherwise of a part."""
    problems = []
    label = f"part {part.number}" + (f" ({part.group})" if part.group is not None else "")
    if actual.rows != part.rows:
        seen = counted(actual.rows, "row")
        problems.append(f"{label} has {seen}, and the manifest says {part.rows:,}")
    elif actual.text != part.checksum:
        problems.append(
            f"{label} has rows with the checksum {actual.text}, and the manifest says "
            f"{part.checksum}"
        )
    elif keys and actual.keys != part.keys:
        problems.append(f"{label} has the keys {actual.keys}, and the manifest says {part.keys}")
    if part.bytes != sum(file.bytes for file in part.files):
        problems.append(f"{label} has {part.bytes:,} bytes in the manifest, its files another sum")
    return problems


def _of_sums(facts: Manifest) -> list[str]:
    """What the manifest says of the whole that its parts do not add up to."""
    problems = []
    groups = len(facts.schemas)
    rows = sum(part.rows for part in facts.parts)
    if rows != facts.rows * groups:
        problems.append(
            f"the parts in the manifest add up to {counted(rows // groups, 'row')}, "
            f"and it says {facts.rows:,}"
        )
    total = checksum.text(sum(int(part.checksum, 16) for part in facts.parts))
    if total != facts.checksum:
        problems.append(
            f"the checksums of the parts in the manifest add up to {total}, "
            f"and it says {facts.checksum}"
        )
    return problems


def _of_rows(group: Group, actual: Mapping[int, Tally]) -> list[str]:
    """What differs between the rows of the parts and those of the table."""
    expected = checksum.by(group.expected, PART)
    differing = [
        part
        for part in range(group.cut.row_parts)
        if _essence(expected.get(part)) != _essence(actual.get(part))
    ]
    if not differing:
        return []
    problems = differences.sentences(group, differing[:EXPLAINED_PARTS])
    more = len(differing) - EXPLAINED_PARTS
    if more > 0:
        problems.append(f"{more:,} more parts differ from the source")
    return problems


def _essence(tally: Tally | None) -> tuple[int, int]:
    return (tally.rows, tally.checksum) if tally is not None else (0, 0)


def _first_line(error: BaseException) -> str:
    return str(error).splitlines()[0][:200] if str(error) else type(error).__name__
