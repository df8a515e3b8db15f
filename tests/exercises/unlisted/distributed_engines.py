"""Wrong answers to the exercises of lesson 6 that are no named mistake."""

from __future__ import annotations

import numpy as np

from amaas_kit.exercises import distributed_engines as ex

P, A, B = 2_147_483_647, 1_103_515_245, 12_345


def constants_swapped(key, parts):
    return f"COALESCE((PMOD({key}, {P}) * {B} + {A}) % {P} % {parts}, 0)"


def another_hash_of_spark(key, parts):
    return f"COALESCE(PMOD(XXHASH64({key}), {parts}), 0)"


def nulls_to_the_last_part(key, parts):
    return f"COALESCE((PMOD({key}, {P}) * {A} + {B}) % {P} % {parts}, {parts - 1})"


def no_sql(key, parts):
    return f"({key} % {P} * {A} + {B}) % {P} // {parts}"


def no_function_of_spark(key, parts):
    return f"FLOORMOD({key}, {parts})"


def an_aggregate(key, parts):
    return f"MAX({key}) % {parts}"


def misspelt_column(key, parts):
    return f"{key}s % {parts}"


def case_without_end(key, parts):
    return f"CASE WHEN {key} IS NULL THEN 0 ELSE {key} % {parts}"


def a_date(key, parts):
    return f"DATE_ADD(DATE'2020-01-01', {parts})"


def computed_in_python(key, parts):
    return hash(key) % parts


def ids_that_are_odd(keys, parts, ids):
    return ids % 2 == 1


def beyond_the_last_part(keys, parts, ids):
    return (ids < 0) | (ids >= parts - 1)


def another_prime(keys, parts, ids):
    return ids != (keys % 2**31 * A + B) % 2**31 % parts


def negative_or_large(keys, parts, ids):
    return (ids < 0) | (keys > 2**31 - 1)


def first_row_left_out(keys, parts, ids):
    marks = ex.wrong_rows(keys, parts, ids)
    marks[marks.argmax()] = False
    return marks


def first_column_only(source, ids, parts, row_checksum):
    return [
        number
        for number, rows in enumerate(parts)
        if sorted(rows[:, 0]) != sorted(source[ids == number][:, 0])
    ]


def first_rows_only(source, ids, parts, row_checksum):
    return [
        number
        for number, rows in enumerate(parts)
        if rows[:1].tolist() != source[ids == number][:1].tolist()
    ]


def totals_of_all_parts(source, ids, parts, row_checksum):
    total = sum(row_checksum(rows).sum(dtype=np.uint64) for rows in parts)
    same = total == row_checksum(source).sum(dtype=np.uint64)
    return [] if same else list(range(len(parts)))


def largest_checksum(source, ids, parts, row_checksum):
    def tally(rows):
        return len(rows), int(row_checksum(rows).max(initial=0))

    return [i for i, rows in enumerate(parts) if tally(rows) != tally(source[ids == i])]


def every_part_that_has_rows(source, ids, parts, row_checksum):
    return [number for number, rows in enumerate(parts) if len(rows)]


def changed_where_part_is_other(source, written):
    found = ex.fates(source, written)
    return {**found, "changed": found["misplaced"]}


def misplaced_and_changed_swapped(source, written):
    found = ex.fates(source, written)
    return {**found, "changed": found["misplaced"], "misplaced": found["changed"]}


def one_lost_row_found(source, written):
    found = ex.fates(source, written)
    return {**found, "lost": found["lost"][:1]}


def doubled_from_three_on(source, written):
    ids = written["row_id"].tolist()
    doubled = sorted({one for one in ids if ids.count(one) > 2})
    return {**ex.fates(source, written), "doubled": doubled}


WRONG = {
    "spark_sql_plan": [
        *(constants_swapped, another_hash_of_spark, nulls_to_the_last_part, no_sql),
        *(no_function_of_spark, an_aggregate, misspelt_column, computed_in_python),
        *(case_without_end, a_date),
    ],
    "silent_overflow": [
        *(ids_that_are_odd, beyond_the_last_part, another_prime, negative_or_large),
        first_row_left_out,
    ],
    "reconciled_parts": [
        *(first_column_only, first_rows_only, totals_of_all_parts, largest_checksum),
        every_part_that_has_rows,
    ],
    "fate_of_rows": [
        *(changed_where_part_is_other, misplaced_and_changed_swapped, one_lost_row_found),
        doubled_from_three_on,
    ],
}
