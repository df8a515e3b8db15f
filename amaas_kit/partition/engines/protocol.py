"""What every engine is: told whether it is ready, given a plan, stopped."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path, PurePath
from types import TracebackType
from typing import Self, TypeAlias

from amaas_kit.errors import DataError, EngineError, MissingError
from amaas_kit.partition import manifest
from amaas_kit.partition.arguments import FOLDER_WANTED, check_path, check_plan
from amaas_kit.partition.cut import Cut, fit
from amaas_kit.partition.manifest import Manifest
from amaas_kit.partition.plan import Plan
from amaas_kit.partition.result import Result
from amaas_kit.partition.source import Table, is_address
from amaas_kit.partition.staging import place

PathLike: TypeAlias = str | os.PathLike[str]

Progress: TypeAlias = Callable[[float | None, str], None]
"""Is told which share is done, from 0 to 1 or None where nobody knows, and what is being done."""


@dataclass(frozen=True)
class Availability:
    """Whether an engine can work here; true where it can.

    Args:
        ready: whether it can.
        reason: in one sentence, what is there or what is missing.
        command: the one command that brings what is missing.
    """

    ready: bool
    reason: str
    command: str = ""

    def __bool__(self) -> bool:
        return self.ready


class Engine(ABC):
    """Carries out plans. Use it as a context manager, or call `stop` at the end.

    Taught in: notebooks/06_distributed_engines.
    """

    name: str

    @abstractmethod
    def available(self) -> Availability:
        """Whether the engine can work here. Starts nothing, and takes no second."""

    def run(
        self,
        plan: Plan,
        source: PathLike,
        target: PathLike,
        *,
        replace: bool = False,
        progress: Progress | None = None,
    ) -> Result:
        """Cut a table into the parts of a plan, and write them whole or not at all.

        Args:
            plan: how to cut.
            source: a Parquet or CSV file, or a folder of them.
            target: a folder that does not exist yet; it gets `part=<number>/` and a manifest.
            replace: whether parts that are already there give way.
            progress: called with the share done (or None) and what is being done.

        Returns:
            The parts, counted and summed as they were read back.

        Raises:
            DataError: the table cannot be read, does not fit the plan, or the target is in use; or
                an argument is no plan, or no path.
            MissingError: the engine lacks a program or a package; the fix is the command for it.
            EngineError: the engine cannot be reached, or failed.
        """
        check_arguments(plan, source, target)
        self._check_ready()
        tell = progress or tell_nobody
        tell(None, "looking at the table")
        return self._write(plan, Table.open(source), target, replace, tell)

    def _write(
        self, plan: Plan, table: Table, target: PathLike, replace: bool, tell: Progress
    ) -> Result:
        """Cut a table that was opened, as `run` says."""
        _check_local(target)
        cut = fit(plan, table)
        check_apart(cut.table.path, target, os.path.realpath)
        with place(target, replace) as staging:
            notes = self._cut(cut, staging.data, staging.scratch, tell)
            tell(None, "reading the parts back")
            facts = manifest.describe(cut, staging.data, self.name, self._versions(), notes)
            _check_rows(self.name, cut, facts)
            manifest.write(facts, staging.data)
        return Result.open(target)

    @abstractmethod
    def _cut(self, cut: Cut, folder: Path, scratch: Path, progress: Progress) -> list[str]:
        """Write `folder/part=<number>/<name>.parquet` for each part that has rows.

        Returns:
            A sentence for each thing that was done otherwise than plainly, such as a conversion.
        """

    @abstractmethod
    def _versions(self) -> dict[str, str]:
        """The versions of the programs that did the work."""

    def stop(self) -> None:  # noqa: B027 - an engine without processes has nothing to end
        """End what the engine started. It may be used again."""

    def _check_ready(self) -> None:
        state = self.available()
        if not state:
            raise MissingError(
                situation=f"While starting the engine {self.name!r}",
                seen=state.reason,
                wrong="the engine cannot work without it",
                fix=state.command,
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()


def tell_nobody(share: float | None, doing: str) -> None:
    """Progress that nobody asked for."""


def check_arguments(plan: object, source: object, target: object) -> None:
    """Refuse what is no plan, and what names no table or no folder.

    Raises:
        DataError: with what to pass.
    """
    check_plan(plan)
    check_path(
        source,
        "While looking for a table",
        'pass the path of a file or folder, such as "events.parquet"; a table in memory is written '
        'first: frame.write_parquet("events.parquet")',
    )
    check_path(target, "While writing parts", FOLDER_WANTED)


def _check_local(target: PathLike) -> None:
    if is_address(target):
        raise DataError(
            situation=f"While writing parts to {os.fspath(target)}",
            seen="an address",
            wrong="parts are written into a folder of this machine",
            fix="pass a folder; only the engine 'hadoop' writes elsewhere too, to hdfs://",
        )


def check_apart(source: PathLike, target: PathLike, plainly: Callable[[PathLike], str]) -> None:
    """Parts inside their source would be taken for rows of it; a source inside them be replaced.

    Args:
        source: what is cut.
        target: where its parts go.
        plainly: writes a path in the one way in which two of the same place are equal.

    Raises:
        DataError: one is the other, or lies inside it.
    """
    one, other = PurePath(plainly(source)), PurePath(plainly(target))
    if one == other or one in other.parents or other in one.parents:
        raise DataError(
            situation=f"While cutting {source}",
            seen=f"the target {target}",
            wrong="the one lies inside the other, so that rows and parts would be mixed up",
            fix="pass a target beside the source",
        )


def _check_rows(name: str, cut: Cut, facts: Manifest) -> None:
    written = sum(part.rows for part in facts.parts)
    wanted = cut.table.rows * max(1, len(cut.groups))
    if written != wanted:
        raise EngineError(
            situation=f"While reading back the parts that the engine {name!r} wrote",
            seen=f"{written:,} rows, and {cut.table.path} has {wanted:,} for them",
            wrong="the engine lost or doubled rows, or the table changed while it was read",
            fix="run it again; if it happens again, report it with the plan and the versions",
        )
