"""A cut as Flink SQL: every number is typed, every text is quoted, every group has its cells."""

from __future__ import annotations

import re

import pytest

from amaas_kit.partition import Plan
from amaas_kit.partition.cut import fit
from amaas_kit.partition.engines.flink_sql import CASE_BOUNDS, bounds_functions, flink_sql, script
from amaas_kit.partition.source import Table
from tests.partition.every_plan import GROUPS, PLANS, hard_table


@pytest.fixture(scope="module")
def cut_by(tmp_path_factory):
    file = tmp_path_factory.mktemp("table") / "table.parquet"
    hard_table(500, seed=1).write_parquet(file)
    return lambda plan: fit(plan, Table.open(file))


@pytest.mark.parametrize("name", PLANS)
def test_no_number_of_the_arithmetic_is_left_to_flink_to_type(cut_by, name):
    cut = cut_by(PLANS[name])
    statements = script(cut, "/lines", "/parts")
    numbered = next(text for text in statements.tables if "VIEW with_parts" in text)
    arithmetic = numbered + statements.insert
    for known in (r"CAST\(-?\d+ AS BIGINT\)", r"'(?:[^']|'')*'", r"CELLS\(line(?:, \d+)+\)"):
        arithmetic = re.sub(known, "", arithmetic)
    assert re.findall(r"(?<![\w])\d+", arithmetic) == []


def test_the_script_is_all_statements_in_their_order(cut_by):
    cut = cut_by(PLANS["columns within hash within window"])
    statements = script(cut, "/lines", "/parts")
    assert flink_sql(cut).split(";\n\n") == [*statements.tables, statements.insert + ";\n"]
    assert statements.sinks == ("/parts/0", "/parts/1", "/parts/2")
    kinds = [text.split()[2] for text in statements.tables]
    assert kinds == ["SYSTEM", *["TABLE"] * 4, *["VIEW"] * 2]


def test_a_group_takes_its_cells_behind_those_of_the_keys(cut_by):
    columns = list(hard_table(10, seed=1).schema)
    cut = cut_by(
        Plan.hash("user", 2).then(Plan.round_robin(3)).then(Plan.columns(GROUPS, "row_id"))
    )
    inserts = re.findall(r"CELLS\(line, ([\d, ]+)\)", script(cut, "", "").insert)
    for places, group in zip(inserts, cut.groups, strict=True):
        assert [columns[int(place) - 2] for place in places.split(", ")] == sorted(
            group, key=columns.index
        )


def test_a_quote_cannot_end_a_text(cut_by):
    bound = "'; DROP TABLE lines; --"
    sql = flink_sql(cut_by(Plan.range("name", [bound])), lines="/it's here")
    assert "HEX('''; DROP TABLE lines; --')" in sql
    assert "'path' = '/it''s here'" in sql


def test_a_long_range_is_counted_by_a_function(cut_by):
    short, long = list(range(CASE_BOUNDS)), list(range(CASE_BOUNDS + 1))
    assert "BOUNDS_0(" not in flink_sql(cut_by(Plan.range("user", short)))
    cut = cut_by(Plan.range("user", long))
    assert "ELSE BOUNDS_0(k0) END" in flink_sql(cut)
    assert bounds_functions(cut) == {"BOUNDS_0": ("number", "\t".join(map(str, long)))}


def test_bounds_of_text_are_handed_over_as_cells(cut_by):
    texts = sorted({"%", "\t", "\n", "\r", "%09", *(str(n) for n in range(100))}, key=str.encode)
    ((kind, cells),) = bounds_functions(cut_by(Plan.range("name", texts))).values()
    assert kind == "text"
    assert cells.split("\t")[:4] == ["%09", "%0A", "%0D", "%25"]
    assert cells.split("\t")[4] == "%2509"
