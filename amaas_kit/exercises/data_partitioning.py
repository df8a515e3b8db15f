"""The exercises of notebooks/05_data_partitioning: part numbers, windows, columns, skew, bids."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from amaas_kit.exercises import compare
from amaas_kit.exercises.exercise import Complaint, Exercise, Mistake
from amaas_kit.partition.movement import rendezvous_weights
from amaas_kit.partition.reference import A, B, P, hash_parts
from amaas_kit.partition.skew import skew_of

Array = npt.NDArray[Any]
Arguments = dict[str, Any]
Columns = Mapping[str, Array]
Weight = Callable[[Any, Any], Any]


# Part numbers by hash


def _draw_keys(rng: np.random.Generator) -> Arguments:
    """Small and large keys of both signs: where products leave 64 bits, and where they do not."""
    sizes = [40, 40, 2**33, 2**33, 2**61, 2**63, 2**63]
    keys = np.array([rng.integers(1, size) for size in sizes]) * np.resize([1, -1], len(sizes))
    return {"keys": rng.permutation(keys), "parts": int(rng.integers(3, 13))}


def partition_id(keys, parts):
    return (keys % P * A + B) % P % parts


def _signed_remainders(keys: Array, parts: int) -> Array:
    return np.fmod(np.fmod(np.fmod(keys, P) * A + B, P), parts)


def _sign_dropped_first(keys: Array, parts: int) -> Array:
    return partition_id(np.abs(keys), parts)


def _sign_dropped_last(keys: Array, parts: int) -> Array:
    return np.abs(_signed_remainders(keys, parts))


def _mended_too_late(keys: Array, parts: int) -> Array:
    return np.fmod(_signed_remainders(keys, parts) + parts, parts)


def _from_one(keys: Array, parts: int) -> Array:
    return partition_id(keys, parts) + 1


def _key_not_reduced(keys: Array, parts: int) -> Array:
    return (keys * A + B) % P % parts


def _in_32_bits(keys: Array, parts: int) -> Array:
    return (keys.astype(np.int32) % P * A + B) % P % parts


def _in_floating_point(keys: Array, parts: int) -> Array:
    return ((keys % P * float(A) + B) % P % parts).astype(int)


def _plain_remainder(keys: Array, parts: int) -> Array:
    return keys % parts


def _hash_of_python(keys: Array, parts: int) -> Array:
    return np.array([hash(int(key)) % parts for key in keys])


def _second_remainder_left_out(keys: Array, parts: int) -> Array:
    return (keys % P * A + B) % parts


def _hash_itself(keys: Array, parts: int) -> Array:
    return (keys % P * A + B) % P


def _increment_forgotten(keys: Array, parts: int) -> Array:
    return keys % P * A % P % parts


def _constants_exchanged(keys: Array, parts: int) -> Array:
    return (keys % P * B + A) % P % parts


def _judge_numbers(result: Any, keys: Array, parts: int) -> Complaint | None:
    text = compare.difference(hash_parts(keys, parts), _unwrapped(result))
    return Complaint(text) if text else None


def _unwrapped(result: Any) -> Any:
    """An array of Python's own whole numbers, which lose nothing, as one of NumPy's numbers."""
    if not isinstance(result, np.ndarray) or result.dtype != object:
        return result
    if not all(type(one) is int or isinstance(one, np.integer) for one in result.flat):
        return result
    fits = all(abs(int(one)) < 2**63 for one in result.flat)
    return result.astype(np.int64 if fits else np.float64)


partition_numbers = Exercise(
    name="partition_numbers",
    lesson="data_partitioning",
    title="The part of a key",
    statement=r"""
Write `partition_id(keys, parts)`, the part of each key by hash:

$$\text{id}(k) = \big((k \bmod P)\cdot A + B\big) \bmod P \bmod \text{parts}$$

with $P = 2{,}147{,}483{,}647$, $A = 1{,}103{,}515{,}245$ and $B = 12{,}345$. A remainder here is
never negative: $-1 \bmod 7$ is 6.

- `keys`: an array (n,) of whole numbers of 64 bits, negative ones too;
- `parts`: how many parts there are.

Return an array (n,) of whole numbers from 0 to `parts` - 1.
""",
    draw=_draw_keys,
    solution=partition_id,
    judge=_judge_numbers,
    demands="the remainder of the key modulo P, times A, plus B; of that the remainder modulo P; "
    "of that the remainder modulo parts; no remainder is negative",
    mistakes=(
        Mistake(
            "signed_remainders",
            _signed_remainders,
            "Your remainders keep the sign of the key, as those of C, Java and `np.fmod` do, so "
            "that a negative key goes to a part with a negative number, which nobody has. In "
            "Python `%` gives a remainder that is never negative here.",
        ),
        Mistake(
            "sign_dropped_first",
            _sign_dropped_first,
            "You dropped the sign of the keys before you multiplied. Then k and -k always go to "
            "the same part, and every other engine sends -k elsewhere. The remainder of a negative "
            "number is a number of its own: -1 modulo 7 is 6.",
        ),
        Mistake(
            "sign_dropped_last",
            _sign_dropped_last,
            "You took a remainder that keeps the sign, and dropped the sign after the product. The "
            "numbers are then those of parts, but not of the right ones: a negative remainder went "
            "through the formula as another number.",
        ),
        Mistake(
            "mended_too_late",
            _mended_too_late,
            "You mended the sign of the last remainder only. Those before it were negative, and "
            "went on into the formula as other numbers: each has to be mended where it is taken.",
        ),
        Mistake(
            "from_one",
            _from_one,
            "You number the parts from 1. They are numbered from 0, so that the last remainder is "
            "the number of the part.",
        ),
        Mistake(
            "key_not_reduced",
            _key_not_reduced,
            "For small keys you are right. A large key times A leaves the 64 bits, and NumPy goes "
            "on with what is left, silently. Take the key modulo P before you multiply: then no "
            "product leaves 63 bits.",
        ),
        Mistake(
            "in_32_bits",
            _in_32_bits,
            "You compute with whole numbers of 32 bits. Keys and products are larger than that, "
            "and what does not fit is cut off silently. Stay with 64 bits.",
        ),
        Mistake(
            "in_floating_point",
            _in_floating_point,
            "You multiply in floating point. A float64 holds 53 bits, and the product has up to "
            "62: its last digits are rounded away, and of those the remainder is made. Stay with "
            "whole numbers.",
        ),
        Mistake(
            "plain_remainder",
            _plain_remainder,
            "You took the remainder of the key itself. Keys often have a pattern, all even for "
            "example, and then half of the parts stay empty. Times A, plus B, modulo P come first "
            "and break the pattern.",
        ),
        Mistake(
            "hash_of_python",
            _hash_of_python,
            "You used Python's own `hash`. No other engine has the same one, for text it differs "
            "from run to run, and for whole numbers it is hardly more than the number. Compute "
            "the formula.",
        ),
        Mistake(
            "second_remainder_left_out",
            _second_remainder_left_out,
            "You left out the second remainder modulo P, the one after `* A + B`.",
        ),
        Mistake(
            "hash_itself",
            _hash_itself,
            "You returned the hash itself. The last remainder, modulo parts, makes the number of a "
            "part of it.",
        ),
        Mistake(
            "increment_forgotten",
            _increment_forgotten,
            "You forgot to add B, between the product and the second remainder modulo P.",
        ),
        Mistake(
            "constants_exchanged",
            _constants_exchanged,
            "You exchanged A and B: you multiplied by B and added A. Multiply by A, then add B.",
        ),
    ),
    hints=(
        "The formula has three remainders, and NumPy's `%` works on a whole array at once.",
        "For `%` in Python and NumPy the remainder has the sign of the divisor: `-1 % 7` is 6.",
        "From the inside out: `keys % P`, then `* A + B`, then `% P`, then `% parts`.",
    ),
)


# Time windows


def _draw_times(rng: np.random.Generator) -> Arguments:
    """Times on both sides of boundaries, before and after the start."""
    width = int(rng.choice([60, 600, 900, 3600, 86400]))
    start = int(rng.integers(10**8, 2 * 10**9)) // width * width + int(rng.integers(1, width))
    boundaries = start + width * rng.choice(np.arange(-5, 12), size=4, replace=False)
    inside = start + rng.integers(-4 * width, 12 * width, size=4)
    times = np.concatenate([boundaries, boundaries[:2] - 1, inside])
    return {"times": rng.permutation(times), "start": start, "width": width}


def time_window(times, start, width):
    return (times - start) // width


def _window_by_steps(times: Array, start: int, width: int) -> Array:
    """Count windows from the start, one by one."""

    def number(time: int) -> int:
        window = 0
        while time < start + window * width:
            window -= 1
        while time >= start + (window + 1) * width:
            window += 1
        return window

    return np.array([number(int(time)) for time in times])


def _boundary_in_the_one_before(times: Array, start: int, width: int) -> Array:
    return np.ceil((times - start) / width).astype(int) - 1


def _nearest(times: Array, start: int, width: int) -> Array:
    return np.round((times - start) / width).astype(int)


def _start_ignored(times: Array, start: int, width: int) -> Array:
    return times // width


def _start_rounded(times: Array, start: int, width: int) -> Array:
    return times // width - start // width


def _towards_zero(times: Array, start: int, width: int) -> Array:
    return np.trunc((times - start) / width).astype(int)


def _early_in_the_first(times: Array, start: int, width: int) -> Array:
    return np.maximum((times - start) // width, 0)


def _windows_from_one(times: Array, start: int, width: int) -> Array:
    return (times - start) // width + 1


def _place_in_the_window(times: Array, start: int, width: int) -> Array:
    return (times - start) % width


def _beginning_of_the_window(times: Array, start: int, width: int) -> Array:
    return start + (times - start) // width * width


def _not_rounded(times: Array, start: int, width: int) -> Array:
    return (times - start) / width


def _turned_round(times: Array, start: int, width: int) -> Array:
    return (start - times) // width


def _rounded_up(times: Array, start: int, width: int) -> Array:
    return np.ceil((times - start) / width).astype(int)


def _time_without_sign(times: Array, start: int, width: int) -> Array:
    return np.abs(times - start) // width


def _number_without_sign(times: Array, start: int, width: int) -> Array:
    return np.abs((times - start) // width)


def _first_time_for_start(times: Array, start: int, width: int) -> Array:
    return (times - times.min()) // width


time_windows = Exercise(
    name="time_windows",
    lesson="data_partitioning",
    title="The window of a time",
    statement=r"""
Write `time_window(times, start, width)`, the number of the window that each time falls into.

- `times`: an array (n,) of whole numbers, seconds;
- `start`: where window 0 begins, in seconds;
- `width`: how long each window is, in seconds.

Window 0 goes from `start` up to, but not including, `start + width`; window 1 begins there, and so
on. So a time on a boundary belongs to the window that begins with it. The window before window 0
has the number -1, the one before that -2.

Return an array (n,) of whole numbers.
""",
    draw=_draw_times,
    solution=time_window,
    definition=_window_by_steps,
    demands="the whole number w for which start + w * width <= time < start + (w + 1) * width",
    mistakes=(
        Mistake(
            "boundary_in_the_one_before",
            _boundary_in_the_one_before,
            "You put a time on a boundary into the window that ends there. It belongs to the one "
            "that begins there: a window includes its beginning and not its end, so round down.",
        ),
        Mistake(
            "nearest",
            _nearest,
            "You rounded to the nearest whole number, so that the second half of each window went "
            "to the next one. A time belongs to the window that began last: round down.",
        ),
        Mistake(
            "start_ignored",
            _start_ignored,
            "You ignored the start, and counted windows from the year 1970. Take the start away "
            "from the times first.",
        ),
        Mistake(
            "start_rounded",
            _start_rounded,
            "You divided times and start on their own and subtracted the windows. That cuts at "
            "multiples of the width since 1970, not at the start plus multiples: subtract first.",
        ),
        Mistake(
            "towards_zero",
            _towards_zero,
            "You rounded towards zero, as `int()`, `np.trunc` and the division of C and Java do. "
            "After the start that is the same as down. Before it, it is up: window 0 becomes "
            "twice as wide, and all windows before it are off by one.",
        ),
        Mistake(
            "early_in_the_first",
            _early_in_the_first,
            "You put the times before the start into window 0. They have windows of their own, -1 "
            "and so on.",
        ),
        Mistake(
            "windows_from_one",
            _windows_from_one,
            "You number the windows from 1. The window that begins at the start is window 0.",
        ),
        Mistake(
            "place_in_the_window",
            _place_in_the_window,
            "You returned how far into its window each time is: that is the remainder, `%`. The "
            "number of the window is the quotient.",
        ),
        Mistake(
            "beginning_of_the_window",
            _beginning_of_the_window,
            "You returned when each window begins. Asked for is its number, counted from the "
            "start.",
        ),
        Mistake(
            "not_rounded",
            _not_rounded,
            "You did not round. The number of a window is whole: `//` divides and rounds down.",
        ),
        Mistake(
            "turned_round",
            _turned_round,
            "You subtracted the times from the start. Later times belong to higher windows: "
            "subtract the start from the times.",
        ),
        Mistake(
            "rounded_up",
            _rounded_up,
            "You rounded up. Then a time inside window 0 gets the number 1, and only the times on "
            "a boundary get their own. Round down: a window has the number of its beginning.",
        ),
        Mistake(
            "time_without_sign",
            _time_without_sign,
            "You dropped the sign of the time since the start, so that a minute before the start "
            "and a minute after it fall into the same window. Keep the sign: the windows before "
            "window 0 are -1, -2 and so on.",
        ),
        Mistake(
            "number_without_sign",
            _number_without_sign,
            "You dropped the sign of the number. Window -1 is the one before window 0, and window "
            "1 the one after it: two different ones.",
        ),
        Mistake(
            "first_time_for_start",
            _first_time_for_start,
            "You counted from the earliest of the times. Window 0 begins at `start`, whichever "
            "times there are: otherwise each table would have other windows.",
        ),
    ),
    hints=(
        "How many seconds lie between the start and a time, and how many widths is that?",
        "Which rounding puts start + width itself into window 1, and one second earlier into "
        "window 0?",
        "`//` divides and rounds down, for negative numbers too: -1 // 60 is -1.",
    ),
)


# Columns that were cut apart


def _draw_tables(rng: np.random.Generator) -> Arguments:
    """Two column groups with the same keys in different orders; sometimes the keys are places."""
    rows = int(rng.integers(5, 8))
    if rng.random() < 0.5:
        keys = np.arange(rows)
    else:
        keys = rng.choice(np.arange(-50, 1000), size=rows, replace=False)
    names = list(rng.permutation(["age", "income", "clicks", "visits", "score"]))
    key = str(rng.choice(["row_id", "user", "order", "id"]))
    cut = int(rng.integers(1, 3))
    left = _group(rng, key, keys, names[:cut])
    right = _group(rng, key, keys, names[cut : cut + int(rng.integers(1, 3))])
    return {"left": left, "right": right, "key": key}


def _group(rng: np.random.Generator, key: str, keys: Array, names: list[str]) -> dict[str, Array]:
    order = rng.permutation(len(keys))
    drawn = {str(name): rng.normal(size=len(keys)).round(3) for name in names}
    return {key: keys[order], **drawn}


def rejoin_columns(left, right, key):
    place = {value: i for i, value in enumerate(right[key])}
    order = [place[value] for value in left[key]]
    return {**{name: column[order] for name, column in right.items()}, **left}


def _rejoined_by_polars(left: Columns, right: Columns, key: str) -> dict[str, Array]:
    joined = pl.DataFrame(left).join(pl.DataFrame(right), on=key, maintain_order="left")
    return {column.name: column.to_numpy() for column in joined}


def _side_by_side(left: Columns, right: Columns, key: str) -> dict[str, Array]:
    return {**left, **right}


def _keys_not_looked_at(left: Columns, right: Columns, key: str) -> dict[str, Array]:
    return {**right, **left}


def _sorted(table: Columns, key: str) -> dict[str, Array]:
    order = np.argsort(table[key])
    return {name: column[order] for name, column in table.items()}


def _only_right_sorted(left: Columns, right: Columns, key: str) -> dict[str, Array]:
    return {**_sorted(right, key), **left}


def _only_left_sorted(left: Columns, right: Columns, key: str) -> dict[str, Array]:
    return {**right, **_sorted(left, key)}


def _both_sorted(left: Columns, right: Columns, key: str) -> dict[str, Array]:
    return {**_sorted(right, key), **_sorted(left, key)}


def _order_of_the_right(left: Columns, right: Columns, key: str) -> dict[str, Array]:
    return rejoin_columns(right, left, key)


def _key_twice(left: Columns, right: Columns, key: str) -> dict[str, Array]:
    joined = rejoin_columns(left, right, key)
    return {**joined, f"{key}_right": joined[key]}


def _key_lost(left: Columns, right: Columns, key: str) -> dict[str, Array]:
    joined = rejoin_columns(left, right, key)
    return {name: column for name, column in joined.items() if name != key}


def _keys_taken_for_places(left: Columns, right: Columns, key: str) -> dict[str, Array]:
    return {**{name: column[left[key]] for name, column in right.items()}, **left}


def _rows_lost(left: Columns, right: Columns, key: str) -> dict[str, Array]:
    same = left[key] == right[key]
    return {name: column[same] for name, column in {**right, **left}.items()}


def _order_turned_round(left: Columns, right: Columns, key: str) -> dict[str, Array]:
    place = {value: i for i, value in enumerate(left[key])}
    order = [place[value] for value in right[key]]
    return {**{name: column[order] for name, column in right.items()}, **left}


def _sorted_by_keys_of_left(left: Columns, right: Columns, key: str) -> dict[str, Array]:
    order = np.argsort(left[key])
    return {**{name: column[order] for name, column in right.items()}, **left}


def _searched_unsorted(left: Columns, right: Columns, key: str) -> dict[str, Array]:
    rows = np.searchsorted(right[key], left[key])
    return {**{name: column[rows] for name, column in right.items()}, **left}


def _places_among_sorted(left: Columns, right: Columns, key: str) -> dict[str, Array]:
    rows = np.searchsorted(np.sort(right[key]), left[key])
    return {**{name: column[rows] for name, column in right.items()}, **left}


rejoined_columns = Exercise(
    name="rejoined_columns",
    lesson="data_partitioning",
    title="Join columns again",
    statement=r"""
Two parts of a table that was cut by columns: each has some of the columns, and both have the key.
The rows of the two stand in different orders. Write `rejoin_columns(left, right, key)`:

- `left`, `right`: dicts, from the name of a column to an array (n,);
- `key`: the name of the column that both have. Its values are whole numbers, in no order; each
  occurs once in `left` and once in `right`. All other columns are in one of the two only.

Return a dict with all columns, the key among them once, each an array (n,). The rows stand in the
order of `left`, and what belongs to one key stands in one row.
""",
    draw=_draw_tables,
    solution=rejoin_columns,
    definition=_rejoined_by_polars,
    demands="every column of left as it is, and every other column of right with the value of row "
    "i taken from the row of right that has the key of row i of left",
    mistakes=(
        Mistake(
            "side_by_side",
            _side_by_side,
            "The columns stand side by side as they came, the keys of right among them. The rows "
            "of the two stand in different orders, so that values of different rows now stand in "
            "one, and the rows of left got the keys of others. Nothing complains about that but a "
            "check.",
        ),
        Mistake(
            "keys_not_looked_at",
            _keys_not_looked_at,
            "The columns of right still stand in the order of right, beside the keys of left. "
            "That a key occurs in both (`np.isin`) does not say where it stands: find the row of "
            "each key first.",
        ),
        Mistake(
            "only_right_sorted",
            _only_right_sorted,
            "You sorted right by the key and left left as it was. The two then agree only if left "
            "is in the order of its keys, and it is in none.",
        ),
        Mistake(
            "only_left_sorted",
            _only_left_sorted,
            "You sorted left by the key and not right, so their rows do not belong together; and "
            "left was to keep its order.",
        ),
        Mistake(
            "both_sorted",
            _both_sorted,
            "You sorted both by the key. The rows now belong together, but they stand in the order "
            "of the key: asked for is the order of left.",
        ),
        Mistake(
            "order_of_the_right",
            _order_of_the_right,
            "The rows belong together, but they stand in the order of right. Asked for is the "
            "order of left.",
        ),
        Mistake(
            "key_twice",
            _key_twice,
            "Your table has the key twice. Both parts carry it so that they can be joined; the "
            "table has it once.",
        ),
        Mistake(
            "key_lost",
            _key_lost,
            "Your table lacks the key. It is a column of the table like the others.",
        ),
        Mistake(
            "keys_taken_for_places",
            _keys_taken_for_places,
            "You took a key for the place of a row, `column[left[key]]`. That holds only where the "
            "keys of right are 0, 1, 2 and so on, in this order. Look up in which row of right "
            "each key stands.",
        ),
        Mistake(
            "rows_lost",
            _rows_lost,
            "You kept only the rows that stand in the same place in both, and lost the others. "
            "Every key is in both parts: the table has all n rows.",
        ),
        Mistake(
            "order_turned_round",
            _order_turned_round,
            "You looked up the keys of right in left. It is the other way round: for each key of "
            "left, in which row of right does it stand?",
        ),
        Mistake(
            "sorted_by_keys_of_left",
            _sorted_by_keys_of_left,
            "You put the columns of right into the order that sorts the keys of left, "
            "`column[argsort(left[key])]`. Where a key stands in right, only `right[key]` knows.",
        ),
        Mistake(
            "searched_unsorted",
            _searched_unsorted,
            "You searched in the keys of right as they stand. `np.searchsorted` halves again and "
            "again, and finds the right places in sorted keys only; in others it gives some "
            "place, or one behind the last row. Pass it `sorter`, or look the keys up in a dict.",
        ),
        Mistake(
            "places_among_sorted",
            _places_among_sorted,
            "You found where each key stands among the sorted keys, and took that for its row in "
            "right. Right is not sorted: with `order = np.argsort(right[key])` that row is "
            "`order[place]`.",
        ),
    ),
    hints=(
        "For row i of left, the key says which row of right belongs to it. Where does it stand?",
        "`place = {value: i for i, value in enumerate(right[key])}` knows the row of each key.",
        "`order = [place[value] for value in left[key]]`, and then `column[order]` for each column "
        "of right. `{**one, **other}` makes one dict of two.",
    ),
)


# Skew


def _draw_sizes(rng: np.random.Generator) -> Arguments:
    """Sizes with a few large ones; often some are empty."""
    parts = int(rng.integers(4, 9))
    sizes = rng.pareto(1.2, size=parts) * 1000 + rng.integers(20, 400, size=parts)
    if rng.random() < 0.7:
        sizes[: rng.integers(1, 3)] = 0
    return {"sizes": rng.permutation(sizes.astype(int))}


def skew(sizes):
    return sizes.max() / sizes.mean()


def _over_the_smallest(sizes: Array) -> Any:
    return sizes.max() / sizes.min()


def _over_the_total(sizes: Array) -> Any:
    return sizes.max() / sizes.sum()


def _over_the_median(sizes: Array) -> Any:
    return sizes.max() / np.median(sizes)


def _empty_parts_dropped(sizes: Array) -> Any:
    return sizes.max() / sizes[sizes > 0].mean()


def _upside_down(sizes: Array) -> Any:
    return sizes.mean() / sizes.max()


def _spread(sizes: Array) -> Any:
    return sizes.std() / sizes.mean()


def _in_rows(sizes: Array) -> Any:
    return sizes.max() - sizes.mean()


def _less_one(sizes: Array) -> Any:
    return sizes.max() / sizes.mean() - 1


def _whole_number(sizes: Array) -> Any:
    return sizes.max() // sizes.mean()


def _of_the_others(sizes: Array) -> Any:
    return sizes.max() / np.delete(sizes, sizes.argmax()).mean()


size_skew = Exercise(
    name="size_skew",
    lesson="data_partitioning",
    title="How uneven parts are",
    statement=r"""
Write `skew(sizes)`: by how much the largest part is above its fair share.

- `sizes`: an array (k,), the rows of each part. Some may be 0, but not all.

Return one number: the largest size, divided by the mean of all k sizes. It is 1 where all parts
are equal, and k where one part has everything.
""",
    draw=_draw_sizes,
    solution=skew,
    definition=skew_of,
    demands="the largest size over the mean of all sizes, empty parts included",
    mistakes=(
        Mistake(
            "over_the_smallest",
            _over_the_smallest,
            "You divided by the smallest part. One tiny part would then look like a disaster, and "
            "an empty one is a division by zero. Nobody waits for the smallest: compare the "
            "largest with the mean.",
        ),
        Mistake(
            "over_the_total",
            _over_the_total,
            "You divided by the total. That is the largest part's share; 1/2 is even for two parts "
            "and very uneven for a hundred. The mean knows how many parts there are.",
        ),
        Mistake(
            "over_the_median",
            _over_the_median,
            "You divided by the median. The fair share is what each part would have if all were "
            "equal: the mean.",
        ),
        Mistake(
            "empty_parts_dropped",
            _empty_parts_dropped,
            "You left the empty parts out of the mean. They count: a worker that has nothing to do "
            "is what skew is about.",
        ),
        Mistake(
            "upside_down",
            _upside_down,
            "Upside down: the largest is divided by the mean, so that the result is 1 or more.",
        ),
        Mistake(
            "spread",
            _spread,
            "You returned the standard deviation over the mean. It says how much the sizes differ "
            "on the whole; how long everybody waits is decided by the largest alone.",
        ),
        Mistake(
            "in_rows",
            _in_rows,
            "You subtracted the mean. That is a number of rows, and 1,000 rows too many mean "
            "nothing unless one knows how many are usual: divide.",
        ),
        Mistake(
            "less_one",
            _less_one,
            "You took 1 away. That is the load imbalance, 0 where all is even. Here the ratio "
            "itself is asked for.",
        ),
        Mistake(
            "whole_number",
            _whole_number,
            "You divided with `//`, which drops what is behind the point.",
        ),
        Mistake(
            "of_the_others",
            _of_the_others,
            "You left the largest part out of the mean. The fair share is that of all rows among "
            "all parts.",
        ),
    ),
    hints=(
        "What would each part have if all were equal?",
        "`sizes.mean()` counts the empty parts too; that is right here.",
        "Largest over mean: `sizes.max()` and `sizes.mean()`.",
    ),
)


# Rendezvous hashing


def _draw_bids(rng: np.random.Generator) -> Arguments:
    """Keys, and a weight function of their own for each draw."""
    keys = rng.choice(np.arange(-(10**6), 10**6), size=int(rng.integers(7, 11)), replace=False)
    return {
        "keys": keys,
        "parts": int(rng.integers(3, 7)),
        "weight": _weight_with(int(rng.integers(1, 2**30))),
    }


def _weight_with(salt: int) -> Weight:
    def weight(key: Any, part: Any) -> Any:
        return rendezvous_weights(np.asarray(key, dtype=np.int64) ^ salt, part)

    return weight


def rendezvous(keys, parts, weight):
    bids = np.array([weight(keys, part) for part in range(parts)])
    return bids.argmax(axis=0)


def _highest_by_definition(keys: Array, parts: int, weight: Weight) -> Array:
    """Key by key; of parts that weigh the same, the first."""
    bids = [[(int(weight(key, part)), -part) for part in range(parts)] for key in keys]
    return np.array([-max(of_key)[1] for of_key in bids])


def _bids(keys: Array, parts: int, weight: Weight) -> Array:
    """(parts, n) what each part bids for each key."""
    return np.array([weight(keys, part) for part in range(parts)])


def _remainder_of_the_key(keys: Array, parts: int, weight: Weight) -> Array:
    return keys % parts


def _remainder_of_a_weight(keys: Array, parts: int, weight: Weight) -> Array:
    return np.asarray(weight(keys, 0) % parts)


def _remainder_with_the_count(keys: Array, parts: int, weight: Weight) -> Array:
    return np.asarray(weight(keys, parts) % parts)


def _lowest(keys: Array, parts: int, weight: Weight) -> Array:
    return _bids(keys, parts, weight).argmin(axis=0)


def _numbered_from_one(keys: Array, parts: int, weight: Weight) -> Array:
    return np.array([weight(keys, part) for part in range(1, parts + 1)]).argmax(axis=0) + 1


def _shifted_by_one(keys: Array, parts: int, weight: Weight) -> Array:
    return np.array([weight(keys, part) for part in range(1, parts + 1)]).argmax(axis=0)


def _last_left_out(keys: Array, parts: int, weight: Weight) -> Array:
    return _bids(keys, parts - 1, weight).argmax(axis=0)


def _weight_itself(keys: Array, parts: int, weight: Weight) -> Array:
    return np.asarray(_bids(keys, parts, weight).max(axis=0))


def _wrong_axis(keys: Array, parts: int, weight: Weight) -> Array:
    return _bids(keys, parts, weight).argmax(axis=1)


def _key_and_part_swapped(keys: Array, parts: int, weight: Weight) -> Array:
    return np.array([weight(part, keys) for part in range(parts)]).argmax(axis=0)


def _count_in_the_weight(keys: Array, parts: int, weight: Weight) -> Array:
    return _bids(keys * parts, parts, weight).argmax(axis=0)


def _compared_with_the_one_before(keys: Array, parts: int, weight: Weight) -> Array:
    best, before = np.zeros(len(keys), dtype=int), weight(keys, 0)
    for part in range(1, parts):
        bids = weight(keys, part)
        best[bids > before] = part
        before = bids
    return best


def _one_part_too_many(keys: Array, parts: int, weight: Weight) -> Array:
    return _bids(keys, parts + 1, weight).argmax(axis=0)


rendezvous_hashing = Exercise(
    name="rendezvous_hashing",
    lesson="data_partitioning",
    title="The highest bid",
    statement=r"""
Write `rendezvous(keys, parts, weight)`: each key goes to the part that bids most for it.

- `keys`: an array (n,) of whole numbers;
- `parts`: how many parts there are, numbered 0 to `parts` - 1;
- `weight`: a function. `weight(key, part)` is what that part bids for that key, a whole number;
  for an array of keys it gives an array of bids. No two parts bid the same for a key.

Return an array (n,): for each key the number of the part whose bid is the highest.

Then a further part can only win keys for itself. Whatever moves, moves to it.
""",
    draw=_draw_bids,
    solution=rendezvous,
    definition=_highest_by_definition,
    demands="for each key the part, among 0 to parts - 1, for which weight(key, part) is highest",
    mistakes=(
        Mistake(
            "remainder_of_the_key",
            _remainder_of_the_key,
            "You took the key modulo the number of parts, and asked no part for its bid. With one "
            "part more nearly all remainders change, and keys move between parts that were there "
            "before.",
        ),
        Mistake(
            "remainder_of_a_weight",
            _remainder_of_a_weight,
            "You used one weight of each key, of part 0, and its remainder. That is modulo "
            "hashing with another hash: with one part more nearly every key moves, and hardly any "
            "of them to the new part. Each part has to bid.",
        ),
        Mistake(
            "remainder_with_the_count",
            _remainder_with_the_count,
            "You passed the number of parts as if it were a part, and took a remainder. With one "
            "part more every weight changes, and keys move anywhere. Each part has to bid by "
            "itself: weight(key, 0), weight(key, 1) and so on.",
        ),
        Mistake(
            "lowest",
            _lowest,
            "You took the lowest bid. That works as well, and moves as little; but whoever looks "
            "for a row has to take the same. Agreed here is the highest.",
        ),
        Mistake(
            "numbered_from_one",
            _numbered_from_one,
            "You let the parts 1 to n bid. They are numbered 0 to n - 1: part 0 gets nothing, and "
            "there is no part n.",
        ),
        Mistake(
            "shifted_by_one",
            _shifted_by_one,
            "Your bids are those of the parts 1 to n, but you return their places from 0. Let the "
            "parts 0 to n - 1 bid.",
        ),
        Mistake(
            "last_left_out",
            _last_left_out,
            "The last part never wins anything: it was not asked. `range(parts)` ends with "
            "parts - 1, as it should.",
        ),
        Mistake(
            "weight_itself",
            _weight_itself,
            "You returned the highest bid. Asked for is who made it: `argmax` in place of `max`.",
        ),
        Mistake(
            "wrong_axis",
            _wrong_axis,
            "You looked for the highest bid along the wrong axis: for each part its favourite key. "
            "Each key has to choose among the parts.",
        ),
        Mistake(
            "key_and_part_swapped",
            _key_and_part_swapped,
            "You passed part and key in the wrong order: it is weight(key, part).",
        ),
        Mistake(
            "count_in_the_weight",
            _count_in_the_weight,
            "In your bids the number of parts has a say. With one part more all bids change, and a "
            "key may move between two parts that were there before. What a part bids may depend on "
            "the key and on that part only.",
        ),
        Mistake(
            "compared_with_the_one_before",
            _compared_with_the_one_before,
            "You compared each bid with that of the part before. It has to be above the highest so "
            "far: keep that one, and replace it only by a higher one.",
        ),
        Mistake(
            "one_part_too_many",
            _one_part_too_many,
            "You asked one part too many. `range(parts)` goes from 0 to parts - 1, and there is no "
            "part with the number `parts`.",
        ),
    ),
    hints=(
        "Ask every part, 0 to parts - 1, for its bid on all keys: that is a list of arrays.",
        "`np.array([weight(keys, part) for part in range(parts)])` has a row for each part and a "
        "column for each key.",
        "`argmax(axis=0)` of that array is, for each column, the row of its highest entry.",
    ),
    core=False,
)
