"""The checksum of rows against one written in plain Python from its description."""

from __future__ import annotations

import datetime as dt
import math
import struct
from decimal import Decimal

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from amaas_kit.partition import checksum

MODULUS = 2**64
DAY = dt.date(1970, 1, 1)
MIDNIGHT = dt.datetime(1970, 1, 1)


def mixed(z):
    """Vigna's splitmix64.c, the lines behind the addition."""
    z %= MODULUS
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9 % MODULUS
    z = (z ^ (z >> 27)) * 0x94D049BB133111EB % MODULUS
    return z ^ (z >> 31)


def polynomial(values):
    total = 0
    for value in values:
        total = total * 0xD1342543DE82EF95 + value
    return (total + len(values) * 0x9E3779B97F4A7C15) % MODULUS


def weighted(row):
    total = 0x9E3779B97F4A7C15
    for name, value in row.items():
        label = polynomial(name.encode())
        if value is None:
            total += mixed(label + 0x9E3779B97F4A7C15)
        else:
            total += (mixed(label) | 1) * number(value)
    return mixed(total)


def number(value):
    """The number of a value; times are without a zone, fractions have Python's double precision."""
    match value:
        case bool() | int():
            return value % MODULUS
        case float():
            bits = struct.pack("<d", math.nan if math.isnan(value) else value)
            return int.from_bytes(bits, "little")
        case str():
            return polynomial(value.encode())
        case bytes():
            return polynomial(value)
        case Decimal():
            return polynomial(f"{value:f}".rstrip("0").rstrip(".").encode())
        case dt.datetime():
            return (value - MIDNIGHT) // dt.timedelta(microseconds=1) * 1000 % MODULUS
        case dt.date():
            return (value - DAY).days % MODULUS
        case dt.timedelta():
            return value // dt.timedelta(microseconds=1) * 1000 % MODULUS
        case dt.time():
            return number(dt.datetime.combine(DAY, value))
        case list():
            return mixed(polynomial([weighted({"": element}) for element in value]))
        case dict():
            return weighted(value)


def oracle(frame):
    return [weighted(row) for row in frame.iter_rows(named=True)]


COLUMNS = {
    "whole numbers": pl.Series([0, 1, -1, 2**63 - 1, -(2**63), None]),
    "bytes with a sign": pl.Series([0, -128, 127, None], dtype=pl.Int8),
    "beyond a sign": pl.Series([0, 2**63, 2**64 - 1, None], dtype=pl.UInt64),
    "real numbers": pl.Series([0.0, -0.0, 1e300, math.inf, -math.inf, math.nan, None]),
    "truth": pl.Series([True, False, None]),
    "text": pl.Series(["", "a", "ab", "ba", "é𝄞\n\0", "x" * 1000, None]),
    "bytes": pl.Series([b"", b"\0", b"\0\0", b"\xff\xfe", None]),
    "categories": pl.Series(["b", "a", "b", None], dtype=pl.Categorical),
    "known categories": pl.Series(["b", "a", "b", None], dtype=pl.Enum(["a", "b"])),
    "decimals": pl.Series(["0", "-1.50", "20.00", "0.07", None]).cast(pl.Decimal(10, 2)),
    "dates": pl.Series([DAY, dt.date(1, 1, 1), dt.date(9999, 12, 31), None]),
    "moments": pl.Series([MIDNIGHT, dt.datetime(2026, 7, 1, 1, 2, 3, 4), None]),
    "early moments": pl.Series([dt.datetime(1, 1, 1), dt.datetime(9999, 12, 31), None]),
    "durations": pl.Series([dt.timedelta(0), dt.timedelta(days=-1, microseconds=1), None]),
    "times": pl.Series([dt.time(0), dt.time(23, 59, 59, 999_999), None]),
    "nothing": pl.Series([None, None]),
    "lists": pl.Series([[], [1], [1, 2], [2, 1], [None], [0], None]),
    "lists of text": pl.Series([["a", "b"], ["ab"], ["ab", ""], [], None, ["", "ab"]]),
    "arrays": pl.Series([[1, 2], [2, 1], None], dtype=pl.Array(pl.Int8, 2)),
    "fields": pl.Series([{"a": 1, "b": "x"}, {"a": None, "b": None}, None]),
    "lists of fields": pl.Series([[{"a": [1.5]}], [{"a": []}, {"a": None}], [], None]),
}


@pytest.mark.parametrize("name", COLUMNS)
def test_each_type_has_the_numbers_that_were_described(name):
    frame = pl.DataFrame({"first": range(len(COLUMNS[name])), "second": COLUMNS[name]})
    assert checksum.rows(frame).tolist() == oracle(frame)
    assert len(set(checksum.rows(frame).tolist())) == len(frame)


@pytest.mark.parametrize("name", ["text", "bytes", "lists of text", "lists of fields"])
def test_many_long_values_are_summed_up_in_pieces(name, monkeypatch):
    frame = pl.DataFrame({"x": pl.concat([COLUMNS[name]] * 50)})
    whole = checksum.rows(frame)
    monkeypatch.setattr(checksum, "SLICE_BYTES", 100)
    assert checksum.rows(frame).tolist() == whole.tolist() == oracle(frame)


@given(
    st.lists(
        st.tuples(
            st.integers(-(2**63), 2**63 - 1) | st.none(),
            st.floats() | st.none(),
            st.text(st.characters(exclude_categories=["Cs"])) | st.none(),
        )
    )
)
def test_drawn_rows_agree_with_plain_python(rows):
    schema = {"k": pl.Int64, "é": pl.Float64, "": pl.String}
    frame = pl.DataFrame(rows, schema=schema, orient="row")
    assert checksum.rows(frame).tolist() == oracle(frame)


def test_more_rows_than_fit_the_cache_at_once():
    rng = np.random.default_rng(7)
    frame = pl.DataFrame({"k": rng.integers(-9, 9, 40_000), "x": rng.normal(size=40_000)})
    frame = frame.with_columns(y=pl.when(pl.col("k") > 0).then("x"))
    assert checksum.rows(frame).tolist() == oracle(frame)


def test_the_numbers_stay_as_they_were():
    """They are in manifests that were written before."""
    frame = pl.DataFrame({"row_id": [5, 6], "name": ["Ada", None], "x": [0.5, -2.0]})
    assert [checksum.text(n) for n in checksum.rows(frame).tolist()] == [
        "34f9653919451432",
        "6a861b4beba4b31b",
    ]
    assert checksum.of(frame.lazy()).text == "9f7f808504e9c74d"


def same(one, other):
    one, other = (pl.DataFrame({"x": column}) for column in (one, other))
    return checksum.rows(one).tolist() == checksum.rows(other).tolist()


@pytest.mark.parametrize("kind", [pl.Int8, pl.Int16, pl.Int32, pl.Int64, pl.UInt8, pl.UInt64])
def test_the_width_of_a_number_does_not_count(kind):
    assert same(pl.Series([0, 1, 127, None], dtype=kind), pl.Series([0, 1, 127, None]))


def test_the_precision_of_a_fraction_that_has_it_does_not_count():
    assert same(pl.Series([0.5, None, -3.25], dtype=pl.Float32), pl.Series([0.5, None, -3.25]))


@pytest.mark.parametrize("kind", [pl.Datetime, pl.Duration])
def test_the_unit_of_a_time_does_not_count_and_a_nanosecond_does(kind):
    units = [pl.Series([-1, 0, 86_400_000]).cast(kind("ms"))]
    units += [units[0].cast(kind(unit)) for unit in ("us", "ns")]
    assert same(units[0], units[1])
    assert same(units[1], units[2])
    later = pl.Series([-999_999, 1, 86_400_000_000_000]).cast(kind("ns"))
    assert not same(units[2], later)
    assert same(units[2][2:], later[2:])


def test_a_time_zone_is_no_part_of_the_moment():
    moments = COLUMNS["moments"]
    assert same(moments.dt.replace_time_zone("UTC"), moments)
    assert same(moments.dt.replace_time_zone("UTC").dt.convert_time_zone("Asia/Tokyo"), moments)


def test_text_is_the_same_in_each_of_its_types():
    text = ["b", "a", None]
    kinds = [pl.Categorical, pl.Enum(["a", "b"]), pl.Enum(["b", "z", "a"])]
    assert all(same(pl.Series(text, dtype=kind), pl.Series(text)) for kind in kinds)


def test_all_nan_are_one_and_the_two_zeros_are_two():
    patterns = np.array([0x7FF8000000000000, 0xFFF8000000000001, 0x7FF0000000000001], np.uint64)
    numbers = checksum.rows(pl.DataFrame({"x": patterns.view(np.float64)}))
    assert len(set(numbers.tolist())) == 1
    assert not same(pl.Series([0.0]), pl.Series([-0.0]))


@pytest.mark.parametrize("zero", [0, 0.0, "", b"", False, DAY, [], {"a": 0}])
def test_null_is_apart_from_what_is_zero_or_empty(zero):
    kind = pl.Series([zero]).dtype
    assert not same(pl.Series([zero]), pl.Series([None], dtype=kind))


def test_the_order_of_rows_and_columns_does_not_count():
    frame = pl.DataFrame({"a": [1, 2, 3], "b": ["x", "y", None], "c": [0.5, 1.5, 2.5]})
    other = frame.select("c", "a", "b").reverse()
    assert checksum.of(frame.lazy()) == checksum.of(other.lazy())


@pytest.mark.parametrize(
    "other",
    [
        {"a": [1, 2, 2], "b": [4, 5, 6]},
        {"a": [1, 2], "b": [4, 5]},
        {"a": [1, 2, 3], "b": [5, 4, 6]},
        {"a": [4, 5, 6], "b": [1, 2, 3]},
        {"a": [1, 2, 3], "c": [4, 5, 6]},
        {"a": [1, 2, 3, 3], "b": [4, 5, 6, 6]},
    ],
    ids=["changed", "lost", "swapped in rows", "swapped in columns", "renamed", "doubled"],
)
def test_what_happens_to_values_is_seen(other):
    table = pl.DataFrame({"a": [1, 2, 3], "b": [4, 5, 6]})
    assert checksum.of(table.lazy()) != checksum.of(pl.DataFrame(other).lazy())


def test_two_rows_that_are_doubled_do_not_cancel():
    once = checksum.of(pl.LazyFrame({"a": [1, 2]}))
    both = checksum.of(pl.LazyFrame({"a": [1, 2, 1, 1]}))
    assert once.checksum != both.checksum
    assert both.rows == 4


def test_no_row_sums_up_to_nothing():
    assert checksum.of(pl.LazyFrame({"a": []}, schema={"a": pl.Int64})) == checksum.Tally(0, 0)


def test_a_stream_of_files_is_summed_up_by_label(tmp_path):
    rng = np.random.default_rng(7)
    frame = pl.DataFrame(
        {
            "k": rng.integers(-50, 50, 3_000),
            "s": rng.choice(["a", "b", "é"], 3_000),
            "label": rng.integers(0, 4, 3_000),
        }
    )
    for i in range(3):
        frame[i * 1000 : i * 1000 + 1000].write_parquet(
            tmp_path / f"{i}.parquet", row_group_size=99
        )
    tallies = checksum.by(pl.scan_parquet(tmp_path / "*.parquet"), "label", pl.col("k") * 2)
    assert sorted(tallies) == [0, 1, 2, 3]
    for label, tally in tallies.items():
        own = frame.filter(pl.col("label") == label).drop("label")
        keys = (own["k"].min() * 2, own["k"].max() * 2)
        assert tally == checksum.Tally(len(own), sum(oracle(own)) % MODULUS, keys)


def test_tallies_add_up():
    rows = pl.LazyFrame({"a": [5, 2, 9], "b": [0, 0, 1]})
    tallies = checksum.by(rows, "b", pl.col("a"))
    both = tallies[0] + tallies[1]
    assert both == checksum.by(rows.with_columns(b=0), "b", pl.col("a"))[0]
    assert both.keys == (2, 9)
    assert checksum.Tally() + both == both


def test_a_column_of_the_table_may_have_any_name():
    names = ["label", "key", "row", "len", "high", "low", "least", "most", "part", "literal"]
    frame = pl.DataFrame({name: [i, -i] for i, name in enumerate(names)})
    assert checksum.of(frame.lazy()).checksum == sum(oracle(frame)) % MODULUS
