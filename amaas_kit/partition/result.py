"""What an engine made: the parts of a table, counted, and read again as one table."""

from __future__ import annotations

import html
import os
from collections.abc import Iterable, Sequence
from functools import reduce
from pathlib import Path
from typing import Self

import polars as pl

from amaas_kit.errors import DataError
from amaas_kit.partition import manifest, part_files, staging
from amaas_kit.partition.arguments import FOLDER_WANTED, check_path
from amaas_kit.partition.cut import PART
from amaas_kit.partition.manifest import Part
from amaas_kit.partition.plan import Plan
from amaas_kit.partition.source import is_address

SHOWN_PARTS = 12
HEAD = ("part", "rows", "bytes", "keys", "checksum")


class Result:
    """A folder of parts with its manifest. It may be moved; its files are read when asked for.

    Args:
        target: the folder that an engine wrote to.

    Attributes:
        path: that folder.
        manifest: all that is known of the parts without reading them.

    Raises:
        DataError: the folder has no manifest, or one that cannot be read.

    Taught in: notebooks/05_data_partitioning.
    """

    def __init__(self, target: str | os.PathLike[str]) -> None:
        self.path = Path(target)
        self._written = self._on_disk()
        self.manifest = manifest.read(self.path)

    @classmethod
    def open(cls, target: str | os.PathLike[str]) -> Self:
        """The parts in a folder; what a killed process left beside it is put in order first.

        Raises:
            DataError: the folder has no manifest, or one that cannot be read; or it is an address,
                or no path.
        """
        check_path(target, "While reading parts", FOLDER_WANTED)
        if is_address(target):
            raise DataError(
                situation=f"While reading the parts in {os.fspath(target)}",
                seen="an address",
                wrong="parts are read in a folder of this machine",
                fix="copy them into one: `hdfs dfs -get`, or fetch(address, folder) of the engine "
                "'hadoop'",
            )
        staging.recover(target)
        return cls(target)

    @property
    def plan(self) -> Plan:
        """How the table was cut."""
        return self.manifest.plan

    @property
    def engine(self) -> str:
        """The name of the engine that cut it."""
        return self.manifest.engine

    @property
    def versions(self) -> dict[str, str]:
        """Of the kit, Polars, and the engine's programs."""
        return dict(self.manifest.versions)

    @property
    def notes(self) -> tuple[str, ...]:
        """What the engine did otherwise than plainly, one sentence each."""
        return self.manifest.notes

    @property
    def rows(self) -> int:
        """The rows of the table."""
        return self.manifest.rows

    @property
    def parts(self) -> tuple[Part, ...]:
        """All parts, in the order of their numbers; those without rows too."""
        return self.manifest.parts

    def scan(self, part: int | None = None) -> pl.LazyFrame:
        """The rows of all parts, lazily.

        Args:
            part: only this one; where columns are cut too, the number of the row part.

        Returns:
            The column `part`, Int64, and those of the table in its order with its types. Where
            columns were cut, the groups are joined again, and `part` is the row part. Only the
            columns that are asked for are read.

        Raises:
            DataError: a file is missing or lacks a column, there is no such part, or the parts were
                replaced since they were opened; of this the rows are still asked when they are
                collected.
        """
        self._check_as_opened()
        if part is not None and part not in {own.row_part for own in self.parts}:
            raise DataError(
                situation=f"While reading the parts in {self.path}",
                seen=f"part={part!r}",
                wrong=f"there are the parts 0 to {max(own.row_part for own in self.parts)}",
                fix="leave part out for all of them",
            )
        groups = [
            part_files.scan(self._files(group, part), schema, PART)
            for group, schema in self.manifest.schemas.items()
        ]
        if self.plan.groups is None:
            return self._guarded(groups[0])
        rows = _joined(groups, self.plan.groups.key).select(PART, *self.manifest.schema)
        return self._guarded(rows)

    def _guarded(self, rows: pl.LazyFrame) -> pl.LazyFrame:
        """Rows that are handed on only while the parts that they were read from are there."""

        def unchanged(batch: pl.DataFrame) -> pl.DataFrame:
            self._check_as_opened()
            return batch

        return rows.map_batches(
            unchanged,
            predicate_pushdown=True,
            projection_pushdown=True,
            slice_pushdown=True,
            validate_output_schema=False,
            streamable=True,
        )

    def _check_as_opened(self) -> None:
        if self._on_disk() != self._written:
            raise DataError(
                situation=f"While reading the parts in {self.path}",
                seen="another manifest than when they were opened, or none",
                wrong="the parts were replaced, or their manifest was changed",
                fix=f"open them again: Result.open({str(self.path)!r})",
            )

    def _on_disk(self) -> tuple[int, int, int] | None:
        """What tells the manifest from any other one; None where it is gone."""
        try:
            status = (self.path / part_files.MANIFEST).stat()
        except OSError:
            return None
        return status.st_ino, status.st_mtime_ns, status.st_size

    def _files(self, group: str | None, row_part: int | None) -> dict[int, list[Path]]:
        """The files of a group, by row part."""
        found = {}
        for part in self.parts:
            if part.group == group and row_part in (None, part.row_part):
                found[part.row_part] = [self.path / file.path for file in part.files]
                _check_there(found[part.row_part])
        return found

    def __repr__(self) -> str:
        rows = [HEAD, *_cells(self.parts[:SHOWN_PARTS])]
        widths = [max(len(row[i]) for row in rows) for i in range(len(HEAD))]
        lines = ["  ".join(map(str.rjust, row, widths)) for row in rows]
        return "\n".join([self._sentence(), *lines, *self._left_out()])

    def _repr_html_(self) -> str:
        head = "".join(f"<th>{name}</th>" for name in HEAD)
        body = "".join(
            "<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in row) + "</tr>"
            for row in _cells(self.parts[:SHOWN_PARTS])
        )
        rest = "".join(f"<p>{line}</p>" for line in self._left_out())
        return (
            f"<p>{html.escape(self._sentence())}</p>"
            f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>{rest}"
        )

    def _sentence(self) -> str:
        parts = "1 part" if len(self.parts) == 1 else f"{len(self.parts):,} parts"
        return f"{parts} of {self.rows:,} rows in {self.path}: {self.plan}; engine {self.engine}"

    def _left_out(self) -> list[str]:
        more = len(self.parts) - SHOWN_PARTS
        return [f"… and {more:,} more"] if more > 0 else []


def _joined(groups: Sequence[pl.LazyFrame], key: str) -> pl.LazyFrame:
    first, *others = groups
    return reduce(lambda left, right: left.join(right.drop(PART), on=key), others, first)


def _check_there(files: Iterable[Path]) -> None:
    for file in files:
        if not file.is_file():
            raise DataError(
                situation=f"While reading {file}",
                seen="no such file",
                wrong="the manifest lists it, so this part has lost rows",
                fix="fetch the folder again, or cut the table again",
            )


def _cells(parts: Sequence[Part]) -> list[tuple[str, ...]]:
    return [
        (
            _name(part),
            f"{part.rows:,}",
            f"{part.bytes:,}",
            "" if part.keys is None else " … ".join(_short(key) for key in part.keys),
            part.checksum,
        )
        for part in parts
    ]


def _name(part: Part) -> str:
    return str(part.number) if part.group is None else f"{part.number} ({part.group})"


def _short(key: float | str) -> str:
    text = str(key)
    return text if len(text) <= 20 else text[:19] + "…"
