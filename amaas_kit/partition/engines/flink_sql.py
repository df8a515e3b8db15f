"""A cut as Flink SQL: a table of lines goes in, and the lines of each part come out.

Flink takes `MOD(BIGINT, 2147483647)` for an INT, and its product overflows without a word; so every
whole number here is written `CAST(… AS BIGINT)`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

from amaas_kit.partition.cut import Cut
from amaas_kit.partition.plan import Hash, Range, RoundRobin, RowStep, Window
from amaas_kit.partition.reference import A, B, P

PACKAGE = "amaas.flink"
"""Where the kit's own functions live in its jar."""

CASE_BOUNDS = 64
"""A range with more bounds is counted by a function: Flink compiles a CASE for minutes."""

TAB = "CHR(9)"
NULL = "'%N'"
"""How a line writes a cell that is null."""

ESCAPES = (("%09", 9), ("%0A", 10), ("%0D", 13), ("%FE", 0xFEFF), ("%25", 37))
"""What a line has for tab, line feed, carriage return, byte order mark and percent; in the order of
reading."""


@dataclass(frozen=True)
class Script:
    """The statements of a cut, in the order in which Flink takes them.

    Attributes:
        tables: make the functions, the tables and the view of the keys.
        insert: the one statement that moves the rows.
        sinks: the folder of each table of parts, one a group, or one for all rows.
    """

    tables: tuple[str, ...]
    insert: str
    sinks: tuple[str, ...]


def flink_sql(cut: Cut, lines: str = "/lines", parts: str = "/parts") -> str:
    """The cut as a script of Flink SQL, to be read.

    Args:
        cut: a plan that fits a table; see `amaas_kit.partition.cut.fit`.
        lines: the folder where Flink finds the rows as lines: the key of each step, then the
            columns of the table, with tabs between them.
        parts: the folder that gets a folder `part=<number>` for each part.

    Taught in: notebooks/06_distributed_engines, "The same cut as Flink SQL".
    """
    statements = script(cut, lines, parts)
    return "\n\n".join(f"{text};" for text in (*statements.tables, statements.insert)) + "\n"


def script(cut: Cut, lines: str, parts: str) -> Script:
    """The statements of a cut, between two folders that Flink sees."""
    sinks = tuple(f"{parts}/{number}" for number, _ in enumerate(cut.groups)) or (parts,)
    names = [f"parts_{number}" for number, _ in enumerate(cut.groups)] or ["parts"]
    tables = [
        *_functions(cut),
        _table("lines", "line STRING", lines),
        *(
            _table(name, "line STRING, part BIGINT", sink, partitioned=True)
            for name, sink in zip(names, sinks, strict=True)
        ),
        _keys_view(cut),
        _parts_view(cut),
    ]
    return Script(tuple(tables), _insert(cut, names), sinks)


def bounds_functions(cut: Cut) -> dict[str, tuple[str, str]]:
    """The functions that count the bounds of long ranges, which are no part of the SQL.

    Returns:
        By name, the kind of the key, and the bounds as the cells of a line.
    """
    return {
        f"BOUNDS_{number}": (kind, "\t".join(_cell(bound) for bound in step.bounds))
        for number, (step, kind) in enumerate(zip(cut.steps, cut.kinds, strict=True))
        if isinstance(step, Range) and len(step.bounds) > CASE_BOUNDS
    }


def _cell(value: Any) -> str:
    if not isinstance(value, str):
        return repr(value)
    cell = value
    for code, number in reversed(ESCAPES):
        cell = cell.replace(chr(number), code)
    return cell


def _functions(cut: Cut) -> list[str]:
    wanted = []
    if any(
        isinstance(step, Hash) and kind == "text"
        for step, kind in zip(cut.steps, cut.kinds, strict=True)
    ):
        wanted.append(("TEXT_NUMBER", "TextNumber"))
    if cut.groups:
        wanted.append(("CELLS", "Cells"))
    return [
        f"CREATE TEMPORARY SYSTEM FUNCTION {name} AS '{PACKAGE}.{kind}'" for name, kind in wanted
    ]


def _table(name: str, columns: str, folder: str, partitioned: bool = False) -> str:
    return (
        f"CREATE TEMPORARY TABLE {name} ({columns})"
        + (" PARTITIONED BY (part)" if partitioned else "")
        + f"\nWITH ('connector' = 'filesystem', 'format' = 'raw', 'path' = {_text(folder)})"
    )


def _view(name: str, columns: Sequence[str], source: str) -> str:
    return f"CREATE TEMPORARY VIEW {name} AS\nSELECT " + ",\n  ".join(columns) + f"\nFROM {source}"


def _keys_view(cut: Cut) -> str:
    """The lines with their keys, and with where their columns begin."""
    cells = [f"SPLIT_INDEX(line, {TAB}, {number})" for number, _ in enumerate(cut.steps)]
    keys = [
        f"{_typed(cell, kind)} AS k{number}"
        for number, (cell, kind) in enumerate(zip(cells, cut.kinds, strict=True))
    ]
    begin = " + ".join(["1", *(f"CHAR_LENGTH({cell}) + 1" for cell in cells)])
    return _view("with_keys", ["line", f"{begin} AS begin_of_row", *keys], "lines")


def _parts_view(cut: Cut) -> str:
    """The lines with the part that each step gives them."""
    parts = [
        f"{_part_of_step(step, f'k{number}', kind, f'BOUNDS_{number}')} AS p{number}"
        for number, (step, kind) in enumerate(zip(cut.steps, cut.kinds, strict=True))
    ]
    return _view("with_parts", ["line", "begin_of_row", *parts], "with_keys")


def _typed(cell: str, kind: str) -> str:
    """A cell of a line as the key that it writes."""
    known = f"NULLIF({cell}, {NULL})"
    if kind == "text":
        for code, number in ESCAPES:
            sign = f"CHR({number})" if number < 128 else f"U&'\\{number:04X}'"
            known = f"REPLACE({known}, '{code}', {sign})"
        return known
    if kind == "real":
        return f"CAST(REPLACE({known}, 'inf', 'Infinity') AS DOUBLE)"
    return f"CAST({known} AS BIGINT)"


def _insert(cut: Cut, names: Sequence[str]) -> str:
    part = _row_part(cut.steps)
    if not cut.groups:
        return _one_insert(names[0], "SUBSTRING(line FROM begin_of_row)", part)
    inserts = [
        _one_insert(
            name,
            f"CELLS(line, {_places(cut, group)})",
            f"{part} * {_big(len(cut.groups))} + {_big(number)}",
        )
        for number, (name, group) in enumerate(zip(names, cut.groups, strict=True))
    ]
    return ";\n".join(["EXECUTE STATEMENT SET BEGIN\n" + inserts[0], *inserts[1:], "END"])


def _one_insert(table: str, row: str, part: str) -> str:
    return f"INSERT INTO {table}\nSELECT {row}, {part}\nFROM with_parts"


def _places(cut: Cut, group: Sequence[str]) -> str:
    """Where the columns of a group stand in a line, in the table's order."""
    places = sorted(list(cut.table.schema).index(name) for name in group)
    return ", ".join(str(len(cut.steps) + place) for place in places)


def _row_part(steps: Sequence[RowStep]) -> str:
    """The number of the outer part times the inner parts, plus the inner part."""
    number = "p0" if steps else _big(0)
    for place, step in enumerate(steps[1:], 1):
        number = f"({number} * {_big(cast(int, step.parts))} + p{place})"
    return number


def _part_of_step(step: RowStep, key: str, kind: str, function: str) -> str:
    if isinstance(step, RoundRobin):
        return f"MOD({key}, {_big(step.parts)})"
    if isinstance(step, Hash):
        part = _hash(f"TEXT_NUMBER({key})" if kind == "text" else key, step.parts)
    elif isinstance(step, Window):
        part = f"({key} - {_big(cast(int, step.start))}) / {_big(cast(int, step.width))}"
    elif len(step.bounds) > CASE_BOUNDS:
        part = f"{function}({key})"
    else:
        part = _between(step.bounds, key, kind)
    return f"CASE WHEN {key} IS NULL THEN {_big(step.nulls)} ELSE {part} END"


def _hash(number: str, parts: int) -> str:
    p, a, b = _big(P), _big(A), _big(B)
    return f"MOD(MOD(MOD(MOD({number}, {p}) + {p}, {p}) * {a} + {b}, {p}), {_big(parts)})"


def _between(bounds: Sequence[Any], key: str, kind: str) -> str:
    """The first bound that is above the key tells how many are not.

    Flink orders text now by its bytes, now as Java does; what HEX writes has one order only.
    """
    key = f"HEX({key})" if kind == "text" else key
    cases = [
        f"WHEN {key} < {_constant(bound, kind)} THEN {_big(number)}"
        for number, bound in enumerate(bounds)
    ]
    return f"CASE {' '.join(cases)} ELSE {_big(len(bounds))} END"


def _constant(value: Any, kind: str) -> str:
    if kind == "text":
        return f"HEX({_text(value)})"
    return f"CAST('{value!r}' AS DOUBLE)" if kind == "real" else _big(value)


def _big(number: int) -> str:
    return f"CAST({number} AS BIGINT)"


def _text(value: str) -> str:
    """A text as SQL writes it."""
    return "'" + value.replace("'", "''") + "'"
