"""A cut as Spark SQL: one SELECT that gives each row the number of its part.

Spark reports a product that leaves 64 bits as an error (ANSI); here none does.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import polars as pl

from amaas_kit.partition.cut import PART, TEXT, WHOLE, Cut
from amaas_kit.partition.plan import Hash, RoundRobin, RowStep, Window
from amaas_kit.partition.reference import BASE, A, B, P

SOURCE = "source"
"""What the table is called in the SQL."""

LADDER = 8
"""So many bounds are compared one after the other; of more, the middle one is asked first."""


def spark_sql(cut: Cut) -> str:
    """The cut as Spark SQL, one SELECT for each group of columns.

    The table is called `source`. It has the columns of the table and, for round robin, the place of
    each row as the column `position`.

    Args:
        cut: a plan that fits a table; see `amaas_kit.partition.cut.fit`.

    Taught in: notebooks/06_distributed_engines, "The same cut as Spark SQL".
    """
    return ";\n\n".join(selects(cut))


def selects(cut: Cut) -> list[str]:
    """The SELECT of each group of columns, or the one for all columns.

    Rows that are cut are moved together by their part: the hint makes Spark exchange them between
    its tasks, and share a part that is large among several of them.
    """
    row_part = _row_part(cut)
    hint = f"/*+ REBALANCE({PART}) */ " if cut.steps else ""
    if not cut.groups:
        return [_select(hint, list(cut.table.schema), row_part)]
    return [
        _select(
            hint,
            [name for name in cut.table.schema if name in group],
            f"{row_part} * {_big(len(cut.groups))} + {_big(number)}",
        )
        for number, group in enumerate(cut.groups)
    ]


def position_column(schema: pl.Schema) -> str:
    """The name of the column with each row's place, which no column of the table has."""
    name = "position"
    while name in schema:
        name += "_"
    return name


def quoted(name: str) -> str:
    """A column's name as SQL writes it, whatever characters it has."""
    return "`" + name.replace("`", "``") + "`"


def text(value: str) -> str:
    """A text as SQL writes it."""
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"


def _select(hint: str, columns: Sequence[str], part: str) -> str:
    names = ", ".join(map(quoted, columns))
    return f"SELECT {hint}{names},\n  {part} AS {PART}\nFROM {SOURCE}"


def _row_part(cut: Cut) -> str:
    """The number of a row's part, from the outermost step to the innermost."""
    number = ""
    for step, kind in zip(cut.steps, cut.kinds, strict=True):
        part = _part(step, kind, cut.table.schema)
        number = f"({number} * {_big(cast(int, step.parts))} + {part})" if number else part
    return number or _big(0)


def _part(step: RowStep, kind: str, schema: pl.Schema) -> str:
    if isinstance(step, RoundRobin):
        return f"{quoted(position_column(schema))} % {_big(step.parts)}"
    key = _key(step.key, schema[step.key])
    if isinstance(step, Hash):
        part = _hash(_text_number(key) if kind == "text" else key, step.parts)
    elif isinstance(step, Window):
        part = f"({key} - {_big(cast(int, step.start))}) DIV {_big(cast(int, step.width))}"
    else:
        part = _ladder(key, [_constant(bound, kind) for bound in step.bounds])
    return f"CASE WHEN {quoted(step.key)} IS NULL THEN {_big(step.nulls)} ELSE {part} END"


def _key(name: str, kind: pl.DataType) -> str:
    """The normalised key: BIGINT, DOUBLE, or STRING, which Spark compares by its UTF-8 bytes."""
    column = quoted(name)
    if kind == pl.Date:
        return f"CAST(unix_date({column}) AS BIGINT)"
    if isinstance(kind, pl.Datetime):
        return _microseconds(column, kind)
    if kind in TEXT:
        return column
    return f"CAST({column} AS {'BIGINT' if kind in WHOLE else 'DOUBLE'})"


def _microseconds(column: str, kind: pl.Datetime) -> str:
    """Milliseconds and nanoseconds reach Spark as whole numbers; DIV rounds towards zero."""
    if kind.time_unit == "ms":
        return f"({column} * 1000L)"
    if kind.time_unit == "ns":
        return f"({column} DIV 1000L - CASE WHEN {column} % 1000L < 0L THEN 1L ELSE 0L END)"
    return f"unix_micros({column if kind.time_zone else f'CAST({column} AS TIMESTAMP)'})"


def _hash(number: str, parts: int) -> str:
    p, a, b = _big(P), _big(A), _big(B)
    return f"((({number} % {p} + {p}) % {p} * {a} + {b}) % {p} % {_big(parts)})"


def _text_number(key: str) -> str:
    """The UTF-8 bytes as one number modulo P: four are appended at a time, from eight digits."""
    digits = f"lpad(hex({key}), 8 * ((octet_length({key}) + 3) DIV 4), '0')"
    fours = (
        f"transform(regexp_extract_all({digits}, '.{{8}}', 0), "
        "digits -> CAST(conv(digits, 16, 10) AS BIGINT))"
    )
    single = [
        f"four DIV {_big(256**place)} % 256L * {_big(BASE**place % P)}" for place in (3, 2, 1, 0)
    ]
    appended = " + ".join([f"number * {_big(BASE**4 % P)}", *single])
    return f"aggregate(\n    {fours},\n    {_big(0)}, (number, four) -> ({appended}) % {_big(P)})"


def _ladder(key: str, bounds: Sequence[str], below: int = 0) -> str:
    """How many bounds are not above the key, where `below` are known to be."""
    if len(bounds) <= LADDER:
        cases = [f"WHEN {key} < {bound} THEN {_big(below + i)}" for i, bound in enumerate(bounds)]
        return f"CASE {' '.join(cases)} ELSE {_big(below + len(bounds))} END"
    middle = len(bounds) // 2
    lower = _ladder(key, bounds[:middle], below)
    upper = _ladder(key, bounds[middle + 1 :], below + middle + 1)
    return f"CASE WHEN {key} < {bounds[middle]} THEN {lower} ELSE {upper} END"


def _constant(value: Any, kind: str) -> str:
    if kind == "text":
        return text(value)
    return f"{float(value)!r}D" if kind == "real" else _big(value)


def _big(number: int) -> str:
    """A whole number of 64 bits; in brackets where its sign could be taken for a minus."""
    return f"{number}L" if number >= 0 else f"({number}L)"
