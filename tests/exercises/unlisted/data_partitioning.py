"""Wrong answers to the exercises of lesson 5 that are no named mistake."""

from __future__ import annotations

import numpy as np

from amaas_kit.exercises import data_partitioning as ex

P, A, B = 2_147_483_647, 1_103_515_245, 12_345


def another_prime(keys, parts):
    return (keys % 2**31 * A + B) % 2**31 % parts


def blocks_of_keys(keys, parts):
    return np.argsort(np.argsort(keys)) * parts // len(keys)


def negative_keys_to_part_0(keys, parts):
    return np.where(keys < 0, 0, ex.partition_id(keys, parts))


def last_part_never(keys, parts):
    return ex.partition_id(keys, parts - 1)


def width_a_second_short(times, start, width):
    return (times - start) // (width - 1)


def start_added(times, start, width):
    return (times + start) // width


def away_from_zero(times, start, width):
    shares = (times - start) / width
    return (np.sign(shares) * np.ceil(np.abs(shares))).astype(int)


def windows_that_occur(times, start, width):
    return np.unique((times - start) // width, return_inverse=True)[1]


def right_turned_upside_down(left, right, key):
    return {**{name: column[::-1] for name, column in right.items()}, **left}


def each_column_sorted(left, right, key):
    return {name: np.sort(column) for name, column in {**right, **left}.items()}


def only_left(left, right, key):
    return dict(left)


def first_row_of_right(left, right, key):
    firsts = {name: np.full(len(column), column[0]) for name, column in right.items()}
    return {**firsts, **left}


def order_instead_of_places(left, right, key):
    order = np.argsort(right[key])
    return {**{name: column[order][::-1] for name, column in right.items()}, **left}


def largest_over_mean_square(sizes):
    return sizes.max() / np.sqrt(np.mean(sizes**2))


def parts_less_one(sizes):
    return sizes.max() / (sizes.sum() / (len(sizes) - 1))


def rounded_to_a_tenth(sizes):
    return round(float(sizes.max() / sizes.mean()), 1)


def second_largest(sizes):
    return np.sort(sizes)[-2] / sizes.mean()


def second_highest(keys, parts, weight):
    bids = np.array([weight(keys, part) for part in range(parts)])
    return np.argsort(bids, axis=0)[-2]


def bids_of_the_next_key(keys, parts, weight):
    bids = np.array([weight(keys + 1, part) for part in range(parts)])
    return bids.argmax(axis=0)


def sign_dropped(keys, parts, weight):
    return ex.rendezvous(np.abs(keys), parts, weight)


def same_part_for_all(keys, parts, weight):
    bids = np.array([weight(keys, part) for part in range(parts)])
    return np.full(len(keys), bids.sum(axis=1).argmax())


WRONG = {
    "partition_numbers": [
        *(another_prime, blocks_of_keys, negative_keys_to_part_0, last_part_never),
    ],
    "time_windows": [
        *(width_a_second_short, start_added, away_from_zero, windows_that_occur),
    ],
    "rejoined_columns": [
        *(right_turned_upside_down, each_column_sorted, only_left, first_row_of_right),
        order_instead_of_places,
    ],
    "size_skew": [largest_over_mean_square, parts_less_one, rounded_to_a_tenth, second_largest],
    "rendezvous_hashing": [
        *(second_highest, bids_of_the_next_key, sign_dropped, same_part_for_all),
    ],
}
