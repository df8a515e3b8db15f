"""The reference function against plain Python, which knows no overflow and no batches."""

from __future__ import annotations

from math import floor

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from amaas_kit.partition import Hash, Range, RoundRobin, Window
from amaas_kit.partition.reference import key_numbers, part_numbers

P, A, B, BASE = 2_147_483_647, 1_103_515_245, 12_345, 16_807

WHOLE = st.integers(-(2**63), 2**63 - 1)
TEXT = st.text(max_size=40)


def hashed(number: int, parts: int) -> int:
    return (number % P * A + B) % P % parts


def number_of(text: str) -> int:
    number = 0
    for byte in text.encode():
        number = (number * BASE + byte) % P
    return number


def places(count: int) -> np.ndarray:
    return np.arange(count)


@given(st.lists(st.none() | WHOLE), st.integers(1, 9_999), st.data())
def test_whole_numbers(keys, parts, data):
    nulls = data.draw(st.integers(0, parts - 1))
    seen = part_numbers(
        [Hash("k", parts, nulls)], [pl.Series(keys, dtype=pl.Int64)], places(len(keys))
    )
    assert seen.tolist() == [nulls if k is None else hashed(k, parts) for k in keys]


@given(st.lists(st.none() | TEXT), st.integers(1, 9_999))
def test_text_is_one_number_of_its_bytes(keys, parts):
    seen = part_numbers([Hash("k", parts)], [pl.Series(keys, dtype=pl.String)], places(len(keys)))
    assert seen.tolist() == [0 if k is None else hashed(number_of(k), parts) for k in keys]


def test_a_text_of_a_million_bytes():
    long = "é𝄞x" * 150_000
    assert key_numbers(pl.Series(["", long, "a"])).tolist() == [
        0,
        number_of(long),
        97,
    ]


def test_the_powers_of_the_base_are_all_numbers_below_the_prime():
    for factor in (2, 3, 7, 11, 31, 151, 331):
        assert (P - 1) % factor == 0
        assert pow(BASE, (P - 1) // factor, P) != 1


def test_texts_of_one_form_have_numbers_of_their_own():
    texts = [
        f"https://shop.example/items/{n % 100:05}/of/the/catalogue/page/{n // 100:05}"
        for n in range(20_000)
    ]
    assert len(set(key_numbers(pl.Series(texts)).tolist())) > 19_990


@given(
    st.lists(st.none() | WHOLE), st.lists(WHOLE, min_size=1, max_size=5, unique=True).map(sorted)
)
def test_ranges_of_numbers(keys, bounds):
    seen = part_numbers(
        [Range("k", tuple(bounds))], [pl.Series(keys, dtype=pl.Int64)], places(len(keys))
    )
    assert seen.tolist() == [0 if k is None else sum(b <= k for b in bounds) for k in keys]


@given(st.data())
def test_ranges_of_text_go_by_bytes(data):
    bounds = sorted(data.draw(st.sets(TEXT, min_size=1, max_size=5)), key=str.encode)
    keys = data.draw(st.lists(st.none() | TEXT | st.sampled_from(bounds)))
    seen = part_numbers(
        [Range("k", tuple(bounds))], [pl.Series(keys, dtype=pl.String)], places(len(keys))
    )
    expected = [0 if k is None else sum(b.encode() <= k.encode() for b in bounds) for k in keys]
    assert seen.tolist() == expected


@given(
    st.lists(st.none() | st.floats(allow_nan=False)),
    st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, unique=True).map(sorted),
)
def test_ranges_of_real_numbers(keys, bounds):
    seen = part_numbers(
        [Range("k", tuple(bounds))], [pl.Series(keys, dtype=pl.Float64)], places(len(keys))
    )
    assert seen.tolist() == [0 if k is None else sum(b <= k for b in bounds) for k in keys]


@given(st.lists(st.integers(0, 10**6)), st.integers(-(10**6), 0), st.integers(1, 10**5))
def test_windows(offsets, start, width):
    keys = [start + offset for offset in offsets]
    seen = part_numbers(
        [Window("k", start, width)], [pl.Series(keys, dtype=pl.Int64)], places(len(keys))
    )
    assert seen.tolist() == [floor((k - start) / width) for k in keys]


def test_a_row_on_a_boundary_belongs_to_the_next_window_and_the_next_range():
    keys = [pl.Series([-10, -1, 0, 9, 10])]
    assert part_numbers([Window("k", -10, 10)], keys, places(5)).tolist() == [0, 0, 1, 1, 2]
    assert part_numbers([Range("k", (0, 10))], keys, places(5)).tolist() == [0, 0, 1, 1, 2]


def test_round_robin_goes_by_the_place_in_the_table():
    assert part_numbers([RoundRobin(3)], [], np.array([7, 0, 2])).tolist() == [1, 0, 2]


def test_steps_compose_the_outer_first():
    steps = [Hash("a", 4), RoundRobin(3), Range("b", (0,))]
    a, b = pl.Series([5, -5, None]), pl.Series([-1, 1, None])
    seen = part_numbers(steps, [a, b], places(3))
    outer = [hashed(5, 4), hashed(-5, 4), 0]
    assert seen.tolist() == [
        o * 6 + i % 3 * 2 + r for i, (o, r) in enumerate(zip(outer, [0, 1, 0], strict=True))
    ]


@pytest.mark.parametrize("dtype", [pl.Int64, pl.String])
def test_no_rows(dtype):
    assert len(part_numbers([Hash("k", 3)], [pl.Series([], dtype=dtype)], places(0))) == 0
