"""The manifest of a partition: what was cut how, and the rows, bytes and checksum of each part.

It is the file `manifest.json` in the target. It is written last, so a folder without one is no
partition.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path, PurePosixPath
from typing import Any, cast

import polars as pl

from amaas_kit.errors import DataError, EngineError
from amaas_kit.files import write_whole
from amaas_kit.partition import checksum, dtypes, part_files
from amaas_kit.partition.checksum import Tally
from amaas_kit.partition.cut import Cut
from amaas_kit.partition.plan import Plan, RoundRobin
from amaas_kit.partition.source import Table

KIND = "amaas-kit parts"
FORMAT = 1
"""The format that is written, and the newest that can be read."""

LITTER = frozenset({".DS_Store", "Thumbs.db", "desktop.ini"})
"""What file managers leave in folders that are looked at."""


NAME_OF_INFINITE: dict[object, str] = {math.inf: "Infinity", -math.inf: "-Infinity"}
"""How a key is written that JSON has no number for. Among keys of texts these words are texts."""


@dataclass(frozen=True)
class File:
    """A file of a part.

    Args:
        path: from the target's folder, with slashes.
        bytes: its size.
    """

    path: str
    bytes: int


@dataclass(frozen=True)
class Part:
    """One part of a partition.

    Args:
        number: from 0.
        row_part: which rows it holds; its number where only rows are cut.
        group: the name of its group of columns; None where it holds them all.
        rows: how many rows.
        bytes: the size of its files.
        checksum: of its rows, 16 digits of base 16.
        keys: the least and the greatest key that it holds, of the outermost cut that has one (times
            in microseconds since 1970, dates in days), or of the columns' key (bytes as digits of
            base 16); None for no key.
        files: in the order of their names; none for a part without rows.
    """

    number: int
    row_part: int
    group: str | None
    rows: int
    bytes: int
    checksum: str
    keys: tuple[int, int] | tuple[str, str] | tuple[float, float] | None
    files: tuple[File, ...]


@dataclass(frozen=True)
class Source:
    """What was cut: its whole path or its address, its format, and how many rows it had."""

    path: str
    format: str
    rows: int


@dataclass(frozen=True)
class Manifest:
    """What is known of a partition without reading its parts.

    Args:
        plan: how the table was cut.
        source: what was cut.
        schema: the columns of the table, in order.
        engine: the name of the engine.
        versions: of the kit, Polars, and the engine's programs.
        notes: what the engine did otherwise than plainly.
        rows: of the table.
        checksum: the sum of the parts' modulo 2^64; where only rows are cut, the table's own.
        parts: all of them, in order.
    """

    plan: Plan
    source: Source
    schema: pl.Schema
    engine: str
    versions: Mapping[str, str]
    notes: tuple[str, ...]
    rows: int
    checksum: str
    parts: tuple[Part, ...]

    @property
    def schemas(self) -> dict[str | None, pl.Schema]:
        """The columns of the parts of each group, in the table's order; of None without groups."""
        return _schemas(self.plan, self.schema)


def describe(
    cut: Cut, folder: Path, engine: str, versions: Mapping[str, str], notes: Sequence[str]
) -> Manifest:
    """Read the written parts once, and say what they hold.

    Args:
        cut: the plan and its table.
        folder: holds `part=<number>/*.parquet`.
        engine: the name of the engine that wrote them.
        versions: of its programs.
        notes: what it did otherwise than plainly.

    Raises:
        EngineError: a folder is named after no part of the plan.
    """
    files = _written(folder, cut)
    schemas = _schemas(cut.plan, cut.table.schema)
    tallies: dict[int, Tally] = {}
    for index, schema in enumerate(schemas.values()):
        own = {number: files[number] for number in files if number % len(schemas) == index}
        tallies |= part_files.tallies(own, schema, key_of(cut))
    names = list(schemas)
    parts = tuple(
        _part(number, names, folder, tallies.get(number, Tally()), files.get(number, []))
        for number in range(cut.parts)
    )
    return Manifest(
        plan=cut.plan,
        source=Source(_place(cut.table), cut.table.format, cut.table.rows),
        schema=cut.table.schema,
        engine=engine,
        versions={**_own_versions(), **versions},
        notes=tuple(notes),
        rows=cut.table.rows,
        checksum=checksum.text(sum(int(part.checksum, 16) for part in parts)),
        parts=parts,
    )


def write(manifest: Manifest, folder: Path) -> Path:
    """Write a manifest into the folder of its parts, whole or not at all."""
    content = {
        "kind": KIND,
        "format": FORMAT,
        "plan": json.loads(manifest.plan.to_json()),
        "source": asdict(manifest.source),
        "schema": [[name, dtypes.to_text(kind)] for name, kind in manifest.schema.items()],
        "engine": manifest.engine,
        "versions": dict(manifest.versions),
        "notes": list(manifest.notes),
        "rows": manifest.rows,
        "checksum": manifest.checksum,
        "parts": [{"part": part.number, **_without_number(part)} for part in manifest.parts],
    }
    text = json.dumps(content, ensure_ascii=False, indent=1, allow_nan=False) + "\n"
    return write_whole(folder / part_files.MANIFEST, lambda file: file.write(text.encode()))


def read(folder: Path) -> Manifest:
    """Read the manifest of a partition.

    Raises:
        DataError: with the file, and the field where one is wrong: there is no manifest, or it is
            cut short, changed by hand, of a later format, or of another program.
    """
    path = folder / part_files.MANIFEST
    content = _json(path)
    kind, version = content.get("kind"), content.get("format")
    if kind != KIND or type(version) is not int or version < 1:
        raise _foreign(path, f"kind {kind!r}, format {version!r}")
    if version > FORMAT:
        raise DataError(
            situation=f"While reading {path}",
            seen=f"format {version}",
            wrong=f"a newer version of the kit wrote it; this one reads up to format {FORMAT}",
            fix="upgrade with `pip install --upgrade amaas-kit`, or cut the table again with this "
            "version",
        )
    return _manifest(_Fields(path, content))


def _place(table: Table) -> str:
    return table.address or str(table.path.absolute())


def _without_number(part: Part) -> dict[str, Any]:
    fields = asdict(part)
    del fields["number"]
    if part.keys is not None:
        fields["keys"] = [NAME_OF_INFINITE.get(key, key) for key in part.keys]
    return fields


def _schemas(plan: Plan, schema: pl.Schema) -> dict[str | None, pl.Schema]:
    if plan.groups is None:
        return {None: schema}
    return {
        group: pl.Schema({name: kind for name, kind in schema.items() if name in columns})
        for group, columns in plan.groups.groups
    }


def _written(folder: Path, cut: Cut) -> dict[int, list[Path]]:
    """The files that the engine wrote, by part."""
    known = {f"{part_files.FOLDER}{number}": number for number in range(cut.parts)}
    files = {}
    for place in sorted(folder.iterdir()):
        if place.name not in known:
            raise EngineError(
                situation=f"While reading back the parts of {cut.table.path}",
                seen=f"the engine wrote {place.name!r}",
                wrong=f"the plan has the parts 0 to {cut.parts - 1}, each a folder",
                fix="run it again; if it happens again, report it with the plan",
            )
        files[known[place.name]] = sorted(place.rglob("*.parquet"))
    return files


def key_of(cut: Cut) -> pl.Expr | None:
    """What a part's least and greatest key are taken of."""
    if cut.plan.groups is None:
        return cut.keys[0] if cut.keys else None
    name = cut.plan.groups.key
    kind, column = cut.table.schema[name], pl.col(name)
    if isinstance(kind, pl.Datetime):
        return column.dt.epoch("us")
    if kind.is_integer():
        return column
    if kind == pl.Binary:
        return column.bin.encode("hex")
    return column.to_physical().cast(pl.Int64) if kind.is_temporal() else column.cast(pl.String)


def _part(
    number: int,
    groups: Sequence[str | None],
    folder: Path,
    tally: Tally,
    paths: Sequence[Path],
) -> Part:
    files = tuple(File(path.relative_to(folder).as_posix(), path.stat().st_size) for path in paths)
    return Part(
        number=number,
        row_part=number // len(groups),
        group=groups[number % len(groups)],
        rows=tally.rows,
        bytes=sum(file.bytes for file in files),
        checksum=tally.text,
        keys=tally.keys,
        files=files,
    )


def _own_versions() -> dict[str, str]:
    return {"amaas-kit": metadata.version("amaas-kit"), "polars": pl.__version__}


def _json(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_bytes())
    except FileNotFoundError:
        raise DataError(
            situation=f"While reading {path}",
            seen="no such file",
            wrong="a folder of parts holds a manifest, which is written last",
            fix="name the target of a partition, or cut the table again",
        ) from None
    except OSError as error:
        raise DataError(
            situation=f"While reading {path}",
            seen=str(error.strerror),
            wrong="the file cannot be read",
            fix="look at its name and at who may read it",
        ) from None
    except (ValueError, RecursionError) as error:
        raise DataError(
            situation=f"While reading {path}",
            seen=str(error),
            wrong="the manifest is cut short or damaged",
            fix="cut the table again, or fetch the folder again",
        ) from None
    if not isinstance(content, dict):
        raise _foreign(path, f"{type(content).__name__} in JSON")
    return content


def _foreign(path: Path, seen: str) -> DataError:
    return DataError(
        situation=f"While reading {path}",
        seen=seen,
        wrong="this is no manifest of a partition of the kit",
        fix="name a folder that the kit wrote parts to",
    )


@dataclass(frozen=True)
class _Fields:
    """The fields of an object in a manifest, each taken with the type it must have."""

    path: Path
    content: Mapping[str, Any]
    place: str = ""

    def text(self, name: str) -> str:
        return cast(str, self._of(name, str, "text"))

    def count(self, name: str) -> int:
        number = self._of(name, int, "a whole number from 0")
        if number < 0 or isinstance(number, bool):
            raise self.wrong(name, "it is a whole number from 0")
        return cast(int, number)

    def sum(self, name: str) -> str:
        text = self.text(name)
        if len(text) != 16 or set(text) - set("0123456789abcdef"):
            raise self.wrong(name, "a checksum has 16 digits of base 16")
        return text

    def items(self, name: str) -> list[Any]:
        return cast(list[Any], self._of(name, list, "a list"))

    def object(self, name: str) -> _Fields:
        content = self._of(name, dict, "an object")
        return _Fields(self.path, content, f"{self.place}{name}.")

    def objects(self, name: str) -> list[_Fields]:
        places = [f"{self.place}{name}[{i}]" for i in range(len(self.items(name)))]
        for place, item in zip(places, self.items(name), strict=True):
            if not isinstance(item, dict):
                raise _wrong_field(self.path, place, item, "it is an object")
        return [
            _Fields(self.path, item, f"{place}.")
            for place, item in zip(places, self.items(name), strict=True)
        ]

    def wrong(self, name: str, why: str) -> DataError:
        return _wrong_field(self.path, self.place + name, self.content.get(name), why)

    def _of(self, name: str, kind: type, called: str) -> Any:
        if name not in self.content:
            raise _wrong_field(self.path, self.place + name, None, "the field is missing")
        if not isinstance(self.content[name], kind):
            raise self.wrong(name, f"it is {called}")
        return self.content[name]


def _wrong_field(path: Path, field: str, value: Any, why: str) -> DataError:
    return DataError(
        situation=f"While reading {path}",
        seen=f"{field} = {json.dumps(value, ensure_ascii=False)[:200]}",
        wrong=f"{why}: the manifest was changed or damaged",
        fix="cut the table again, or fetch the folder again",
    )


def _manifest(fields: _Fields) -> Manifest:
    plan = Plan.from_json(json.dumps(fields.object("plan").content), f"plan in {fields.path}")
    source = fields.object("source")
    schema = _schema(fields)
    names, real = list(_schemas(plan, schema)), _has_real_keys(plan, schema)
    versions = fields.object("versions")
    return Manifest(
        plan=plan,
        source=Source(source.text("path"), source.text("format"), source.count("rows")),
        schema=schema,
        engine=fields.text("engine"),
        versions={name: versions.text(name) for name in versions.content},
        notes=tuple(str(note) for note in fields.items("notes")),
        rows=fields.count("rows"),
        checksum=fields.sum("checksum"),
        parts=tuple(
            _read_part(number, names, real, part)
            for number, part in enumerate(fields.objects("parts"))
        ),
    )


def _has_real_keys(plan: Plan, schema: pl.Schema) -> bool:
    keys = [step.key for step in plan.rows if not isinstance(step, RoundRobin)]
    return plan.groups is None and bool(keys) and schema.get(keys[0], pl.Null()).is_float()


def _schema(fields: _Fields) -> pl.Schema:
    kinds: dict[str, pl.DataType] = {}
    for pair in fields.items("schema"):
        try:
            name, kind = pair
            if not isinstance(name, str) or name in kinds:
                raise ValueError("each column has a name of its own")
            kinds[name] = dtypes.from_text(kind)
        except (TypeError, ValueError) as error:
            raise _wrong_field(fields.path, "schema", pair, str(error)) from None
    return pl.Schema(kinds)


def _read_part(number: int, groups: Sequence[str | None], real: bool, fields: _Fields) -> Part:
    if fields.count("part") != number:
        raise fields.wrong("part", f"the part in this place is {number}")
    if fields.count("row_part") != number // len(groups):
        raise fields.wrong("row_part", f"it is {number // len(groups)} under this plan")
    group = groups[number % len(groups)]
    if fields.content.get("group") != group:
        raise fields.wrong("group", f"it is {json.dumps(group)} under this plan")
    files = tuple(
        File(_inside(file, number), file.count("bytes")) for file in fields.objects("files")
    )
    return Part(
        number=number,
        row_part=number // len(groups),
        group=group,
        rows=fields.count("rows"),
        bytes=fields.count("bytes"),
        checksum=fields.sum("checksum"),
        keys=_keys(fields, real),
        files=files,
    )


def _inside(file: _Fields, number: int) -> str:
    path = PurePosixPath(file.text("path"))
    own = len(path.parts) > 1 and path.parts[0] == f"{part_files.FOLDER}{number}"
    if not own or ".." in path.parts or "\\" in str(path):
        raise file.wrong("path", f"a file of this part lies in {part_files.FOLDER}{number}")
    return str(path)


def _keys(fields: _Fields, real: bool) -> Any:
    keys = fields.content.get("keys")
    if keys is None:
        return None
    if real and isinstance(keys, list):
        infinite = {name: key for key, name in NAME_OF_INFINITE.items()}
        keys = [infinite.get(key, key) if isinstance(key, str) else key for key in keys]
    kinds = {type(key) for key in keys} if isinstance(keys, list) and len(keys) == 2 else set()
    if len(kinds) != 1 or not kinds <= {int, float, str}:
        raise fields.wrong("keys", "it is the least and the greatest key")
    return tuple(keys)
