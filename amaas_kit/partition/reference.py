"""The part of each row, in NumPy: the function that every engine must agree with.

A hash is `(number mod P * A + B) mod P mod parts`, the well-known linear congruence, with a prime
P small enough that no product leaves 63 bits. SQL and Java therefore compute it without overflow.

A text is a number whose digits are its bytes. The base is the multiplier of Lehmer's generator
(Park and Miller, "Random number generators: good ones are hard to find", 1988), whose powers modulo
P are all numbers from 1 to P - 1 before one comes again. Those of 256 come again after 31 places:
texts that differ in two places so far apart would often be one number.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import numpy as np
import polars as pl

from amaas_kit.data.arrays import Array
from amaas_kit.partition.plan import Hash, Range, RoundRobin, RowStep, Window

P = 2_147_483_647
A = 1_103_515_245
B = 12_345
BASE = 16_807


def part_numbers(steps: Sequence[RowStep], keys: Sequence[pl.Series], position: Array) -> Array:
    """The part of each row under a plan whose constants are in the units of the keys.

    Args:
        steps: the steps that cut rows, the outermost first.
        keys: the key of each step in their order, round robin left out: (n,) whole numbers, real
            numbers or text, with nulls.
        position: (n,) the place of each row in the table, from 0.

    Returns:
        (n,) int64: the number of the outer part times the inner parts, plus the inner part.

    Taught in: notebooks/05_data_partitioning, "One function for every engine".
    """
    left = iter(keys)
    numbers = np.zeros(len(position), np.int64)
    for step in steps:
        if isinstance(step, RoundRobin):
            part = position % step.parts
        else:
            key = next(left)
            part = np.where(key.is_null().to_numpy(), step.nulls, _parts_of(step, key))
        numbers = numbers * (step.parts or 1) + part
    return numbers


def _parts_of(step: Hash | Range | Window, key: pl.Series) -> Array:
    if isinstance(step, Hash):
        return hash_parts(key_numbers(key), step.parts)
    if isinstance(step, Window):
        return (_whole(key) - cast(int, step.start)) // cast(int, step.width)
    if key.dtype == pl.String:
        return pl.Series(step.bounds).search_sorted(key, side="right").to_numpy()
    return np.searchsorted(np.array(step.bounds), key.fill_null(0).to_numpy(), side="right")


def hash_parts(numbers: Array, parts: int) -> Array:
    """The part of each number; (n,) int64, negative ones too."""
    return ((numbers % P + P) % P * A + B) % P % parts


def key_numbers(key: pl.Series) -> Array:
    """The number of each key: a whole number is its own, a text the number its bytes write."""
    if key.dtype != pl.String:
        return _whole(key)
    text = key.fill_null("")
    joined = text.str.join("").item()
    return text_numbers(joined.encode(), text.str.len_bytes().to_numpy())


def text_numbers(buffer: bytes, lengths: Array) -> Array:
    """UTF-8 texts, one behind the other, each read as one number of base BASE, modulo P.

    Args:
        buffer: the bytes of all texts.
        lengths: (n,) how many bytes each has.

    Returns:
        (n,) int64: 0 for an empty text; a byte more makes it number * BASE + byte, modulo P.
    """
    powers = np.ones(1, np.int64)
    while len(powers) < lengths.max(initial=1):
        powers = np.concatenate([powers, powers * pow(BASE, len(powers), P) % P])
    ends = np.cumsum(lengths, dtype=np.int64)
    places = np.repeat(ends, lengths) - 1 - np.arange(len(buffer))
    terms = np.frombuffer(buffer, np.uint8) * powers[places] % P
    sums = np.concatenate([[0], np.cumsum(terms)])
    return cast(Array, (sums[ends] - sums[ends - lengths]) % P)


def _whole(key: pl.Series) -> Array:
    return key.fill_null(0).to_numpy().astype(np.int64)
