"""The exercises of lesson 6 take every right answer, and agree with the engines they speak of."""

from __future__ import annotations

from collections import Counter

import numpy as np
import polars as pl
import pytest

from amaas_kit import ports
from amaas_kit.exercises import ____, progress, sql_text
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


def of_a_small_type(key, parts):
    return f"CAST({by_pmod(key, parts)} AS TINYINT)"


def decimals_in_the_end(key, parts):
    return f"COALESCE(CAST({by_pmod(key, parts)} AS DECIMAL(38, 0)), 0)"


@pytest.mark.parametrize(
    "answer",
    [
        *(by_pmod, by_functions, over_several_lines, by_decimals, negative_ones_apart),
        *(of_a_small_type, decimals_in_the_end),
    ],
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


ALIKE = [
    (lambda key, parts: "{key} % {parts}", "f_forgotten"),
    (lambda key, parts: "`{key}` % 7", "f_forgotten"),
    (lambda key, parts: "'{key}' % 7", "f_forgotten"),
    (lambda key, parts: f"({key} % {P} " + "* {A} + {B}) % {P}", "f_forgotten"),
    (lambda key, parts: f"({key} % P + P) % P", "numbers_not_put_in"),
    (lambda key, parts: f"{key} % parts", "numbers_not_put_in"),
    (lambda key, parts: "(key % P * A + B) % P % parts", "name_not_put_in"),
    (lambda key, parts: f"user_id % {parts}", "fixed_column"),
    (lambda key, parts: f"{by_pmod('customer', parts)}", "fixed_column"),
    (lambda key, parts: f"{by_pmod(key, parts)} AS part", "named_with_as"),
    (lambda key, parts: f"{by_pmod(key, parts)} as `part`", "named_with_as"),
    (lambda key, parts: f"CAST({key} AS BIGINT", "bracket_missing"),
    (lambda key, parts: f"({key} % {P} * {A} + {B} % {parts}", "bracket_missing"),
    (lambda key, parts: f"{key} % {P} * {A} + {B}) % {P} % {parts}", "bracket_too_many"),
    (lambda key, parts: f"CAST({by_pmod(key, parts)} AS STRING)", "type_not_whole"),
    (lambda key, parts: f"CAST({by_pmod(key, parts)} AS DECIMAL(9, 1))", "type_not_whole"),
    (lambda key, parts: f"{by_pmod(key, parts)} * 1.0", "type_not_whole"),
    (lambda key, parts: f"NVL(TRY_MULTIPLY({key}, {A}) % {P} % {parts}, 0)", "overflow_made_null"),
    (lambda key, parts: f"ABS({key} % {P} * {A} + {B}) % {P} % {parts}", "sign_dropped_last"),
    (lambda key, parts: f"(ABS({key} % {P}) * {A} + {B}) % {P} % {parts}", "sign_dropped_first"),
    (lambda key, parts: f"try_multiply({key}, {A}) % {P} % {parts}", "overflow_made_null"),
]


@pytest.mark.parametrize(("answer", "mistake"), ALIKE)
def test_a_mistake_in_the_text_is_named_however_it_is_written(spark, answer, mistake):
    verdict = ex.spark_sql_plan.examine(answer, seed=3)
    assert verdict.mistake == mistake, verdict.message
    assert "place_of_the_key" not in verdict.message


def test_a_product_of_reduced_keys_may_be_tried(spark):
    def answer(key, parts):
        return f"(TRY_MULTIPLY(PMOD({key}, {P}), {A}) + {B}) % {P} % {parts}"

    assert ex.spark_sql_plan.examine(answer, seed=3).mistake == "nulls_forgotten"


def test_what_is_wrong_with_a_type_is_its_name(spark):
    for kind in ("DOUBLE", "STRING"):
        verdict = ex.spark_sql_plan.examine(
            lambda key, parts, kind=kind: f"CAST({by_pmod(key, parts)} AS {kind})", seed=3
        )
        assert f"Spark computes values of the type {kind}." in verdict.message


def test_uneven_brackets_are_counted_in_the_words_of_the_text(spark):
    verdict = ex.spark_sql_plan.examine(lambda key, parts: f"(({key}) % {parts}", seed=3)
    assert "in your text `(` occurs 2 times and `)` once." in verdict.message
    assert "Syntax error" not in verdict.message


def test_a_bracket_of_the_check_is_not_taken_for_one_of_the_text(spark):
    verdict = ex.spark_sql_plan.examine(lambda key, parts: f"CASE WHEN {key} < 0 THEN 1", seed=3)
    assert "the bracket that the check puts around your text" in verdict.message
    assert ex.spark_sql_plan.examine(lambda *given: " ", seed=3).message.count("text is empty") == 1


@pytest.mark.parametrize("parts", range(4, 17))
def test_the_drawn_keys_tell_every_two_mistakes_apart(spark, parts):
    keys = ex._keys_for("user_7", parts)
    names = [one.name for one in ex.SILENT_MISTAKES]
    table = ex._silent_values("user_7", parts)
    rows = [row for row, key in zip(table, keys, strict=True) if key is not None]
    given = {
        name: tuple(row[at] for row in rows)
        for at, name in enumerate(names)
        if name not in ex.NULL_MISTAKES
    }
    assert len(set(given.values())) == len(given)
    right = [
        str(number) for number in ex.hash_parts(np.array([k for k in keys if k is not None]), parts)
    ]
    assert tuple(right) not in given.values()


def test_brackets_in_quotes_and_comments_are_no_brackets_of_the_text():
    text = "(a -- :(\n + `b)` /* ((( */ + ')' + \"it's (\" + 'it\\'s )')"
    assert sql_text.brackets(text) == (1, 1)
    assert sql_text.brackets("((a)") == (2, 1)


def test_a_name_at_the_end_is_none_within_a_bracket():
    assert sql_text.name_at_the_end("a % 7 AS part") == "part"
    assert sql_text.name_at_the_end("a % 7 as\n `part` ") == "quoted"
    assert sql_text.name_at_the_end("CAST(a AS INT)") == ""
    assert sql_text.name_at_the_end("CAST(a AS INT") == ""


def test_the_product_has_as_many_bits_as_the_texts_say():
    bits = ((P - 1) * A + B).bit_length()
    told = [one for one in ex.SQL_MISTAKES if one.name == "in_floating_point"]
    told += [one for one in ex.silent_overflow.mistakes if one.name == "in_floating_point"]
    assert all(f"product has up to {bits}:" in one.sentence for one in told)
    assert any(f"below 2^{bits}," in hint for hint in ex.spark_sql_plan.hints)


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


def test_a_wrong_mark_is_told_as_true_or_false():
    verdict = ex.silent_overflow.examine(lambda keys, parts, ids: ids < -100, seed=5)
    assert " is False; the definition gives True." in verdict.message
    assert ex.silent_overflow.examine(lambda *given: [True], seed=5).outcome == "not yet"


def marks_of_python_numbers_without_b(keys, parts, ids):
    return (ids != keys.astype(object) * A % P % parts).astype(bool)


def test_marks_may_come_of_python_numbers_and_are_judged_alike():
    def answer(keys, parts, ids):
        return ids != (keys.astype(object) * A + B) % P % parts

    assert ex.silent_overflow.examine(answer, seed=5).outcome == "correct"
    verdict = ex.silent_overflow.examine(marks_of_python_numbers_without_b, seed=5)
    assert (verdict.outcome, verdict.mistake) == ("not yet", None)


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


def row_by_row(source, written):
    """Each row of the source into the first list that fits."""
    found = {"lost": [], "doubled": [], "changed": [], "misplaced": []}
    rows = list(zip(*written.values(), strict=True))
    for row_id, part, own in sorted(zip(*source.values(), strict=True)):
        copies = [row for row in rows if row[0] == row_id]
        if not copies:
            found["lost"].append(row_id)
        elif any(copy[1] != part for copy in copies):
            found["misplaced"].append(row_id)
        elif any(copy[2] != own for copy in copies):
            found["changed"].append(row_id)
        elif len(copies) > 1:
            found["doubled"].append(row_id)
    return found


def copy_by_copy(source, written):
    """Each copy into the first list that fits."""
    home = {row[0]: row for row in zip(*source.values(), strict=True)}
    found = {"lost": {*home}, "doubled": set(), "changed": set(), "misplaced": set()}
    for row_id, part, own in zip(*written.values(), strict=True):
        if row_id not in found["lost"]:
            found["doubled"].add(row_id)
        elif own != home[row_id][2]:
            found["changed"].add(row_id)
        elif part != home[row_id][1]:
            found["misplaced"].add(row_id)
        found["lost"].discard(row_id)
    return {name: sorted(rows) for name, rows in found.items()}


def changed_in_every_copy(source, written):
    sums = dict(zip(source["row_id"], source["checksum"], strict=True))
    right = {
        row_id
        for row_id, own in zip(written["row_id"], written["checksum"], strict=True)
        if own == sums[row_id]
    }
    found = ex.fates(source, written)
    return {**found, "changed": [one for one in found["changed"] if one not in right]}


def lost_if_no_row_is_the_same(source, written):
    rows = {*zip(*written.values(), strict=True)}
    lost = sorted(row[0] for row in zip(*source.values(), strict=True) if row not in rows)
    return {**ex.fates(source, written), "lost": lost}


def in_the_order_of_the_source(source, written):
    found = ex.fates(source, written)
    return {name: [i for i in source["row_id"] if i in rows] for name, rows in found.items()}


def each_copy_named(source, written):
    found = ex.fates(source, written)
    return {
        "lost": found["lost"],
        **{
            name: [row_id for row_id in written["row_id"] if row_id in found[name]]
            for name in ("doubled", "changed", "misplaced")
        },
    }


def in_descending_arrays(source, written):
    found = ex.fates(source, written)
    return {name: np.sort(rows)[::-1] for name, rows in found.items()}


@pytest.mark.parametrize(
    ("answer", "mistake"),
    [
        *((row_by_row, "one_list_each"), (copy_by_copy, "one_list_each")),
        (changed_in_every_copy, "every_copy"),
        (lost_if_no_row_is_the_same, "known_by_more"),
        (in_the_order_of_the_source, "as_they_come"),
        (each_copy_named, "named_with_each_copy"),
        (in_descending_arrays, "descending"),
    ],
)
def test_a_slip_is_named_however_it_is_written(answer, mistake):
    for seed in range(5):
        verdict = ex.fate_of_rows.examine(answer, seed=seed)
        assert verdict.mistake == mistake, verdict.message


def test_a_list_is_told_in_rows_and_ids():
    def answer(source, written):
        found = ex.fates(source, written)
        return {**found, "changed": found["changed"][:2]}

    message = ex.fate_of_rows.examine(answer, seed=5).message
    assert "The list 'changed' lacks the row " in message
    assert "It has 2 ids, where 6 are asked for." in message
    assert " parts, where" not in message


def test_a_list_that_holds_something_else_is_told_all_the_same():
    def answer(source, written):
        return {**ex.fates(source, written), "changed": ["none"]}

    verdict = ex.fate_of_rows.examine(answer, seed=5)
    assert (verdict.outcome, verdict.mistake) == ("not yet", None)
    for odd in ({1, 2}, "", None, 3, [[1]], np.zeros((2, 2)), [True]):
        verdict = ex.fate_of_rows.examine(lambda *given, odd=odd: dict.fromkeys(FATES, odd), seed=5)
        assert (verdict.outcome, verdict.mistake) == ("not yet", None)


FATES = ("lost", "doubled", "changed", "misplaced")
