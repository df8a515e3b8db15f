"""The exercises of lesson 6 take every right answer, and agree with the engines they speak of."""

from __future__ import annotations

from collections import Counter

import numpy as np
import polars as pl
import pytest

from amaas_kit import ports
from amaas_kit.exercises import ____, progress
from amaas_kit.exercises import distributed_engines as ex
from amaas_kit.exercises.spark_values import lacking
from amaas_kit.partition import engine

P, A, B = 2_147_483_647, 1_103_515_245, 12_345


@pytest.fixture
def spark():
    if lacking():
        pytest.skip(lacking())


def by_pmod(key, parts):
    return f"NVL((PMOD({key}, {P}) * {A} + {B}) % {P} % {parts}, 0)"


def by_functions(key, parts):
    return f"ifnull(mod(mod(mod(mod({key}, {P}) + {P}, {P}) * {A} + {B}, {P}), {parts}), 0)"


def over_several_lines(key, parts):
    return f"""
        IF(`{key}` IS NULL, 0L, -- the part of rows without a key
           (PMOD(`{key}`, {P}L) * {A}L + {B}L) % {P}L % {parts}L)
    """


def by_decimals(key, parts):
    key = f"CAST({key} AS DECIMAL(38, 0))"
    return f"COALESCE(CAST(PMOD(PMOD({key}, {P}) * {A} + {B}, {P}) AS BIGINT) % {parts}, 0)"


def negative_ones_apart(key, parts):
    number = f"CASE WHEN {key} % {P} < 0 THEN {key} % {P} + {P} ELSE {key} % {P} END"
    return f"COALESCE(({number} * {A} + {B}) % {P} % {parts}, 0)"


@pytest.mark.parametrize(
    "answer", [by_pmod, by_functions, over_several_lines, by_decimals, negative_ones_apart]
)
def test_sql_may_be_written_in_many_ways(spark, answer):
    verdict = ex.spark_sql_plan.examine(answer, seed=3)
    assert verdict.outcome == "correct", verdict.message


def test_a_wrong_key_is_named_with_both_parts(spark):
    verdict = ex.spark_sql_plan.examine(lambda key, parts: f"{key} % {parts}", seed=3)
    assert "For the key 0 Spark computes 0; the plan's part is" in verdict.message


def test_what_spark_refuses_is_told_in_its_words(spark):
    verdict = ex.spark_sql_plan.examine(lambda key, parts: f"{key} // {parts}", seed=3)
    assert "Spark refuses the expression: [PARSE_SYNTAX_ERROR]" in verdict.message
    assert verdict.mistake is None


def test_a_mistake_is_named_whatever_becomes_of_rows_without_a_key(spark):
    def answer(key, parts):
        return f"({key} % {P} * {A} + {B}) % {P} % {parts}"

    assert ex.spark_sql_plan.examine(answer, seed=3).mistake == "sign_kept"


@pytest.fixture
def no_java(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("JAVA_HOME", raising=False)


def test_without_java_a_check_says_what_is_missing_and_counts_nothing(no_java, capsys):
    verdict = ex.spark_sql_plan.check(ex.spark_part)
    assert verdict.outcome == "not checked"
    said = capsys.readouterr().out
    assert said.startswith("Not checked. This check asks Spark itself, and there is no Java")
    assert "To bring it: `" in said
    assert progress.load() == ({}, None)


def test_without_java_what_is_not_attempted_is_still_told_first(no_java):
    assert ex.spark_sql_plan.examine(____).outcome == "not attempted"
    assert ex.spark_sql_plan.examine(lambda key, parts: ____).outcome == "not attempted"
    assert ex.spark_sql_plan.examine(lambda key: "1").outcome == "not yet"


def test_without_java_an_endless_answer_is_stopped_all_the_same(no_java, monkeypatch):
    def answer(key, parts):
        while True:
            pass

    monkeypatch.setattr(ex.spark_sql_plan, "seconds", 0.2)
    verdict = ex.spark_sql_plan.examine(answer)
    assert verdict.outcome == "not yet"
    assert "no result after 0.2 s" in verdict.message


def test_the_overflow_is_the_one_that_flink_makes():
    flink = engine("flink")
    if not flink.available():
        pytest.skip(f"{flink.available().reason}; {flink.available().command}")
    drawn = ex.silent_overflow.draw(np.random.default_rng(8))
    keys, parts = np.concatenate([np.arange(50), drawn["keys"]]), drawn["parts"]
    with flink:
        typed_int = asked(flink, mod(f"{mod('k', P)} * {A} + {B}", P, parts), keys)
        typed_big = asked(flink, mod(f"{mod('k', big(P))} * {A} + {B}", big(P), parts), keys)
    np.testing.assert_array_equal(typed_int, ex._ids_of_int(keys, parts))
    np.testing.assert_array_equal(typed_big, ex.hash_parts(keys, parts))


def mod(text, *divisors):
    for divisor in divisors:
        text = f"MOD({text}, {divisor})"
    return text


def big(number):
    return f"CAST({number} AS BIGINT)"


def asked(flink, expression, keys):
    """What Flink computes for keys, in its own small cluster."""
    jvm = flink._started().jvm
    settings = jvm.org.apache.flink.configuration.Configuration()
    settings.setString("execution.target", "local")
    settings.setString("rest.bind-address", ports.HOST)
    settings.setString("rest.port", str(ports.claim(0)))
    api = jvm.org.apache.flink.table.api
    environment = api.TableEnvironment.create(
        api.EnvironmentSettings.newInstance().withConfiguration(settings).build()
    )
    rows = ", ".join(f"({place}, {big(key)})" for place, key in enumerate(keys))
    query = f"SELECT place, {expression} FROM (VALUES {rows}) AS given(place, k)"
    answer = environment.sqlQuery(query).execute().collect()
    found = {}
    while answer.hasNext():
        row = answer.next()
        found[row.getField(0)] = row.getField(1)
    return np.array([found[place] for place in range(len(keys))])


def marks_by_a_loop(keys, parts, ids):
    pairs = zip(keys.tolist(), ids.tolist(), strict=True)
    return np.array([(key % P * A + B) % P % parts != number for key, number in pairs])


def marks_by_multiplying_halves(keys, parts, ids):
    low, high = keys % P % 2**16, keys % P // 2**16
    return ids != ((high * A % P * 2**16 + low * A + B) % P) % parts


def marks_as_0_and_1(keys, parts, ids):
    return (ids != (keys % P * A + B) % P % parts).astype(int)


@pytest.mark.parametrize("answer", [marks_by_a_loop, marks_by_multiplying_halves, marks_as_0_and_1])
def test_wrong_rows_may_be_found_in_many_ways(answer):
    verdict = ex.silent_overflow.examine(answer, seed=5)
    assert verdict.outcome == "correct", verdict.message


def parts_by_counting_rows(source, ids, parts, row_checksum):
    def counted(rows):
        return Counter(map(tuple, rows.tolist()))

    return {i for i, rows in enumerate(parts) if counted(rows) != counted(source[ids == i])}


def parts_by_sorted_checksums(source, ids, parts, row_checksum):
    both = [(np.sort(row_checksum(rows)), i) for i, rows in enumerate(parts)]
    right = np.sort(row_checksum(source))
    own = [np.sort(row_checksum(source[ids == i])) for i in range(len(parts))]
    assert len(right) == len(source)
    return np.array([i for sums, i in both if not np.array_equal(sums, own[i])])


def parts_by_sums_alone(source, ids, parts, row_checksum):
    sums = [row_checksum(rows).sum(dtype=np.uint64) for rows in parts]
    own = [row_checksum(source[ids == i]).sum(dtype=np.uint64) for i in range(len(parts))]
    return [i for i in reversed(range(len(parts))) if sums[i] != own[i]]


@pytest.mark.parametrize(
    "answer", [parts_by_counting_rows, parts_by_sorted_checksums, parts_by_sums_alone]
)
def test_parts_may_be_reconciled_in_many_ways(answer):
    verdict = ex.reconciled_parts.examine(answer, seed=5, draws=30)
    assert verdict.outcome == "correct", verdict.message


def test_what_is_wrong_with_a_part_is_said():
    verdict = ex.reconciled_parts.examine(lambda *given: [], seed=5)
    assert "is wrong, and the result does not name it: it " in verdict.message


def test_each_part_is_right_or_wrong_by_its_rows_alone():
    for seed in range(20):
        drawn = ex.reconciled_parts.draw(np.random.default_rng(seed))
        wrong = parts_by_counting_rows(**drawn)
        assert 0 < len(wrong) < len(drawn["parts"]) - 2


def test_a_row_checksum_changes_with_every_value_and_its_column():
    rows = np.random.default_rng(1).integers(0, 1000, (200, 3))
    sums = ex.row_checksum(rows)
    assert len(set(sums.tolist())) == len({*map(tuple, rows.tolist())})
    np.testing.assert_array_equal(ex.row_checksum(rows[::-1]), sums[::-1])
    for column in range(3):
        changed = rows.copy()
        changed[:, column] += 1
        assert not np.any(ex.row_checksum(changed) == sums)


def fates_by_polars(source, written):
    one, other = pl.DataFrame(source), pl.DataFrame(written)
    joined = other.join(one, on="row_id", suffix="_right")
    changed = joined.filter(pl.col("checksum") != pl.col("checksum_right"))
    moved = joined.filter(pl.col("part") != pl.col("part_right"))
    found = {
        "lost": one.join(other, on="row_id", how="anti"),
        "doubled": other.filter(pl.col("row_id").is_duplicated()),
        "changed": changed,
        "misplaced": moved,
    }
    return {name: rows["row_id"].unique().sort().to_list() for name, rows in found.items()}


def test_the_fate_of_rows_may_be_found_by_joins():
    verdict = ex.fate_of_rows.examine(fates_by_polars, seed=5, draws=30)
    assert verdict.outcome == "correct", verdict.message
