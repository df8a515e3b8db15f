"""Whether a result is what the definition gives, within the rounding of its own precision."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from amaas_kit.exercises import describe

Array = npt.NDArray[Any]

RELATIVE = {"float16": 1e-2, "float32": 1e-5, "float64": 1e-10}
"""How far an entry may lie from the right one, as a share of it, by the coarsest dtype involved."""

ROUNDINGS = 16
"""So many roundings of the greatest expected entry, or input, an entry may also be off."""

MOST_CANCELLED = 1e3
"""Inputs that are larger than the results by more than this have no say in what is rounding."""

_DEEPEST = 6
"""So many levels of lists are looked into; a list may hold itself."""


@dataclass(frozen=True)
class Precision:
    """How closely results can be compared.

    Args:
        coarsest: the float dtype with the fewest digits among inputs and results.
        inputs: the greatest magnitude among the inputs of a float dtype.
        magnified: by how much the formula magnifies rounding; 1 - 0.999 does so a thousandfold.
    """

    coarsest: str = "float64"
    inputs: float = 0.0
    magnified: float = 1.0

    @staticmethod
    def of(inputs: Any, magnified: float = 1.0) -> Precision:
        """The precision that results computed from these inputs have."""
        found = [leaf for leaf in _float_arrays(inputs) if leaf.size]
        names = [_name(leaf.dtype) for leaf in found]
        greatest = [_greatest(leaf) for leaf in found]
        coarsest = min(names, key=_digits, default="float64")
        return Precision(coarsest, max(greatest, default=0.0), magnified)

    def with_result(self, *results: Array) -> Precision:
        """The precision of a comparison in which these arrays take part too."""
        names = [_name(array.dtype) for array in results if array.dtype.kind == "f"]
        return replace(self, coarsest=min([self.coarsest, *names], key=_digits))

    def close(self, got: Array, expected: Array) -> npt.NDArray[np.bool_]:
        """For each entry, whether it is right."""
        if expected.dtype.kind in "biu":
            return np.asarray(got == expected)
        rounding = self.magnified * ROUNDINGS * float(np.finfo(self.coarsest).eps)
        share = self.magnified * RELATIVE[self.coarsest]
        greatest = _greatest(expected)
        allowed = rounding * max(greatest, min(self.inputs, MOST_CANCELLED * max(greatest, 1.0)))
        wide_got, wide = got.astype("float64"), expected.astype("float64")
        with np.errstate(all="ignore"):
            near = np.abs(wide_got - wide) <= share * np.abs(wide) + allowed
            near &= np.isfinite(wide)  # of infinity, any number is within a share
        return np.asarray(near | (wide_got == wide) | (np.isnan(wide_got) & np.isnan(wide)))


def difference(
    expected: Any, got: Any, precision: Precision | None = None, names: Sequence[str] = ()
) -> str | None:
    """In words, the first thing that is wrong with a result; None when it is right.

    Args:
        expected: what the definition gives: a number, a truth value, a text, an array, or a tuple,
            list or dict of those.
        got: what came back.
        precision: how closely to look.
        names: of the parts of `expected`, if it is a tuple.
    """
    return _difference(expected, got, precision or Precision(), "", tuple(names))


def same(one: Any, other: Any, precision: Precision) -> bool:
    """Whether two results hold the same values, whatever they hold them in."""
    try:
        return _difference(plain(one), plain(other), precision, "", ()) is None
    except Exception:
        return False


def plain(value: Any, depth: int = 0) -> Any:
    """A result with tensors and lists of numbers turned into arrays."""
    if depth > _DEEPEST:
        return value
    if describe.is_tensor(value):
        return np.asarray(value.detach() if hasattr(value, "detach") else value)
    if isinstance(value, Mapping):
        return {key: plain(part, depth + 1) for key, part in value.items()}
    if isinstance(value, list | tuple):
        parts = [plain(part, depth + 1) for part in value]
        array = _as_numbers(parts)
        return parts if array is None else array
    return value


def unchanged(before: Any, after: Any, seen: frozenset[int] = frozenset()) -> bool:
    """Whether an argument is as it was. A random generator may have moved on; that is its use."""
    if before is after or isinstance(before, np.random.Generator) or callable(before):
        return True
    if type(before) is not type(after):
        return False
    if id(before) in seen:
        return True
    seen |= {id(before)}
    if isinstance(before, np.ndarray):
        if before.dtype != after.dtype or before.shape != after.shape:
            return False
        if before.dtype.hasobject:
            return unchanged(before.tolist(), after.tolist(), seen)
        return bool(before.tobytes() == after.tobytes())
    if isinstance(before, Mapping):
        return list(before) == list(after) and all(
            unchanged(before[key], after[key], seen) for key in before
        )
    if isinstance(before, list | tuple):
        pairs = zip(before, after, strict=False)
        return len(before) == len(after) and all(unchanged(*pair, seen) for pair in pairs)
    if hasattr(before, "__dict__"):
        return unchanged(vars(before), vars(after), seen)
    if type(before).__eq__ is object.__eq__:  # type: ignore[comparison-overlap]
        return True  # a copy of such an object never equals it
    try:
        return bool(before == after) or before != before
    except Exception:
        return True


def lowest_precision(value: Any) -> str:
    """The float dtype with the fewest digits in a result."""
    return min((_name(leaf.dtype) for leaf in _float_arrays(value)), key=_digits, default="float64")


def _difference(
    expected: Any, got: Any, precision: Precision, where: str, names: tuple[str, ...]
) -> str | None:
    what = where or "the result"
    if isinstance(expected, Mapping):
        return _mapping(expected, got, precision, where)
    if isinstance(expected, list | tuple):
        return _sequence(expected, got, precision, where, names)
    if expected is None or isinstance(expected, str | bool | np.bool_):
        return _word(expected, got, what)
    if isinstance(expected, int | float | np.number | np.ndarray):
        return _numbers(np.asarray(expected), got, precision, what)
    return None if _is_it(expected, got) else _wanted(what, got, describe.kind(expected))


def _is_it(expected: Any, got: Any) -> bool:
    """Whether two objects that are no numbers, texts or containers are equal."""
    if expected is got:
        return True
    if type(expected) is not type(got) or callable(expected):
        return False
    can_be_equal = hasattr(expected, "__dict__") or type(expected).__eq__ is not object.__eq__  # type: ignore[comparison-overlap]
    return can_be_equal and unchanged(expected, got)


def _mapping(expected: Mapping[Any, Any], got: Any, precision: Precision, where: str) -> str | None:
    what = where or "the result"
    if not isinstance(got, Mapping):
        return _wanted(what, got, describe.kind(expected))
    for key in expected:
        if key not in got:
            return f"{_capital(what)} lacks the key {key!r}."
    for key in got:
        if key not in expected:
            return f"{_capital(what)} has a key that nobody asked for: {key!r}."
    for key in expected:
        inside = f"the entry {key!r}" + (f" of {where}" if where else "")
        found = _difference(expected[key], got[key], precision, inside, ())
        if found:
            return found
    return None


def _sequence(
    expected: Sequence[Any], got: Any, precision: Precision, where: str, names: tuple[str, ...]
) -> str | None:
    what = where or "the result"
    if isinstance(got, np.ndarray) and got.ndim and not any(map(_is_array, expected)):
        got = got.tolist() if got.ndim == 1 else list(got)
    if not isinstance(got, list | tuple):
        return _wanted(what, got, f"{describe.kind(expected)}{_how_to_return(expected, got)}")
    if len(got) != len(expected):
        parts = "1 part" if len(got) == 1 else f"{len(got)} parts"
        listed = f" ({', '.join(names)})" if names and len(names) == len(expected) else ""
        return f"{_capital(what)} has {parts}, where {len(expected)} are asked for{listed}."
    for i, part in enumerate(expected):
        inside = _part(i, expected, where, names)
        found = _difference(part, got[i], precision, inside, ())
        if found:
            return found
    return None


def _how_to_return(expected: Sequence[Any], got: Any) -> str:
    if isinstance(expected, tuple):
        return f", with commas: return {', '.join('abcdefgh'[: len(expected)])}"
    if isinstance(got, np.ndarray | Iterable) and not isinstance(got, str | Mapping):
        return " (list(…) makes one of it)"
    return ""


def _part(i: int, expected: Sequence[Any], where: str, names: tuple[str, ...]) -> str:
    if where or isinstance(expected, list):
        return f"item {i}" + (f" of {where}" if where else "")
    named = f", {names[i]}," if len(names) == len(expected) else ""
    return f"the {describe.ordinal(i)} result{named}"


def _word(expected: Any, got: Any, what: str) -> str | None:
    if isinstance(got, np.ndarray) and got.ndim == 0:
        got = got.item()
    kinds = (str,) if isinstance(expected, str) else (bool, np.bool_)
    if expected is None:
        return None if got is None else _wanted(what, got, "None")
    if not isinstance(got, kinds):
        return _wanted(what, got, describe.kind(expected))
    if got == expected:
        return None
    return f"{_capital(what)} is {got!r}; the definition gives {expected!r}."


def _numbers(expected: Array, got: Any, precision: Precision, what: str) -> str | None:
    wanted = "a number" if expected.ndim == 0 else f"an array of shape {expected.shape}"
    if describe.is_tensor(got) or (isinstance(got, list | tuple) and expected.ndim):
        return _in_a_container(expected, got, precision, what, wanted)
    if not isinstance(got, int | float | complex | np.generic | np.ndarray):
        return _wanted(what, got, wanted)
    if expected.ndim == 0 and isinstance(got, bool | np.bool_) and expected.dtype.kind != "b":
        return _wanted(what, got, wanted)
    array = np.asarray(got)
    if array.dtype.kind not in "biuf":
        return _no_real_numbers(array, what)
    if array.shape != expected.shape:
        return _shape(expected, array, precision, what, wanted)
    return _values(expected, array, precision, what)


def _in_a_container(expected: Array, got: Any, precision: Precision, what: str, wanted: str) -> str:
    """What to say of numbers in a list or a tensor."""
    if isinstance(got, list | tuple) and any(_is_right(expected, part, precision) for part in got):
        return (
            f"{_capital(what)} is {describe.kind(got)}. One part of it is the right array: return "
            "that part alone."
        )
    try:
        array = plain(got)
        right = _is_right(expected, array, precision)
    except Exception:
        right = False
    if describe.is_tensor(got):
        holds, advice = f"a {describe.tensor_maker(got)} tensor", "result.numpy() turns it into one"
        wanted = f"{wanted} of NumPy" if expected.ndim else wanted
    else:
        holds = f"a {type(got).__name__}"
        advice = f"np.array(…) turns a {type(got).__name__} into one"
    if right:
        return (
            f"{_capital(what)} holds the right values, but in {holds}: return {wanted}; {advice}."
        )
    if isinstance(got, tuple):
        return f"{_capital(what)} is {describe.kind(got)}; the exercise asks for {wanted} alone."
    return f"{_capital(what)} is {holds}; the exercise asks for {wanted} ({advice})."


def _is_right(expected: Array, part: Any, precision: Precision) -> bool:
    return isinstance(part, np.ndarray) and _numbers(expected, part, precision, "") is None


def _no_real_numbers(array: Array, what: str) -> str:
    if array.dtype.kind == "c":
        return (
            f"{_capital(what)} is complex ({array.dtype}); the exercise asks for real numbers. "
            "A square root or a power of a negative number makes such numbers."
        )
    if array.dtype.kind == "O":
        return (
            f"{_capital(what)} is an array of Python objects (dtype object), not of numbers. NumPy "
            "makes such an array when its parts have different shapes, or one of them is None."
        )
    return f"{_capital(what)} has dtype {array.dtype}; the exercise asks for numbers."


def _shape(expected: Array, got: Array, precision: Precision, what: str, wanted: str) -> str:
    seen = "a number" if got.ndim == 0 else f"an array of shape {got.shape}"
    text = f"{_capital(what)} is {seen}; the definition gives {wanted}."
    if got.size == expected.size and _fits(expected, got.reshape(expected.shape), precision):
        return f"{text} The values are right: only the shape is not."
    if got.shape == expected.shape[::-1] and _fits(expected, got.T, precision):
        return f"{text} The values are right, but transposed: rows and columns have changed places."
    return text


def _fits(expected: Array, got: Array, precision: Precision) -> bool:
    return bool(precision.with_result(expected, got).close(got, expected).all())


def _values(expected: Array, got: Array, precision: Precision, what: str) -> str | None:
    right = precision.with_result(expected, got).close(got, expected)
    if right.all():
        return None
    if expected.ndim == 0:
        gives, demanded = describe.pair(got[()], expected[()])
        return f"{_capital(what)} is {gives}; the definition gives {demanded}."
    index = tuple(int(i) for i in np.argwhere(~right)[0])
    gives, demanded = describe.pair(got[index], expected[index])
    text = (
        f"{_capital(what)} at {describe.place(index)} is {gives}; the definition gives {demanded}."
    )
    wrong = int((~right).sum())
    if wrong > 1:
        text += f" {wrong} of {right.size} entries differ."
    if got.ndim == 2 and got.shape[0] == got.shape[1] and _fits(expected, got.T, precision):
        text += " They are the right values, but transposed: rows and columns have changed places."
    return text


def _wanted(what: str, got: Any, wanted: str) -> str:
    is_what = describe.kind(got)
    if isinstance(got, bool | np.bool_):
        is_what = str(bool(got))
    return f"{_capital(what)} is {is_what}; the exercise asks for {wanted}."


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _is_array(value: Any) -> bool:
    return isinstance(value, np.ndarray | list | tuple | Mapping)


def _as_numbers(parts: list[Any]) -> Array | None:
    """An array of numbers, or of arrays of one shape; None where they are anything else."""
    if not all(isinstance(part, int | float | np.number | np.ndarray) for part in parts):
        return None
    try:
        array = np.asarray(parts)
    except (ValueError, OverflowError):
        return None
    return array if array.dtype.kind in "biuf" else None


def _float_arrays(value: Any) -> list[Array]:
    """The arrays and NumPy numbers of a float dtype anywhere in a value."""
    if isinstance(value, np.ndarray | np.floating):
        array = np.asarray(value)
        return [array] if array.dtype.kind == "f" else []
    if isinstance(value, Mapping):
        return [leaf for part in value.values() for leaf in _float_arrays(part)]
    if isinstance(value, list | tuple):
        return [leaf for part in value for leaf in _float_arrays(part)]
    return []


def _greatest(array: Array) -> float:
    finite = np.abs(array[np.isfinite(array)]) if array.dtype.kind == "f" else np.abs(array)
    return float(finite.max()) if finite.size else 0.0


def _name(dtype: np.dtype[Any]) -> str:
    return dtype.name if dtype.name in RELATIVE else "float64"


def _digits(name: str) -> int:
    return list(RELATIVE).index(name)
