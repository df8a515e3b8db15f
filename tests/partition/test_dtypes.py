"""Types are written as text and read back equal; text that names none is refused."""

from __future__ import annotations

import polars as pl
import pytest

from amaas_kit.partition.dtypes import PLAIN, from_text, to_text

TEXTS = {
    "Datetime('us', None)": pl.Datetime("us"),
    "Datetime('ns', 'Europe/Paris')": pl.Datetime("ns", "Europe/Paris"),
    "Duration('ms')": pl.Duration("ms"),
    "Decimal(10, 2)": pl.Decimal(10, 2),
    "Enum(['b', \"a'\", '\\n'])": pl.Enum(["b", "a'", "\n"]),
    "List(List(Int8))": pl.List(pl.List(pl.Int8)),
    "Array(Array(Int8, 3), 2)": pl.Array(pl.Int8, (2, 3)),
    "Struct({'a': List(String), 'b c': Datetime('ms', None)})": pl.Struct(
        {"a": pl.List(pl.String), "b c": pl.Datetime("ms")}
    ),
    "Struct({})": pl.Struct({}),
    **{name: kind() for name, kind in PLAIN.items()},
}


@pytest.mark.parametrize("text", TEXTS)
def test_a_type_is_written_and_read_back_equal(text):
    assert to_text(TEXTS[text]) == text
    assert from_text(text) == TEXTS[text]


def test_a_type_that_files_do_not_hold_is_refused():
    for kind in (pl.Object(), pl.Decimal(70, 2), pl.List(pl.Decimal(70, 2))):
        with pytest.raises(TypeError, match=r"Object|Decimal"):
            to_text(kind)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Int",
        "Int64 + Int64",
        "Datetime('years')",
        "Decimal('a', 0)",
        "List()",
        "List(Int8, Int8)",
        "Array(Int8)",
        "Array(Int8, 'x')",
        "Struct()",
        "Struct(Int8)",
        "Struct({'a': 1})",
        "Struct({**{}})",
        "Enum(3)",
        "__import__('os').system('x')",
        "(" * 5000,
    ],
)
def test_text_that_names_no_type_is_refused(text):
    with pytest.raises(ValueError, match="no type of a column"):
        from_text(text)
