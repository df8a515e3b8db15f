"""A text so long that the sum of its terms would leave 63 bits; it takes 2 GB."""

from __future__ import annotations

import numpy as np

from amaas_kit.partition.reference import P, text_numbers

BASE = 16_807
LENGTH = 40_000_000


def test_a_sum_of_terms_that_63_bits_do_not_hold():
    repeated = 255 * (pow(BASE, LENGTH, P) - 1) * pow(BASE - 1, -1, P) % P
    seen = text_numbers(b"a" + bytes([255]) * LENGTH, np.array([1, LENGTH]))
    assert seen.tolist() == [97, repeated]
