"""The exercises of notebooks/06_distributed_engines: Spark SQL, an overflow, parts reconciled."""

from __future__ import annotations

import re
import zlib
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from itertools import permutations
from typing import Any

import numpy as np
import numpy.typing as npt

from amaas_kit.errors import EngineError
from amaas_kit.exercises import compare, describe, sql_text
from amaas_kit.exercises.exercise import Complaint, Exercise, Mistake
from amaas_kit.exercises.spark_values import Values, lacking, spark_values
from amaas_kit.partition.checksum import mix
from amaas_kit.partition.reference import A, B, P, hash_parts

Array = npt.NDArray[Any]
Arguments = dict[str, Any]
Checksum = Callable[[Array], Array]


# The plan as Spark SQL

KEY_NAMES = ("user", "customer", "device", "account", "sensor", "patient", "shop", "driver")


def _draw_column(rng: np.random.Generator) -> Arguments:
    """A name that is not drawn twice in a thousand years, and how many parts."""
    name = f"{rng.choice(KEY_NAMES)}_{rng.integers(1, 10**6)}"
    return {"key": name, "parts": int(rng.integers(4, 17))}


def spark_part(key, parts):
    product = f"({key} % {P} + {P}) % {P} * {A} + {B}"
    return f"CASE WHEN {key} IS NULL THEN 0 ELSE ({product}) % {P} % {parts} END"


def _keys_for(key: str, parts: int) -> list[int | None]:
    """Keys of both signs from small ones to nearly 2^63, some missing; the same for the same.

    Of some negative ones the product with A leaves a remainder modulo P below B: there adding B
    changes the sign. Where parts divides 2 B, only these tell a sign that was dropped first from
    one that was dropped last.
    """
    rng = np.random.default_rng(zlib.crc32(f"{key} {parts}".encode()))
    sizes = [50] * 6 + [2**31] * 4 + [2**40] * 6 + [2**62] * 6
    drawn = rng.integers(1, np.array(sizes)) * np.resize([1, -1], len(sizes))
    edges = np.array([0, P, -P, 2**63 - 1, 1 - 2**63])
    crossing = -(rng.integers(1, B, 3) * pow(A, -1, P) % P)
    keys = [int(number) for number in rng.permutation(np.concatenate([drawn, edges, crossing]))]
    return [*keys[:9], None, *keys[9:], None]


def _with_nulls(number: str, key: str) -> str:
    return f"CASE WHEN {key} IS NULL THEN 0 ELSE {number} END"


def _sign_kept(key: str, parts: int) -> str:
    return _with_nulls(f"({key} % {P} * {A} + {B}) % {P} % {parts}", key)


def _sql_sign_dropped_last(key: str, parts: int) -> str:
    return _with_nulls(f"ABS(({key} % {P} * {A} + {B}) % {P} % {parts})", key)


def _sql_sign_dropped_first(key: str, parts: int) -> str:
    return _with_nulls(f"(ABS({key}) % {P} * {A} + {B}) % {P} % {parts}", key)


def _sql_mended_too_late(key: str, parts: int) -> str:
    return _with_nulls(f"PMOD(({key} % {P} * {A} + {B}) % {P}, {parts})", key)


def _hash_of_spark(key: str, parts: int) -> str:
    return _with_nulls(f"PMOD(HASH({key}), {parts})", key)


def _sql_plain_remainder(key: str, parts: int) -> str:
    return _with_nulls(f"PMOD({key}, {parts})", key)


def _second_remainder_left_out(key: str, parts: int) -> str:
    return _with_nulls(f"(PMOD({key}, {P}) * {A} + {B}) % {parts}", key)


def _hash_without_parts(key: str, parts: int) -> str:
    return _with_nulls(f"(PMOD({key}, {P}) * {A} + {B}) % {P}", key)


def _parts_from_one(key: str, parts: int) -> str:
    return _with_nulls(f"(PMOD({key}, {P}) * {A} + {B}) % {P} % {parts} + 1", key)


def _one_part_less(key: str, parts: int) -> str:
    return _with_nulls(f"(PMOD({key}, {P}) * {A} + {B}) % {P} % {parts - 1}", key)


def _in_floating_point(key: str, parts: int) -> str:
    number = f"PMOD(CAST(PMOD({key}, {P}) AS DOUBLE) * {A} + {B}, {P})"
    return _with_nulls(f"CAST({number} AS BIGINT) % {parts}", key)


def _overflow_made_null(key: str, parts: int) -> str:
    return f"COALESCE(PMOD(TRY_ADD(TRY_MULTIPLY({key}, {A}), {B}), {P}) % {parts}, 0)"


def _type_not_whole(key: str, parts: int) -> str:
    return f"CAST({spark_part(key, parts)} AS DOUBLE)"


def _nulls_forgotten(key: str, parts: int) -> str:
    return f"(PMOD({key}, {P}) * {A} + {B}) % {P} % {parts}"


def _null_taken_for_zero(key: str, parts: int) -> str:
    return _nulls_forgotten(f"COALESCE({key}, 0)", parts)


def _multiplied_first(key: str, parts: int) -> str:
    return _with_nulls(f"PMOD({key} * {A} + {B}, {P}) % {parts}", key)


def _cast_to_32_bits(key: str, parts: int) -> str:
    return _with_nulls(f"(PMOD(CAST({key} AS INT), {P}) * {A}L + {B}) % {P} % {parts}", key)


def _name_in_quotes(key: str, parts: int) -> str:
    return _nulls_forgotten(f"'{key}'", parts)


def _name_not_put_in(key: str, parts: int) -> str:
    return f"CASE WHEN key IS NULL THEN 0 ELSE (PMOD(key, {P}) * {A} + {B}) % {P} % {parts} END"


def _whole_statement(key: str, parts: int) -> str:
    return f"SELECT {spark_part(key, parts)} FROM source"


def _f_forgotten(key: str, parts: int) -> str:
    return "CASE WHEN {key} IS NULL THEN 0 ELSE (PMOD({key}, {P}) * {A} + {B}) % {P} % {parts} END"


def _numbers_not_put_in(key: str, parts: int) -> str:
    return _with_nulls(f"(PMOD({key}, P) * A + B) % P % {parts}", key)


def _fixed_column(key: str, parts: int) -> str:
    return spark_part("user_id", parts)


def _named_with_as(key: str, parts: int) -> str:
    return f"{spark_part(key, parts)} AS part"


def _bracket_missing(key: str, parts: int) -> str:
    return _with_nulls(f"((PMOD({key}, {P}) * {A} + {B}) % {P} % {parts}", key)


def _bracket_too_many(key: str, parts: int) -> str:
    return f"{spark_part(key, parts)})"


REFUSALS = {
    "multiplied_first": r"^\[ARITHMETIC_OVERFLOW\]",
    "cast_to_32_bits": r'^\[CAST_OVERFLOW\] .*"INT"',
    "name_in_quotes": r"^\[CAST_INVALID_INPUT\] The value '{key}'",
    "name_not_put_in": r"^\[UNRESOLVED_COLUMN.* name `key`",
    "numbers_not_put_in": r"^\[UNRESOLVED_COLUMN.* name `([PAB]|parts)`",
}
"""How Spark's words begin where a mistake makes it refuse."""

SQL_MISTAKES = (
    Mistake(
        "sign_kept",
        _sign_kept,
        "`%` in SQL keeps the sign of the number on its left, as in C and Java: -1 % 7 is -1, "
        "where Python says 6. So negative keys go to parts with negative numbers. Bring the key "
        "between 0 and P - 1 first.",
    ),
    Mistake(
        "sign_dropped_last",
        _sql_sign_dropped_last,
        "You dropped the sign after the product. The numbers are then those of parts, but not of "
        "the right ones: a negative remainder went through the formula as another number.",
    ),
    Mistake(
        "sign_dropped_first",
        _sql_sign_dropped_first,
        "You dropped the sign before the product. Then k and -k always go to the same part, which "
        "the reference does not do. The remainder of a negative number is a number of its own: -1 "
        "modulo 7 is 6.",
    ),
    Mistake(
        "mended_too_late",
        _sql_mended_too_late,
        "You mended the sign of the last remainder only. Those before it were negative, and went "
        "on as other numbers. Mend it where it arises: at the remainder of the key.",
    ),
    Mistake(
        "hash_of_spark",
        _hash_of_spark,
        "You asked Spark for its own `hash`. It is a good one, Murmur3, and no other engine has "
        "it: Flink, Hadoop and NumPy would send the same key elsewhere. Write the plan's formula.",
    ),
    Mistake(
        "plain_remainder",
        _sql_plain_remainder,
        "You took the remainder of the key itself. Times A, plus B, modulo P come first: they "
        "break patterns that keys have, all even for example.",
    ),
    Mistake(
        "second_remainder_left_out",
        _second_remainder_left_out,
        "You left out the second remainder modulo P, the one after `* A + B`.",
    ),
    Mistake(
        "hash_without_parts",
        _hash_without_parts,
        "That is the hash itself. The last remainder, modulo parts, makes the number of a part of "
        "it.",
    ),
    Mistake(
        "parts_from_one",
        _parts_from_one,
        "You number the parts from 1. They are numbered from 0.",
    ),
    Mistake(
        "one_part_less",
        _one_part_less,
        "The last remainder is modulo parts, not parts - 1: a remainder is below its divisor "
        "already, and your last part stays empty.",
    ),
    Mistake(
        "in_floating_point",
        _in_floating_point,
        "You multiply in floating point. A DOUBLE holds 53 bits and the product has up to 62: its "
        "last digits are rounded away, and of those the remainder is made. Stay with whole "
        "numbers.",
    ),
    Mistake(
        "nulls_forgotten",
        _nulls_forgotten,
        "Rows without a key are forgotten. What is computed with NULL is NULL, so such a row has "
        "no part, and is lost or lands in a folder of its own. The plan sends it to part 0.",
    ),
    Mistake(
        "null_taken_for_zero",
        _null_taken_for_zero,
        "You took a missing key for the key 0, and sent its row where 0 goes. The plan sends rows "
        "without a key to **part** 0.",
    ),
    Mistake(
        "multiplied_first",
        _multiplied_first,
        "A number left the 64 bits, and Spark says so: it checks each product and sum (ANSI). "
        "Multiply a remainder by A, never the key itself, and no product leaves 63 bits.",
    ),
    Mistake(
        "cast_to_32_bits",
        _cast_to_32_bits,
        "You cast to INT, which has 32 bits. Keys are larger than that. BIGINT has 64.",
    ),
    Mistake(
        "name_in_quotes",
        _name_in_quotes,
        "In SQL, single quotes make a text. A column is named without them.",
    ),
    Mistake(
        "name_not_put_in",
        _name_not_put_in,
        "Your text speaks of a column `key`. The column's name is what the variable `key` holds: "
        'in an f-string, f"… {key} …", it is put in.',
    ),
    Mistake(
        "whole_statement",
        _whole_statement,
        "You wrote a whole statement. Asked for is the expression alone, which stands between "
        "SELECT and AS: the engine puts the rest around it.",
    ),
    Mistake(
        "overflow_made_null",
        _overflow_made_null,
        "`try_multiply` and its like do not mend an overflow, they hide it: the product that "
        "leaves the 64 bits becomes NULL, and such keys go where rows without a key go. Take the "
        "key modulo P before you multiply, and no product leaves 63 bits.",
    ),
    Mistake(
        "type_not_whole",
        _type_not_whole,
        "The numbers are right, and their type is not. The number of a part is a whole number, "
        "INT or BIGINT. As DOUBLE it is 9.0, and so is the name of the part's folder; as a text, "
        "10 comes before 9.",
    ),
    Mistake(
        "f_forgotten",
        _f_forgotten,
        "Curly braces went to Spark letter by letter. Python puts a value in their place only "
        'where an f stands before the quotes, f"… {key} …". A text that is put together from '
        "several needs an f before each.",
    ),
    Mistake(
        "numbers_not_put_in",
        _numbers_not_put_in,
        "Letters of the formula stand in your text, and Spark takes them for names of columns. "
        "They are numbers that Python knows: in an f-string, write {P}, {A}, {B} and {parts}.",
    ),
    Mistake(
        "fixed_column",
        _fixed_column,
        "Your text names one column for good, whatever table it is for. The name of the column is "
        "what the variable `key` holds, and another one at each call.",
    ),
    Mistake(
        "named_with_as",
        _named_with_as,
        "You gave the expression a name, with AS. Asked for is the expression alone: the engine "
        "puts AS and the name behind it.",
    ),
    Mistake(
        "bracket_missing",
        _bracket_missing,
        "A closing bracket is missing in your text. Count from the left: 1 more at each `(`, 1 "
        "less at each `)`. At the end it has to be 0.",
    ),
    Mistake(
        "bracket_too_many",
        _bracket_too_many,
        "Your text has a closing bracket too many, or an opening one too few. Count from the left: "
        "1 more at each `(`, 1 less at each `)`. Where it falls below 0 is the one too many.",
    ),
)

HIDES_OVERFLOW = re.compile(r"\btry_\w+\s*\(", re.IGNORECASE)
WHOLE_TYPES = re.compile(r"(tiny|small|big)?int|decimal\(\d+,0\)")
REAL_TYPES = re.compile(r"float|double|decimal\(.*")
NULL_MISTAKES = ("nulls_forgotten", "null_taken_for_zero")
SILENT_MISTAKES = SQL_MISTAKES[
    : next(at for at, one in enumerate(SQL_MISTAKES) if one.name in REFUSALS)
]
"""Those that Spark computes without a word."""


def _judge_sql(result: Any, key: str, parts: int) -> Complaint | None:
    """What Spark makes of an expression, held against the reference on many keys."""
    if not isinstance(result, str):
        return Complaint(
            f"The result is {describe.kind(result)}; asked for is a text, which Spark computes "
            "for each row."
        )
    if re.match(r"\s*(SELECT|CREATE|INSERT|WITH)\b", result, re.IGNORECASE):
        return Complaint("The text begins as a statement does.", "whole_statement")
    keys = _keys_for(key, parts)
    try:
        table = spark_values([result, f"TYPEOF((\n{result}\n))"], key, keys)
    except EngineError as error:
        return _refused(error.seen, result, key)
    kind = str(table[0][1])
    given = [_as_whole(value, kind) for value, _ in table]
    right = _right_parts(keys, parts)
    wrong = [place for place in range(len(keys)) if given[place] != right[place]]
    if not wrong:
        return _judge_type(kind)
    at = min(wrong, key=lambda place: (keys[place] is None, abs(keys[place] or 0)))
    shown = "NULL" if keys[at] is None else f"{keys[at]}"
    text = (
        f"For the key {shown} Spark computes {given[at] or 'NULL'}; the plan's part is {right[at]}."
    )
    if len(wrong) > 1:
        text += f" {len(wrong)} of {len(keys)} keys differ."
    if HIDES_OVERFLOW.search(result) and _nulls_of_overflow(given, keys):
        return Complaint(text, "overflow_made_null")
    return Complaint(text, _silent_mistake(given, key, parts))


def _as_whole(value: str | None, kind: str) -> str | None:
    """A value as text; 9.0 of a type of real numbers as 9."""
    if value is None or not REAL_TYPES.fullmatch(kind):
        return value
    number = float(value)
    return f"{number:.0f}" if number.is_integer() else value


def _judge_type(kind: str) -> Complaint | None:
    if WHOLE_TYPES.fullmatch(kind):
        return None
    return Complaint(f"Spark computes values of the type {kind.upper()}.", "type_not_whole")


def _nulls_of_overflow(given: Sequence[str | None], keys: Sequence[int | None]) -> bool:
    """Whether all keys whose product with A leaves 64 bits went where a missing key went."""
    missing = given[keys.index(None)]
    places = [place for place, key in enumerate(keys) if key and abs(key) * A + B >= 2**63]
    return all(given[place] == missing for place in places)


def _right_parts(keys: Sequence[int | None], parts: int) -> list[str]:
    numbers = hash_parts(np.array([key or 0 for key in keys]), parts).tolist()
    return ["0" if key is None else str(number) for key, number in zip(keys, numbers, strict=True)]


def _refused(said: str, text: str, key: str) -> Complaint:
    """What is wrong with a text that Spark refuses; its words on syntax tell only where."""
    if not text.strip():
        return Complaint("The text is empty.")
    held = sql_text.braces(text)
    if held:
        return Complaint(f"Spark refuses the expression: it holds {held} as such.", "f_forgotten")
    if said.startswith("[PARSE_SYNTAX_ERROR]"):
        return _no_syntax(said, text)
    named = (
        name
        for name, pattern in REFUSALS.items()
        if re.search(pattern.format(key=re.escape(key)), said)
    )
    strange = "fixed_column" if "[UNRESOLVED_COLUMN" in said and key not in text else None
    return Complaint(f"Spark refuses the expression: {said}", next(named, strange))


def _no_syntax(said: str, text: str) -> Complaint:
    """Where Spark noticed may be in what the check puts around a text, so the text is read too."""
    opened, closed = sql_text.brackets(text)
    name = sql_text.name_at_the_end(text)
    if opened != closed:
        mistake = "bracket_missing" if opened > closed else "bracket_too_many"
        return Complaint(
            f"Spark refuses the expression: in your text `(` occurs {_times(opened)} and `)` "
            f"{_times(closed)}.",
            mistake,
        )
    if name:
        return Complaint(f"Spark refuses the expression: it ends with AS {name}.", "named_with_as")
    if said.endswith("near ')'."):
        said += (
            " Perhaps this is the bracket that the check puts around your text: then the text ends "
            "too early (a CASE without its END?), or goes on where the expression has ended."
        )
    return Complaint(f"Spark refuses the expression: {said}")


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"


def _silent_mistake(given: Sequence[str | None], key: str, parts: int) -> str | None:
    """The mistake that gives the same; where keys there are, those without count less."""
    known = [place for place, one in enumerate(_keys_for(key, parts)) if one is not None]
    table = _silent_values(key, parts)
    for exactly in (True, False):
        for number, mistake in enumerate(SILENT_MISTAKES):
            places = range(len(given)) if exactly else known
            if not exactly and mistake.name in NULL_MISTAKES:
                continue
            if all(given[place] == table[place][number] for place in places):
                return mistake.name
    return None


@lru_cache(maxsize=64)
def _silent_values(key: str, parts: int) -> Values:
    expressions = [mistake.answer(key, parts) for mistake in SILENT_MISTAKES]
    return spark_values(expressions, key, _keys_for(key, parts))


spark_sql_plan = Exercise(
    name="spark_sql_plan",
    lesson="distributed_engines",
    title="Write the plan as Spark SQL",
    statement=r"""
Write `spark_part(key, parts)`, which returns the plan `Plan.hash(key, parts)` as a text: an
expression of Spark SQL that gives each row the number of its part.

- `key`: the name of a column of whole numbers of 64 bits (BIGINT), negative ones and NULL among
  them;
- `parts`: how many parts there are.

For a key $k$ the part is

$$\big((k \bmod P)\cdot A + B\big) \bmod P \bmod \text{parts}$$

with $P = 2147483647$, $A = 1103515245$ and $B = 12345$, where no remainder is negative. A row whose
key is NULL goes to part 0.

Return the text alone, such as `"some_column % 7"`: no SELECT, no AS. Spark itself computes it, with
its checks on (ANSI), so Spark and Java have to be here.
""",
    draw=_draw_column,
    solution=spark_part,
    judge=_judge_sql,
    demands="a text that Spark computes to ((key modulo P) * A + B) modulo P modulo parts, no "
    "remainder negative, and to 0 where the key is NULL",
    mistakes=SQL_MISTAKES,
    hints=(
        'An f-string puts names and numbers into a text: `f"({key} % {P} * {A} + {B}) % {P}"`. '
        "Begin with that, check it, and see what is still wrong.",
        "In SQL `-1 % 7` is -1. Adding P makes a number positive that is above -P; a second "
        "remainder brings it below P again. (Spark also knows `PMOD`.)",
        "Multiply only what is below P already. Then the product is below 2^62, and no check of "
        "Spark's complains.",
        "What is computed with NULL is NULL. `CASE WHEN … IS NULL THEN … ELSE … END` asks first.",
        "From the inside out: `({key} % {P} + {P}) % {P}`, then `* {A} + {B}`, all of that in "
        "brackets `% {P} % {parts}`, and the CASE around it.",
    ),
    draws=3,
    lacks=lacking,
)


# The silent overflow

FEW = 2
"""So many rows of each kind are drawn."""


def _ids_of_int(keys: Array, parts: int) -> Array:
    """What Flink computes where a remainder modulo P is typed INT: products lose upper bits."""
    product = np.fmod(keys, P).astype(np.int32) * np.int32(A) + np.int32(B)
    return np.fmod(np.fmod(product, np.int32(P)), parts).astype(np.int64)


def _draw_overflow(rng: np.random.Generator) -> Arguments:
    """Rows that lost nothing, rows that lost bits and are right by luck, and wrong ones."""
    parts = int(rng.integers(3, 13))
    unhurt = rng.integers(0, 4, 40) * P + rng.integers(0, 2, 40)
    small, large = rng.integers(2, 2**20, 2000), rng.integers(2**31, 2**62, 2000)
    keys = np.unique(np.concatenate([small, large, unhurt]))
    ids, right = _ids_of_int(keys, parts), hash_parts(keys, parts)
    whole = keys % P * A + B < 2**31
    kinds = (
        whole,
        ~whole & (ids == right),
        ~whole & (ids == right) & (keys > 2**40),
        (ids != right) & (ids >= 0) & (keys < 2**31),
        (ids != right) & (ids >= 0),
        (ids < 0) & (-ids == right),
        (ids < 0) & (ids + parts == right),
        (ids < 0) & (keys < 2**31),
        ids < 0,
    )
    chosen = np.concatenate([rng.choice(np.flatnonzero(kind), FEW) for kind in kinds])
    rows = rng.permutation(np.unique(chosen))
    return {"keys": keys[rows], "parts": parts, "ids": ids[rows]}


def wrong_rows(keys, parts, ids):
    right = (keys % P * A + B) % P % parts
    return ids != right


def _wrong_by_long_numbers(keys: Array, parts: int, ids: Array) -> Array:
    """Python's own whole numbers have no bits to lose."""
    pairs = zip(keys.tolist(), ids.tolist(), strict=True)
    return np.array([(key % P * A + B) % P % parts != number for key, number in pairs])


def _only_negative(keys: Array, parts: int, ids: Array) -> Array:
    return ids < 0


def _only_positive(keys: Array, parts: int, ids: Array) -> Array:
    return (ids >= 0) & wrong_rows(keys, parts, ids)


def _signs_dropped(keys: Array, parts: int, ids: Array) -> Array:
    return wrong_rows(keys, parts, np.abs(ids))


def _signs_mended(keys: Array, parts: int, ids: Array) -> Array:
    return wrong_rows(keys, parts, ids % parts)


def _every_overflow(keys: Array, parts: int, ids: Array) -> Array:
    return keys % P * A + B > 2**31 - 1


def _large_keys(keys: Array, parts: int, ids: Array) -> Array:
    return keys > 2**31 - 1


def _in_32_bits_again(keys: Array, parts: int, ids: Array) -> Array:
    return ids != _ids_of_int(keys, parts)


def _product_not_reduced(keys: Array, parts: int, ids: Array) -> Array:
    return ids != (keys * A + B) % P % parts


def _remainder_of_the_key(keys: Array, parts: int, ids: Array) -> Array:
    return ids != keys % parts


def _right_rows(keys: Array, parts: int, ids: Array) -> Array:
    return ~wrong_rows(keys, parts, ids)


def _row_numbers(keys: Array, parts: int, ids: Array) -> Array:
    return np.flatnonzero(wrong_rows(keys, parts, ids))


def _wrong_keys(keys: Array, parts: int, ids: Array) -> Array:
    return keys[wrong_rows(keys, parts, ids)]


def _how_many(keys: Array, parts: int, ids: Array) -> int:
    return int(wrong_rows(keys, parts, ids).sum())


def _check_in_floating_point(keys: Array, parts: int, ids: Array) -> Array:
    return ids != (keys % P * float(A) + B) % P % parts


def _check_without_second_remainder(keys: Array, parts: int, ids: Array) -> Array:
    return ids != (keys % P * A + B) % parts


def _judge_marks(result: Any, keys: Array, parts: int, ids: Array) -> Complaint | None:
    right = _wrong_by_long_numbers(keys, parts, ids)
    text = compare.difference(right, result)
    if not text:
        return None
    if not isinstance(result, np.ndarray) or result.shape != right.shape or result.dtype != bool:
        return Complaint(text)
    wrong = np.flatnonzero(result != right)
    at = wrong[0]
    text = f"The result at [{at}] is {result[at]}; the definition gives {right[at]}."
    if len(wrong) > 1:
        text += f" {len(wrong)} of {len(right)} entries differ."
    return Complaint(text)


silent_overflow = Exercise(
    name="silent_overflow",
    lesson="distributed_engines",
    title="Find the silent overflow",
    statement=r"""
An engine has cut a table by the hash of its keys. It took a remainder for a whole number of 32
bits, so that of larger products the upper bits were lost, and it said nothing. Write
`wrong_rows(keys, parts, ids)`: which rows went to a wrong part?

- `keys`: an array (n,) of whole numbers of 64 bits, none negative;
- `parts`: how many parts there are;
- `ids`: an array (n,), the part that the engine computed for each key.

The right part of a key $k$ is
$\big((k \bmod P)\cdot A + B\big) \bmod P \bmod \text{parts}$ with $P = 2147483647$,
$A = 1103515245$ and $B = 12345$, all in whole numbers that lose nothing.

Return an array (n,) of True and False: True where the part is wrong.
""",
    draw=_draw_overflow,
    solution=wrong_rows,
    judge=_judge_marks,
    demands="True exactly where the id is not ((key modulo P) * A + B) modulo P modulo parts",
    mistakes=(
        Mistake(
            "only_negative",
            _only_negative,
            "You found the negative ids. They are certainly wrong, and they are what one notices. "
            "But lost bits give a positive number as often as a negative one, and a positive wrong "
            "id looks like any other. Compute the right one, and compare.",
        ),
        Mistake(
            "only_positive",
            _only_positive,
            "You left out the negative ids. No part has a negative number, so these rows are wrong "
            "as well.",
        ),
        Mistake(
            "signs_dropped",
            _signs_dropped,
            "You dropped the sign of the ids before you compared. Some then look right by chance, "
            "and the engine did write them into a part with a negative number.",
        ),
        Mistake(
            "signs_mended",
            _signs_mended,
            "You brought the ids between 0 and parts - 1 before you compared. Some then look right "
            "by chance, and the engine did write them into a part with a negative number.",
        ),
        Mistake(
            "every_overflow",
            _every_overflow,
            "You found every product that leaves 32 bits. Some of these rows went to the right "
            "part all the same, by luck: with few parts that is not rare. Compare the parts, not "
            "the products.",
        ),
        Mistake(
            "large_keys",
            _large_keys,
            "You found the large keys. It is not the key that leaves 32 bits but the product: 2 "
            "times A is enough. And a large key may have a small remainder.",
        ),
        Mistake(
            "in_32_bits_again",
            _in_32_bits_again,
            "You computed the parts as the engine did, in 32 bits, and so agree with it about "
            "everything. A check must not make the mistake that it looks for: stay with 64 bits.",
        ),
        Mistake(
            "product_not_reduced",
            _product_not_reduced,
            "Your own product overflows. A large key times A leaves 64 bits, and NumPy says "
            "nothing either. Take the key modulo P before you multiply.",
        ),
        Mistake(
            "in_floating_point",
            _check_in_floating_point,
            "You computed the right parts in floating point. A float64 holds 53 bits, and the "
            "product has up to 62: its last digits are rounded away, so that right parts look "
            "wrong to you. Stay with whole numbers.",
        ),
        Mistake(
            "second_remainder_left_out",
            _check_without_second_remainder,
            "In your own formula the second remainder modulo P is left out, the one after "
            "`* A + B`.",
        ),
        Mistake(
            "remainder_of_the_key",
            _remainder_of_the_key,
            "You compared with the remainder of the key itself. The plan multiplies by A, adds B "
            "and takes a remainder modulo P first.",
        ),
        Mistake(
            "right_rows",
            _right_rows,
            "You marked the rows that are right. Asked for are the others.",
        ),
        Mistake(
            "row_numbers",
            _row_numbers,
            "You returned the numbers of the wrong rows. Asked for is a True or False for each "
            "row: the comparison itself.",
        ),
        Mistake(
            "wrong_keys",
            _wrong_keys,
            "You returned the keys of the wrong rows. Asked for is a True or False for each row: "
            "the comparison itself.",
        ),
        Mistake(
            "how_many",
            _how_many,
            "You counted the wrong rows. Asked for is a True or False for each row.",
        ),
    ),
    hints=(
        "Do not look for a sign that an id is wrong; there is none that all wrong ids have. What "
        "would the right id be?",
        "In NumPy an array of int64 keeps 63 bits and the sign. Where must a remainder be taken "
        "so that no product needs more?",
        "`keys % P` is below 2^31, A is too, so their product is below 2^62: "
        "`(keys % P * A + B) % P % parts`.",
        "`ids != right` compares two arrays entry by entry, and is what is asked for.",
    ),
)


# Parts reconciled with their source


def row_checksum(rows: Array) -> Array:
    """A number of 64 bits for each row, in which every value and its column count: (m,) uint64."""
    numbers = np.zeros(len(rows), np.uint64)
    for column in rows.T:
        numbers = mix(numbers + column.astype(np.uint64) + np.uint64(1))
    return numbers


COLUMNS = 3


def _draw_parts(rng: np.random.Generator) -> Arguments:
    """Parts that are whole, and one for each way in which rows are lost, doubled or changed."""
    pool = rng.permutation(np.arange(1, 1000))

    def fresh(count: int) -> Array:
        nonlocal pool
        rows, pool = pool[: count * COLUMNS].reshape(count, COLUMNS), pool[count * COLUMNS :]
        return rows

    a, b, c, d, e, f, g, h, i, j, k, m = (fresh(3) for _ in range(12))
    twins = a[[0, 0, 1, 1]]
    uneven = a[[0, 0, 1, 2]]
    swapped_in, swapped_out = np.vstack([h[:1], g[1:]]), np.vstack([g[:1], h[1:]])
    pairs = [
        (b, np.roll(b, 1, axis=0)),
        (fresh(8), None),
        (fresh(8), None),
        (b[:0], b[:0]),
        (c, c[1:]),
        (d, d[[0, 0, 1, 2]]),
        (e, _with(e, (0, 1), int(e[0, 1]) + 1)),
        (f, f[[0, 0, 1]]),
        (twins, a[[0, 0, 0, 0]]),
        (uneven, a[[0, 1, 1, 2]]),
        (g, swapped_in),
        (h, swapped_out),
        (i, _with(_with(i, (0, 2), i[1, 2]), (1, 2), i[0, 2])),
        (j, _with(_with(j, (0, 0), j[0, 1]), (0, 1), j[0, 0])),
        (k, k[::-1]),
        (m, _with(_with(m, (0, 1), int(m[0, 1]) + 1), (1, 1), int(m[1, 1]) - 1)),
    ]
    order = rng.permutation(len(pairs))
    expected = [pairs[place][0] for place in order]
    written = [pairs[place][0] if pairs[place][1] is None else pairs[place][1] for place in order]
    ids = np.repeat(np.arange(len(order)), [len(rows) for rows in expected])
    shuffled = rng.permutation(len(ids))
    return {
        "source": np.concatenate(expected)[shuffled],
        "ids": ids[shuffled],
        "parts": [_reordered(rows, rng) for rows in written],
        "row_checksum": row_checksum,
    }


def _with(rows: Array, place: tuple[int, int], value: int) -> Array:
    changed = rows.copy()
    changed[place] = value
    return changed


def _reordered(rows: Array, rng: np.random.Generator) -> Array:
    return rows[rng.permutation(len(rows))]


def reconcile(source, ids, parts, row_checksum):
    def tally(rows):
        return len(rows), int(row_checksum(rows).sum(dtype=np.uint64))

    return [i for i, rows in enumerate(parts) if tally(rows) != tally(source[ids == i])]


def _wrong_by(tally: Callable[[Array], Any]) -> Callable[..., list[int]]:
    """The parts whose rows give something else than the rows that belong there."""

    def answer(source: Array, ids: Array, parts: list[Array], row_checksum: Checksum) -> list[int]:
        return [
            number
            for number, rows in enumerate(parts)
            if tally(rows) != tally(source[ids == number])
        ]

    return answer


def _xor(rows: Array) -> int:
    return int(np.bitwise_xor.reduce(row_checksum(rows), initial=0))


_only_counts = _wrong_by(len)
_in_order = _wrong_by(lambda rows: rows.tolist())
_by_xor = _wrong_by(_xor)
_sum_of_values = _wrong_by(lambda rows: (len(rows), int(rows.sum())))
_sums_of_columns = _wrong_by(lambda rows: (len(rows), rows.sum(axis=0).tolist()))
_sums_of_rows = _wrong_by(lambda rows: sorted(rows.sum(axis=1).tolist()))
_columns_sorted = _wrong_by(lambda rows: np.sort(rows, axis=0).tolist())
_as_sets = _wrong_by(lambda rows: (len(rows), {*map(tuple, rows.tolist())}))
_as_sets_alone = _wrong_by(lambda rows: {*map(tuple, rows.tolist())})


def _sound_parts(source: Array, ids: Array, parts: list[Array], row_checksum: Checksum) -> Any:
    wrong = reconcile(source, ids, parts, row_checksum)
    return [number for number in range(len(parts)) if number not in wrong]


def _marks(source: Array, ids: Array, parts: list[Array], row_checksum: Checksum) -> Any:
    wrong = reconcile(source, ids, parts, row_checksum)
    return [number in wrong for number in range(len(parts))]


def _numbers_from_one(source: Array, ids: Array, parts: list[Array], row_checksum: Checksum) -> Any:
    return [number + 1 for number in reconcile(source, ids, parts, row_checksum)]


def _judge_parts(
    result: Any, source: Array, ids: Array, parts: list[Array], row_checksum: Checksum
) -> Complaint | None:
    """Whether exactly the parts are named whose rows, each with its count, are not the right."""
    named = _part_numbers(result, len(parts))
    if isinstance(named, Complaint):
        return named
    for number, rows in enumerate(parts):
        should, has = _counted(source[ids == number]), _counted(rows)
        if should != has and number not in named:
            found = _what_is_wrong(should, has)
            return Complaint(f"Part {number} is wrong, and the result does not name it: {found}.")
        if should == has and number in named:
            return Complaint(
                f"The result names part {number}. It holds exactly the rows that belong there"
                + ("." if not len(rows) else ", in some other order.")
            )
    return None


def _counted(rows: Array) -> Counter[Any]:
    return Counter(map(tuple, rows.tolist()))


def _part_numbers(result: Any, count: int) -> set[int] | Complaint:
    entries = result.tolist() if isinstance(result, np.ndarray) else result
    if not isinstance(entries, list | tuple | set):
        return Complaint(
            f"The result is {describe.kind(result)}; asked for is a list of the numbers of parts."
        )
    listed = [one.item() if isinstance(one, np.generic) else one for one in entries]
    if listed and all(isinstance(one, bool) for one in listed):
        return Complaint("The result is True and False.", "marks" if len(listed) == count else None)
    if not all(isinstance(one, int) and not isinstance(one, bool) for one in listed):
        return Complaint("The result holds something other than whole numbers.")
    strange = [one for one in listed if not 0 <= one < count]
    if strange:
        return Complaint(
            f"The parts are numbered from 0 to {count - 1}; the result names {strange[0]}."
        )
    if len(set(listed)) < len(listed):
        return Complaint("The result names a part more than once.")
    return set(listed)


def _what_is_wrong(should: Counter[Any], has: Counter[Any]) -> str:
    lacks, surplus = list(should - has), list(has - should)
    said = [f"it lacks the row {list(lacks[0])}"] if lacks else []
    if surplus:
        row = surplus[0]
        said.append(
            f"it holds the row {list(row)}"
            + (" too often" if row in should else ", which does not belong there")
        )
    return " and ".join(said)


reconciled_parts = Exercise(
    name="reconciled_parts",
    lesson="distributed_engines",
    title="Reconcile counts and checksums",
    statement=r"""
An engine has cut a table. Write `reconcile(source, ids, parts, row_checksum)`: which parts are not
what they should be?

- `source`: the table, an array (n, 3) of whole numbers, a row a line; equal rows may occur;
- `ids`: an array (n,), the part to which each row of the source belongs;
- `parts`: a list of arrays (m, 3), the rows that the engine wrote into part 0, part 1, …, **in any
  order**;
- `row_checksum`: a function; `row_checksum(rows)` gives an array (m,) of one number of 64 bits
  (`uint64`) for each row. Equal rows have equal numbers; change one value, or exchange two, and the
  number is another one.

A part is right when it holds each of its rows as often as the source has it, and nothing else. Rows
may have been lost, doubled, changed, or written into another part; a part without rows can be
right.

Return a list of the numbers of the parts that are wrong.
""",
    draw=_draw_parts,
    solution=reconcile,
    judge=_judge_parts,
    demands="the numbers of the parts whose rows, in whatever order, are not those of the source "
    "with that id, each as often as there",
    mistakes=(
        Mistake(
            "only_counts",
            _only_counts,
            "You compared the counts. They find rows that were lost or doubled, and not a changed "
            "row, nor one that was exchanged for another, nor one lost while another was doubled. "
            "Add something in which the values count.",
        ),
        Mistake(
            "in_order",
            _in_order,
            "You compared the rows as they stand. Several machines write in no fixed order, so "
            "right parts look wrong to you. Combine the rows' checksums in a way that does not "
            "depend on the order: a sum.",
        ),
        Mistake(
            "by_xor",
            _by_xor,
            "You combined the checksums by exclusive or. What occurs twice cancels out: two "
            "equal rows lost and two others doubled go unnoticed. A sum modulo 2^64 counts each.",
        ),
        Mistake(
            "sum_of_values",
            _sum_of_values,
            "You added up the values. A sum of plain values stays the same when two of them change "
            "places, within a row or between two. Mix first, add then: `row_checksum` makes one "
            "number of each row.",
        ),
        Mistake(
            "sums_of_columns",
            _sums_of_columns,
            "You added up each column. The sums stay the same when two rows exchange a value. Mix "
            "first, add then: `row_checksum` makes one number of each row.",
        ),
        Mistake(
            "sums_of_rows",
            _sums_of_rows,
            "You added up the values of each row. That sum stays the same when two values of a row "
            "change places. In `row_checksum` the column of a value counts too.",
        ),
        Mistake(
            "columns_sorted",
            _columns_sorted,
            "You sorted each column by itself, which takes the rows apart: two rows that "
            "exchanged a value look the same afterwards.",
        ),
        Mistake(
            "as_sets",
            _as_sets,
            "You compared sets of rows, and the counts. A set holds each row once: where one of "
            "several equal rows is lost and another row doubled, both stay the same.",
        ),
        Mistake(
            "as_sets_alone",
            _as_sets_alone,
            "You compared sets of rows. A set holds each row once, so that doubled rows, and lost "
            "ones of which there are others, go unnoticed.",
        ),
        Mistake(
            "sound_parts",
            _sound_parts,
            "You named the parts that are right. Asked for are the others.",
        ),
        Mistake(
            "marks",
            _marks,
            "You returned True or False for each part. Asked for are the numbers of the wrong "
            "parts.",
        ),
        Mistake(
            "numbers_from_one",
            _numbers_from_one,
            "You number the parts from 1. Part 0 is the first of the list.",
        ),
    ),
    hints=(
        "For part i: which rows of the source belong there? `source[ids == i]`.",
        "Two things of few bytes are to be equal: how many rows there are, and something that "
        "depends on all values but not on the order of the rows.",
        "A sum does not depend on the order. Add up `row_checksum(rows)`; an overflow does no "
        "harm here, because both sides overflow alike.",
        "`len(rows)` and `row_checksum(rows).sum()`, for the rows written and for those of the "
        "source; where one of the two differs, the part is wrong.",
    ),
)


# What became of each row


def _draw_fates(rng: np.random.Generator) -> Arguments:
    """Rows that are well, lost, doubled in one part or in two, changed, misplaced, and several."""
    count, parts = 20, int(rng.integers(3, 8))
    ids = rng.choice(np.arange(100, 1000), count, replace=False)
    part = rng.integers(0, parts, count)
    sums = rng.integers(1, 2**63, count, dtype=np.uint64)
    elsewhere = (part + rng.integers(1, parts, count)) % parts
    other = sums + rng.integers(1, 2**30, count, dtype=np.uint64)
    whole = [(place, part[place], sums[place]) for place in range(count)]
    copies: list[list[tuple[int, int, int]]] = [[row] for row in whole]
    copies[0], copies[1] = [], []
    for place in (2, 3):
        copies[place] = [whole[place]] * int(rng.integers(2, 4))
    for place in (4, 5):
        copies[place] = [(place, part[place], other[place])]
    for place in (6, 7):
        copies[place] = [(place, elsewhere[place], sums[place])]
    copies[8] = [(8, elsewhere[8], sums[8]), whole[8]]
    copies[9] = [whole[9], (9, elsewhere[9], sums[9])]
    copies[10] = [(10, part[10], other[10]), whole[10]]
    copies[11] = [whole[11], (11, part[11], other[11])]
    copies[12] = [(12, elsewhere[12], other[12])]
    copies[13] = [(13, part[13], other[13])] * 2
    copies[14] = [(14, elsewhere[14], sums[14])] * 2
    written = _interleaved(copies, rng)
    order = rng.permutation(count)
    return {
        "source": {"row_id": ids[order], "part": part[order], "checksum": sums[order]},
        "written": {
            "row_id": ids[[row[0] for row in written]],
            "part": np.array([row[1] for row in written]),
            "checksum": np.array([row[2] for row in written], np.uint64),
        },
    }


def _interleaved(copies: Sequence[Sequence[Any]], rng: np.random.Generator) -> list[Any]:
    """All in a drawn order, in which those of one row keep theirs."""
    left = {place: list(own) for place, own in enumerate(copies)}
    places = rng.permutation([place for place, own in enumerate(copies) for _ in own])
    return [left[place].pop(0) for place in places]


def fates(source, written):
    home = dict(zip(source["row_id"], source["part"], strict=True))
    sums = dict(zip(source["row_id"], source["checksum"], strict=True))
    rows = list(zip(*(written[name] for name in ("row_id", "part", "checksum")), strict=True))
    ids = [row_id for row_id, _, _ in rows]
    return {
        "lost": sorted(set(home) - set(ids)),
        "doubled": sorted({row_id for row_id in ids if ids.count(row_id) > 1}),
        "changed": sorted({row_id for row_id, _, own in rows if own != sums[row_id]}),
        "misplaced": sorted({row_id for row_id, part, _ in rows if part != home[row_id]}),
    }


Rows = Mapping[str, Array]
Fates = Callable[[Rows, Rows], dict[str, list[int]]]


def _fates_by_numpy(source: Rows, written: Rows) -> dict[str, list[int]]:
    """The same by sorting and searching."""
    order = np.argsort(source["row_id"])
    ids, counts = np.unique(written["row_id"], return_counts=True)
    own = order[np.searchsorted(source["row_id"], written["row_id"], sorter=order)]
    changed = written["checksum"] != source["checksum"][own]
    moved = written["part"] != source["part"][own]
    return {
        "lost": np.setdiff1d(source["row_id"], ids).tolist(),
        "doubled": ids[counts > 1].tolist(),
        "changed": np.unique(written["row_id"][changed]).tolist(),
        "misplaced": np.unique(written["row_id"][moved]).tolist(),
    }


def _listed(found: Mapping[str, Any]) -> dict[str, list[int]]:
    return {name: [int(row_id) for row_id in rows] for name, rows in found.items()}


def _row_beside_row(source: Rows, written: Rows) -> dict[str, list[int]]:
    fewer = min(len(source["row_id"]), len(written["row_id"]))
    ids = source["row_id"][:fewer]
    found = fates(source, written)
    changed = source["checksum"][:fewer] != written["checksum"][:fewer]
    moved = source["part"][:fewer] != written["part"][:fewer]
    return {
        **_listed(found),
        "changed": sorted(ids[changed].tolist()),
        "misplaced": sorted(ids[moved].tolist()),
    }


def _one_copy(written: Rows, which: int) -> dict[str, Array]:
    places: dict[int, list[int]] = {}
    for place, row_id in enumerate(written["row_id"].tolist()):
        places.setdefault(row_id, []).append(place)
    kept = [own[which] for own in places.values()]
    return {name: column[kept] for name, column in written.items()}


def _last_copy(source: Rows, written: Rows) -> dict[str, list[int]]:
    found = fates(source, _one_copy(written, -1))
    return _listed({**found, "doubled": fates(source, written)["doubled"]})


def _first_copy(source: Rows, written: Rows) -> dict[str, list[int]]:
    found = fates(source, _one_copy(written, 0))
    return _listed({**found, "doubled": fates(source, written)["doubled"]})


def _doubled_within_a_part(source: Rows, written: Rows) -> dict[str, list[int]]:
    pairs = list(zip(written["row_id"].tolist(), written["part"].tolist(), strict=True))
    doubled = sorted({row_id for row_id, part in pairs if pairs.count((row_id, part)) > 1})
    return _listed({**fates(source, written), "doubled": doubled})


def _doubled_and_equal(source: Rows, written: Rows) -> dict[str, list[int]]:
    pairs = list(zip(written["row_id"].tolist(), written["checksum"].tolist(), strict=True))
    doubled = sorted({row_id for row_id, own in pairs if pairs.count((row_id, own)) > 1})
    return _listed({**fates(source, written), "doubled": doubled})


def _known_by_checksum(source: Rows, written: Rows) -> dict[str, list[int]]:
    missing = ~np.isin(source["checksum"], written["checksum"])
    return _listed({**fates(source, written), "lost": np.sort(source["row_id"][missing]).tolist()})


def _lost_counted_again(source: Rows, written: Rows) -> dict[str, list[int]]:
    found = _listed(fates(source, written))
    return {
        **found,
        "changed": sorted({*found["changed"], *found["lost"]}),
        "misplaced": sorted({*found["misplaced"], *found["lost"]}),
    }


def _named_with_each_copy(source: Rows, written: Rows) -> dict[str, list[int]]:
    ids = written["row_id"].tolist()
    return _listed(
        {**fates(source, written), "doubled": sorted(i for i in ids if ids.count(i) > 1)}
    )


def _looked_up_the_wrong_way(source: Rows, written: Rows) -> dict[str, list[int]]:
    strange = np.setdiff1d(written["row_id"], source["row_id"]).tolist()
    return _listed({**fates(source, written), "lost": strange})


def _one_list_each(source: Rows, written: Rows) -> dict[str, list[int]]:
    listed: set[int] = set()
    found = {}
    for name, rows in _listed(fates(source, written)).items():
        found[name] = [row_id for row_id in rows if row_id not in listed]
        listed.update(rows)
    return found


def _one_list_a_copy(first: Sequence[str], at_once: bool) -> Fates:
    """An answer that puts each copy into the first list that fits, as `elif` does.

    Args:
        first: the names of the lists, in the order in which it asks.
        at_once: whether the first copy of a doubled row counts as doubled, or only those after it.
    """

    def answer(source: Rows, written: Rows) -> dict[str, list[int]]:
        right, ids = _listed(fates(source, written)), written["row_id"].tolist()
        found: dict[str, set[int]] = {name: set() for name in first}
        for place, row_id in enumerate(ids):
            copy = {name: column[[place]] for name, column in written.items()}
            alone = fates(source, copy)
            doubled = ids if at_once else ids[: place + 1]
            fits = {**alone, "doubled": [row_id] if doubled.count(row_id) > 1 else []}
            name = next((name for name in first if fits[name]), None)
            if name:
                found[name].add(row_id)
        return {"lost": right["lost"], **{name: sorted(rows) for name, rows in found.items()}}

    return answer


def _whole_copies_left_out(name: str) -> Fates:
    """An answer in which a row is changed, or misplaced, only where all its copies are."""

    def answer(source: Rows, written: Rows) -> dict[str, list[int]]:
        found = _listed(fates(source, written))
        column = {"changed": "checksum", "misplaced": "part"}[name]
        right = zip(source["row_id"].tolist(), source[column].tolist(), strict=True)
        copies = zip(written["row_id"].tolist(), written[column].tolist(), strict=True)
        whole = {row_id for row_id, _ in {*right} & {*copies}}
        return {**found, name: [row_id for row_id in found[name] if row_id not in whole]}

    return answer


def _every_copy(source: Rows, written: Rows) -> dict[str, list[int]]:
    changed, misplaced = (_whole_copies_left_out(name) for name in ("changed", "misplaced"))
    return {
        **changed(source, written),
        "misplaced": misplaced(source, written)["misplaced"],
    }


def _lost_by(*names: str) -> Fates:
    """An answer that looks for the rows by these columns."""

    def answer(source: Rows, written: Rows) -> dict[str, list[int]]:
        there = {*zip(*(written[name].tolist() for name in names), strict=True)}
        rows = zip(*(source[name].tolist() for name in names), strict=True)
        lost = sorted(row[0] for row in rows if row not in there)
        return {**_listed(fates(source, written)), "lost": lost}

    return answer


def _doubled_left_out(source: Rows, written: Rows) -> dict[str, list[int]]:
    found = _listed(fates(source, written))
    once = {
        name: [row_id for row_id in found[name] if row_id not in found["doubled"]]
        for name in ("changed", "misplaced")
    }
    return {**found, **once}


def _descending(source: Rows, written: Rows) -> dict[str, list[int]]:
    return {name: rows[::-1] for name, rows in _listed(fates(source, written)).items()}


def _as_they_come(source: Rows, written: Rows) -> dict[str, list[int]]:
    found, orders = _listed(fates(source, written)), {"lost": source}
    return {
        name: sorted(rows, key=orders.get(name, written)["row_id"].tolist().index)
        for name, rows in found.items()
    }


def _only_how_many(source: Rows, written: Rows) -> dict[str, int]:
    return {name: len(rows) for name, rows in fates(source, written).items()}


OTHER_WAYS: dict[str, tuple[Fates, ...]] = {
    "every_copy": tuple(_whole_copies_left_out(name) for name in ("changed", "misplaced")),
    "known_by_more": (_lost_by("row_id", "part", "checksum"),),
    "one_list_each": tuple(
        _one_list_a_copy(first, at_once)
        for first in permutations(("doubled", "changed", "misplaced"))
        for at_once in (True, False)
    ),
}
"""Further answers that come of the same mistake."""


def _judge_fates(result: Any, source: Rows, written: Rows) -> Complaint | None:
    right = _fates_by_numpy(source, written)
    text = compare.difference(right, result)
    if not text:
        return None
    found = _ids_in(result, right)
    if not found:
        return Complaint(text)
    return Complaint(_wrong_list(found, right), _known_fates(found, right, source, written))


def _ids_in(result: Any, right: Mapping[str, Any]) -> dict[str, list[int]] | None:
    """The four lists, if that is what the result holds."""
    if not isinstance(result, Mapping) or {*result} != {*right}:
        return None
    lists = {name: result[name] for name in right}
    if not all(isinstance(rows, list | tuple) or np.ndim(rows) == 1 for rows in lists.values()):
        return None
    rows = {name: np.asarray(rows).tolist() for name, rows in lists.items()}
    return rows if all(type(one) is int for own in rows.values() for one in own) else None


def _wrong_list(found: Mapping[str, list[int]], right: Mapping[str, list[int]]) -> str:
    """The first list that is wrong, and what is wrong with it."""
    name = next(name for name in right if found[name] != right[name])
    own, wanted = found[name], right[name]
    lacks = sorted({*wanted} - {*own})
    surplus = sorted({*own} - {*wanted})
    said = [f"lacks the row {lacks[0]}"] if lacks else []
    said += [f"names the row {surplus[0]}, which is not {name}"] if surplus else []
    if not said:
        said = ["names a row twice" if len({*own}) < len(own) else "is not ascending"]
    text = f"The list {name!r} {' and '.join(said)}."
    if len(own) != len(wanted):
        text += f" It has {_ids(len(own))}, where {len(wanted)} are asked for."
    return text


def _ids(count: int) -> str:
    return "1 id" if count == 1 else f"{count} ids"


def _known_fates(
    found: Mapping[str, list[int]], right: Mapping[str, list[int]], source: Rows, written: Rows
) -> str | None:
    """The mistake that lists give away, for those that can be made in more than one way."""
    own = {name: {*rows} for name, rows in found.items()}
    wanted = {name: {*rows} for name, rows in right.items()}
    if own == wanted:
        return _wrong_order(found)
    for name, answers in OTHER_WAYS.items():
        if any(answer(source, written) == found for answer in answers):
            return name
    total = sum(map(len, own.values()))
    apart = total == len(set().union(*own.values())) == len(set().union(*wanted.values()))
    return "one_list_each" if apart and all(own[name] <= wanted[name] for name in own) else None


def _wrong_order(found: Mapping[str, list[int]]) -> str:
    if any(len({*rows}) < len(rows) for rows in found.values()):
        return "named_with_each_copy"
    falling = all(rows == sorted(rows, reverse=True) for rows in found.values())
    return "descending" if falling else "as_they_come"


fate_of_rows = Exercise(
    name="fate_of_rows",
    lesson="distributed_engines",
    title="What became of each row",
    statement=r"""
A part is wrong. Which rows, and how? Write `fates(source, written)`.

- `source`: the table, as a dict of three arrays (n,): `"row_id"`, each occurs once; `"part"`, where
  the row belongs; `"checksum"`, of its values;
- `written`: what the engine wrote, as a dict of the same three names, arrays (m,), the rows in no
  order. `"part"` is where the row was found. A row may be missing, or there several times; none has
  a `row_id` that the source does not have.

Return a dict of four lists of row ids, each ascending and without repetition:

- `"lost"`: rows that are not there at all;
- `"doubled"`: rows that are there more than once, in one part or in several;
- `"changed"`: rows of which some copy has another checksum than in the source;
- `"misplaced"`: rows of which some copy lies in another part than its own.

A row can be in several of them.
""",
    draw=_draw_fates,
    solution=fates,
    judge=_judge_fates,
    demands="the row ids of the source that are not in written; those that are in it more than "
    "once; those of which a copy has another checksum; those of which a copy has another part",
    mistakes=(
        Mistake(
            "row_beside_row",
            _row_beside_row,
            "You compared the rows as they stand, first with first. They were written in no fixed "
            "order: look up each by its row id.",
        ),
        Mistake(
            "last_copy",
            _last_copy,
            "Of a doubled row you looked at the last copy only, as a dict keeps only the last "
            "value of a key. Any copy may be the changed or misplaced one: look at each row "
            "written.",
        ),
        Mistake(
            "first_copy",
            _first_copy,
            "Of a doubled row you looked at the first copy only. Any copy may be the changed or "
            "misplaced one: look at each row written.",
        ),
        Mistake(
            "doubled_within_a_part",
            _doubled_within_a_part,
            "You looked for doubled rows within each part. A row that lies in two parts is there "
            "twice as well.",
        ),
        Mistake(
            "doubled_and_equal",
            _doubled_and_equal,
            "You took only equal copies for doubled. A row is doubled when its id is there more "
            "than once, whether or not a copy was changed.",
        ),
        Mistake(
            "known_by_checksum",
            _known_by_checksum,
            "You looked for the rows by their checksum, so that a changed row seems lost. What "
            "tells rows apart is the row id.",
        ),
        Mistake(
            "lost_counted_again",
            _lost_counted_again,
            "You count lost rows as changed and misplaced too. A row that is not there has neither "
            "another checksum nor another part.",
        ),
        Mistake(
            "named_with_each_copy",
            _named_with_each_copy,
            "You name a row as often as a copy of it is there. Each id stands once in a list: a "
            "set drops repetitions.",
        ),
        Mistake(
            "looked_up_the_wrong_way",
            _looked_up_the_wrong_way,
            "Lost are ids of the source that were not written. You looked for ids that were "
            "written and are not in the source.",
        ),
        Mistake(
            "as_they_come",
            _as_they_come,
            "The right rows, in some other order, perhaps that in which they come. The lists are "
            "to be ascending: `sorted`.",
        ),
        Mistake(
            "descending",
            _descending,
            "The right rows, in descending order. The lists are to be ascending, the lowest id "
            "first.",
        ),
        Mistake(
            "one_list_each",
            _one_list_each,
            "You put a row, or a copy, into the first list that fits and ask no further, as "
            "`elif` does. It can belong into several lists: ask each question by itself, with an "
            "`if` of its own.",
        ),
        Mistake(
            "doubled_left_out",
            _doubled_left_out,
            "You left the doubled rows out of the changed and misplaced ones. A doubled row can be "
            "changed and misplaced as well: look at each of its copies.",
        ),
        Mistake(
            "every_copy",
            _every_copy,
            "You named a row only where all its copies are changed, or misplaced. One such copy "
            "is enough: `any` in place of `all`.",
        ),
        Mistake(
            "known_by_more",
            _lost_by("row_id", "part"),
            "You looked for a row by more than its id. Then one that lies in another part, or was "
            "changed, seems lost. It is there as soon as its id is there.",
        ),
        Mistake(
            "only_how_many",
            _only_how_many,
            "You counted the rows. Asked for are their ids, in lists.",
        ),
    ),
    hints=(
        "Look up each written row in the source by its id: two dicts from the id, one to the part "
        "and one to the checksum.",
        "Lost is what is in one set and not in the other: `set(…) - set(…)`.",
        "For the other three go through all written rows, copies too, and collect ids in a set.",
        "`sorted({row_id for row_id, part in … if part != home[row_id]})` gives the misplaced "
        "ones; the changed ones likewise.",
    ),
    core=False,
)
