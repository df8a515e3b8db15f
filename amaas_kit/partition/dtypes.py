"""Types of columns as text, and back: `Datetime('us', 'UTC')`, `List(Struct({'x': Int8}))`.

The text is the kit's own, so that a manifest can be read with another version of Polars.
"""

from __future__ import annotations

import ast
from typing import Any, cast

import polars as pl

PLAIN: dict[str, type[pl.DataType]] = {
    kind.__name__: kind
    for kind in (
        pl.Binary,
        pl.Boolean,
        pl.Categorical,
        pl.Date,
        pl.Float32,
        pl.Float64,
        pl.Int8,
        pl.Int16,
        pl.Int32,
        pl.Int64,
        pl.Int128,
        pl.Null,
        pl.String,
        pl.Time,
        pl.UInt8,
        pl.UInt16,
        pl.UInt32,
        pl.UInt64,
    )
}

DIGITS = 38
"""Of a decimal number at most: Polars reads types with more from a file, and cannot write them."""

MALFORMED = (SyntaxError, TypeError, ValueError, LookupError, RecursionError)


def to_text(kind: pl.DataType) -> str:
    """A type as text.

    Raises:
        TypeError: files of parts do not hold such values.
    """
    match kind:
        case pl.Datetime():
            return f"Datetime({kind.time_unit!r}, {kind.time_zone!r})"
        case pl.Duration():
            return f"Duration({kind.time_unit!r})"
        case pl.Decimal() if kind.precision <= DIGITS:
            return f"Decimal({kind.precision}, {kind.scale})"
        case pl.Enum():
            return f"Enum({kind.categories.to_list()!r})"
        case pl.List():
            return f"List({to_text(_of(kind.inner))})"
        case pl.Array():
            return f"Array({to_text(_of(kind.inner))}, {kind.shape[0]})"
        case pl.Struct():
            fields = ", ".join(f"{f.name!r}: {to_text(_of(f.dtype))}" for f in kind.fields)
            return f"Struct({{{fields}}})"
    name = type(kind).__name__
    if name not in PLAIN:
        raise TypeError(f"a column of type {kind}")
    return name


def from_text(text: str) -> pl.DataType:
    """The type that `to_text` wrote.

    Raises:
        ValueError: the text names no type.
    """
    try:
        kind = _type(ast.parse(text, mode="eval").body)
        if to_text(kind) != text:
            raise ValueError(f"it would be written {to_text(kind)}")
        return kind
    except (*MALFORMED, pl.exceptions.PolarsError) as error:
        raise ValueError(f"{text!r} is no type of a column") from error


def _of(kind: Any) -> pl.DataType:
    """An instance, where a nested type may hold a class."""
    return cast(pl.DataType, kind() if isinstance(kind, type) else kind)


def _type(node: ast.expr) -> pl.DataType:
    if isinstance(node, ast.Name) and node.id in PLAIN:
        return PLAIN[node.id]()
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
        raise ValueError("neither a name nor a call")
    arguments = node.args
    match node.func.id:
        case "Datetime" | "Duration" | "Decimal" | "Enum" as name:
            kind = getattr(pl, name)(*(ast.literal_eval(argument) for argument in arguments))
            return cast(pl.DataType, kind)
        case "List":
            return pl.List(_type(*arguments))
        case "Array":
            return pl.Array(_type(arguments[0]), ast.literal_eval(arguments[1]))
        case "Struct" if isinstance(arguments[0], ast.Dict):
            names = [ast.literal_eval(key) for key in arguments[0].keys if key is not None]
            kinds = [_type(value) for value in arguments[0].values]
            return pl.Struct(dict(zip(names, kinds, strict=True)))
    raise ValueError(f"{node.func.id} is no type")
