"""`amaas partition`: cut a table into parts, and hold parts against their table."""

from __future__ import annotations

import contextlib
import json
import re
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from amaas_kit.cli_options import json_option
from amaas_kit.errors import DataError, EngineError

if TYPE_CHECKING:
    import polars as pl

    from amaas_kit.partition import Part, Plan, Result, Verification
    from amaas_kit.partition.engines.protocol import Progress

CLUSTER_SETTINGS = {"spark": "master", "flink": "address", "hadoop": "configuration"}
"""What the engines that have a cluster call its address."""

SHOWN_PARTS = 40
SHOWN_CHARACTERS = 24
FEW_EMPTY = 3
"""So many empty parts are listed; more of them are counted."""


class Partition(click.Group):
    """A group that is a command too: what does not begin with a subcommand are its arguments."""

    def __init__(self, default: click.Command) -> None:
        super().__init__(default.name, help=default.help, short_help=default.short_help)
        self.default = default

    def make_context(
        self,
        info_name: str | None,
        args: list[str],
        parent: click.Context | None = None,
        **extra: Any,
    ) -> click.Context:
        """A context of the group where a subcommand or help is asked for, else of the command."""
        if args and (args[0] in self.commands or args in (["-h"], ["--help"])):
            return super().make_context(info_name, args, parent, **extra)
        return self.default.make_context(info_name, args, parent, **extra)

    def format_help(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The help of the command itself, and then its subcommands."""
        with click.Context(self.default, ctx.parent, ctx.info_name) as own:
            self.default.format_help(own, formatter)
        self.format_commands(ctx, formatter)


@click.command("partition")
@click.argument("source")
@click.argument("target")
@click.option(
    "--by",
    multiple=True,
    metavar="CUT",
    help="How to cut; given again, the next cuts within the parts of the one before.",
)
@click.option(
    "--plan",
    "plan_file",
    type=click.Path(path_type=Path),
    help="A file with a plan, in place of --by.",
)
@click.option(
    "--engine", default="local", show_default=True, help="One of local, spark, flink, hadoop."
)
@click.option("--cluster", help="The address of a cluster that runs; left out, one is started.")
@click.option("--memory", help="How much the engine's Java may use, such as 2g.")
@click.option("--force", is_flag=True, help="Replace parts that exist.")
@click.option(
    "--save-plan",
    type=click.Path(path_type=Path),
    help="Also write the plan to a file, for --plan; its folder must exist.",
)
@json_option
def cut(
    source: str,
    target: str,
    by: Sequence[str],
    plan_file: Path | None,
    engine: str,
    cluster: str | None,
    memory: str | None,
    force: bool,
    save_plan: Path | None,
    as_json: bool,
) -> None:
    """Cut a table into parts.

    SOURCE is a Parquet or CSV file, or a folder of them. TARGET is a folder that does not exist
    yet; folders above it are made. It appears whole, with its manifest, or not at all, at Ctrl-C
    too. A CUT is one of

    \b
    hash:KEY:PARTS                 hash:user_id:8
    range:KEY:BOUND,BOUND,…        range:age:18,65
    window:KEY:START:WIDTH[:END]   window:at:2026-01-01:1h
    round_robin:PARTS              round_robin:8
    columns:A,B|C,D:KEY            columns:name,age|f0,f1:user_id

    The first three take :nulls=PART at the end, for rows without a key. Quotes make a bound a text
    and hold a name with a comma or colon: 'range:name:"a","n"'. The cluster is a master for spark,
    the address of a JobManager for flink, a folder of configuration for hadoop, which also takes
    hdfs:// for SOURCE and TARGET.
    """
    from amaas_kit.partition.engines import engine as engine_of

    plan = _plan(by, plan_file)
    _check_place(save_plan, force)
    settings = _settings(engine, cluster, memory)
    began = time.perf_counter()
    with _progress_bar() as tell, _as_options(engine), engine_of(engine, **settings) as running:
        result = running.run(plan, source, target, replace=force, progress=tell)
    seconds = time.perf_counter() - began
    if save_plan is not None:
        plan.save(save_plan)
    if as_json:
        click.echo(json.dumps(_facts(result, target, seconds), ensure_ascii=False))
    else:
        click.echo(_summary(result, target, seconds))


partition = Partition(cut)


@partition.command()
@click.argument("target")
@click.option(
    "--source",
    help="The table that was cut; left out, the one that the manifest names.",
)
@json_option
@click.pass_context
def verify(context: click.Context, target: str, source: str | None, as_json: bool) -> None:
    """Hold parts against their manifest and their table.

    TARGET is a folder that was cut before. Every row's part is computed anew from the table; rows
    that are lost, doubled, changed or misplaced are named. Where the table that the manifest names
    is gone, the parts are held against the manifest alone, and the answer begins with that.

    Exit status: 0 when nothing is wrong, also without the table; 1 when something is.
    """
    from amaas_kit import partition

    with _progress_bar() as tell:
        tell(None, "reading the parts and their table")
        found = partition.verify(target, source)
    if as_json:
        click.echo(json.dumps({"target": str(target), **asdict(found)}, ensure_ascii=False))
    else:
        click.echo(_reconciled(target, source, found))
    context.exit(0 if found.ok else 1)


def _plan(by: Sequence[str], file: Path | None) -> Plan:
    from amaas_kit.partition import Plan
    from amaas_kit.partition.plan_text import plan_from_text

    if bool(by) == (file is not None):
        raise click.UsageError("Say how to cut: with --by, as often as you like, or with --plan.")
    return plan_from_text(by) if file is None else Plan.load(file)


def _settings(engine: str, cluster: str | None, memory: str | None) -> dict[str, str]:
    if engine == "local" and (cluster or memory):
        raise click.UsageError("The local engine works in this process: no --cluster, no --memory.")
    wanted = {CLUSTER_SETTINGS.get(engine, "cluster"): cluster, "memory": memory}
    return {name: value for name, value in wanted.items() if value is not None}


@contextlib.contextmanager
def _as_options(engine: str) -> Iterator[None]:
    """Where an error names a setting of the engine as Python does, name the option."""
    options = {CLUSTER_SETTINGS.get(engine, "cluster"): "--cluster", "memory": "--memory"}
    setting = re.compile(rf"(?<![\w/.-])({'|'.join(options)})=")
    try:
        yield
    except EngineError as error:
        raise error.reworded(
            lambda text: setting.sub(lambda found: f"{options[found[1]]}=", text)
        ) from error


def _check_place(file: Path | None, force: bool) -> None:
    """Refuse a place for the plan before time is spent on cutting."""
    if file is None:
        return
    situation = "While choosing where to write the plan"
    if file.is_dir():
        raise DataError(situation, f"{file}, a folder", "a plan is a file", "name a file in it")
    if file.exists() and not force:
        fix = "name another, or say --force"
        raise DataError(situation, f"{file}, which exists", "it would be lost", fix)
    if not file.parent.is_dir():
        wrong = "the file needs a folder to lie in"
        fix = f"make it first: mkdir -p {file.parent}"
        raise DataError(situation, f"no folder {file.parent}", wrong, fix)


@contextlib.contextmanager
def _progress_bar() -> Iterator[Progress]:
    """A bar on a terminal, which goes away at the end; elsewhere nothing."""
    if not sys.stderr.isatty():
        yield lambda share, doing: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, TaskProgressColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as Bar

    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TaskProgressColumn(),
        TimeElapsedColumn(),
    )
    with Bar(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=None)

        def tell(share: float | None, doing: str) -> None:
            bar.tasks[0].total = None if share is None else 1.0
            bar.update(task, completed=share or 0.0, description=doing)

        yield tell


def _facts(result: Result, target: str, seconds: float) -> dict[str, Any]:
    from amaas_kit.partition.plan_text import text_of

    facts = result.manifest
    return {
        "target": target,
        "source": asdict(facts.source),
        "by": text_of(result.plan),
        "engine": result.engine,
        "versions": result.versions,
        "notes": list(result.notes),
        "seconds": round(seconds, 3),
        "rows": result.rows,
        "checksum": facts.checksum,
        "skew": _skew(result),
        "parts": [asdict(part) for part in result.parts],
    }


def _skew(result: Result) -> float:
    from amaas_kit.partition import skew_of

    return skew_of([part.rows for part in result.parts])


def _summary(result: Result, target: str, seconds: float) -> str:
    from amaas_kit.partition.plan import counted

    source = result.manifest.source.path
    return "\n".join(
        [
            f"{source}: {counted(result.rows, 'row')}, {result.plan}",
            *_table(result),
            f"{counted(len(result.parts), 'part')} in {target}, "
            f"{sum(part.bytes for part in result.parts):,} bytes",
            *_largest(result),
            *(f"note: {note}" for note in result.notes),
            f"engine {result.engine}, {seconds:.2f} s",
        ]
    )


def _largest(result: Result) -> list[str]:
    """By how much the largest part is above the mean; nothing where rows were not cut."""
    from amaas_kit.partition.plan import counted

    if not any(part.row_part for part in result.parts):
        return []
    largest = max(result.parts, key=lambda part: part.rows)
    return [
        f"skew {_skew(result):.2f}: the largest part is {_label(result, largest)}, "
        f"with {counted(largest.rows, 'row')}"
    ]


def _table(result: Result) -> list[str]:
    """The parts as lines, numbers to the right and keys to the left."""
    parts = [part for part in result.parts if part.rows]
    empty = len(result.parts) - len(parts)
    if empty <= FEW_EMPTY:
        parts, empty = list(result.parts), 0
    lines = _lines(result, parts[:SHOWN_PARTS])
    more = len(parts) - SHOWN_PARTS
    if more > 0:
        lines.append(f"… and {more:,} more, which --json lists")
    return [*lines, f"{empty:,} parts are empty"] if empty else lines


def _lines(result: Result, parts: Sequence[Part]) -> list[str]:
    name, kind = _key(result)
    rows = [("part", "rows", "share", "bytes", name)]
    rows += [
        (
            _label(result, part),
            f"{part.rows:,}",
            f"{part.rows / result.rows:.1%}",
            f"{part.bytes:,}",
            "" if part.keys is None else " … ".join(_shown(key, kind) for key in part.keys),
        )
        for part in parts
    ]
    widths = [max(len(row[i]) for row in rows) for i in range(4)]
    return ["  ".join([*map(str.rjust, row, widths), row[4]]).rstrip() for row in rows]


def _label(result: Result, part: Part) -> str:
    """A part's number and its group; one without a name of its own is called by its columns."""
    groups = result.plan.groups
    if groups is None:
        return str(part.number)
    place = part.number % groups.parts
    name, columns = groups.groups[place]
    if name == str(place):
        name = _short(", ".join(column for column in columns if column != groups.key))
    return f"{part.number} ({name})"


def _key(result: Result) -> tuple[str, pl.DataType | None]:
    """The column whose least and greatest value stand in the table, and its type."""
    from amaas_kit.partition import RoundRobin

    if result.plan.groups is not None:
        name = result.plan.groups.key
    else:
        keys = [step.key for step in result.plan.rows if not isinstance(step, RoundRobin)]
        if not keys:
            return "", None
        name = keys[0]
    return name, result.manifest.schema[name]


def _shown(key: float | str, kind: pl.DataType | None) -> str:
    """A key as a person writes it; times are numbers in the manifest."""
    from amaas_kit.partition.cut import shown

    if isinstance(key, int) and kind is not None and kind.is_temporal():
        return shown(key, kind)
    return _short(json.dumps(key, ensure_ascii=False))


def _short(text: str) -> str:
    return text if len(text) <= SHOWN_CHARACTERS else text[: SHOWN_CHARACTERS - 1] + "…"


def _reconciled(target: str, source: str | None, found: Verification) -> str:
    """What was held against what, and what came of it."""
    from amaas_kit.partition import Result
    from amaas_kit.partition.plan import counted

    lines = [str(found)]
    with contextlib.suppress(DataError):
        facts = Result.open(target).manifest
        parts, rows = counted(len(facts.parts), "part"), counted(facts.rows, "row")
        table = "" if found.notes else f"{source or facts.source.path}: "
        lines[:0] = [
            f"{target}: {parts} of {rows}, checksum {facts.checksum}",
            f"{table}{facts.plan}",
        ]
    return "\n".join(lines)
