"""Values in words and few characters, as a learner can read them."""

from __future__ import annotations

import reprlib
from collections.abc import Mapping
from typing import Any

import numpy as np

WIDTH = 76
_ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth")


def assignment(name: str, value: Any) -> str:
    """`name = value`, on several lines where the value needs them."""
    return _hang(f"{name} = ", of(value))


def of(value: Any) -> str:
    """A value, shortened; an array with its shape and dtype. Never raises."""
    try:
        return _of(value)
    except Exception:
        return f"an object of type {type(value).__name__} that cannot be shown"


def kind(value: Any) -> str:
    """What sort of value it is: "an array of shape (2, 3)", "a number", "a list of 4".

    Never raises.
    """
    try:
        return _kind(value)
    except Exception:
        return f"a {type(value).__name__}"


def number(value: Any) -> str:
    """One number, with the digits that a reader needs."""
    return pair(value, value)[0]


def pair(one: Any, other: Any) -> tuple[str, str]:
    """Two numbers with as few digits as tell them apart, four at least."""
    for digits in (4, 6, 9, 12, 17):
        first, second = _digits(one, digits), _digits(other, digits)
        if first != second:
            return first, second
    return _digits(one, 4), _digits(other, 4)


def place(index: tuple[int, ...]) -> str:
    """An index as it is written: "[0, 2]"."""
    return f"[{', '.join(map(str, index))}]"


def ordinal(position: int) -> str:
    """0 is "first"."""
    return _ORDINALS[position] if position < len(_ORDINALS) else f"{position + 1}th"


def is_tensor(value: Any) -> bool:
    """Whether a value is a tensor of some framework; loads none to find out."""
    return tensor_maker(value) != "" and hasattr(value, "shape")


def tensor_maker(value: Any) -> str:
    """The framework that a value comes from, or ""."""
    names = {"tensorflow": "TensorFlow", "keras": "Keras", "torch": "PyTorch", "jaxlib": "JAX"}
    return names.get(type(value).__module__.partition(".")[0], "")


def size(value: Any) -> int:
    """How much there is to read in a value: its numbers, letters and parts."""
    if isinstance(value, np.ndarray):
        return int(value.size)
    if isinstance(value, Mapping):
        return sum(1 + size(part) for part in value.values())
    if isinstance(value, list | tuple):
        return sum(1 + size(part) for part in value)
    return len(value) if isinstance(value, str) else 1


def shorten(text: str, longest: int = 500) -> str:
    """The beginning of a text."""
    return text if len(text) <= longest else f"{text[:longest]} …"


def _kind(value: Any) -> str:
    if value is None:
        return "None"
    if isinstance(value, bool | np.bool_):
        return "True or False"
    if isinstance(value, int | float | complex | np.number):
        return "a number"
    if isinstance(value, str):
        return "a text"
    if isinstance(value, np.ndarray):
        return f"an array of shape {value.shape}"
    if isinstance(value, tuple):
        return f"a tuple of {len(value)}"
    if isinstance(value, list):
        return f"a list of {len(value)}"
    if isinstance(value, Mapping):
        return f"a dict with the keys {', '.join(map(repr, value))}" if value else "an empty dict"
    if is_tensor(value):
        return f"a {tensor_maker(value)} tensor of shape {tuple(value.shape)}"
    return f"a {type(value).__name__}"


def _of(value: Any) -> str:
    if isinstance(value, np.ndarray):
        return _array(value)
    if isinstance(value, bool | np.bool_):
        return str(bool(value))
    if isinstance(value, np.number):
        return f"{number(value)}   ({value.dtype})"
    if isinstance(value, float):
        return number(value)
    if is_tensor(value):
        return f"a {tensor_maker(value)} tensor of shape {tuple(value.shape)}"
    if isinstance(value, tuple | list) and value and any(size(part) > 1 for part in value):
        return _lines(value)
    if isinstance(value, Mapping) and any(size(part) > 1 for part in value.values()):
        parts = [_hang(f"{key!r}: ", _of(part)) for key, part in value.items()]
        return "\n".join(parts[:8] + ["…"] * (len(parts) > 8))
    if isinstance(value, list | tuple):
        return _flat(value)
    if callable(value) and hasattr(value, "__name__"):
        return f"the function {value.__name__}"
    return shorten(_short.repr(value), 300)


def _array(array: np.ndarray[Any, Any]) -> str:
    with np.printoptions(
        precision=4, suppress=True, threshold=36, edgeitems=3, linewidth=WIDTH, floatmode="maxprec"
    ):
        text = np.array2string(array, suppress_small=_near_one(array))
    facts = f"shape {array.shape}, {array.dtype}"
    last = text.rpartition("\n")[2]
    return f"{text}   ({facts})" if len(last) < WIDTH - 30 else f"{text}\n({facts})"


def _near_one(array: np.ndarray[Any, Any]) -> bool:
    """Whether all entries can be read without an exponent."""
    if array.dtype.kind != "f" or not array.size:
        return True
    sizes = np.abs(array[np.isfinite(array) & (array != 0)])
    return not sizes.size or bool(sizes.min() >= 1e-4 and sizes.max() < 1e5)


def _lines(values: tuple[Any, ...] | list[Any]) -> str:
    """A list or tuple with a line, or more, for each part."""
    opening, closing = ("(", ")") if isinstance(values, tuple) else ("[", "]")
    parts = [_hang(" ", _of(part)) for part in values[:6]]
    parts += [f" … {len(values)} in all"] * (len(values) > 6)
    last = "," * (opening == "(" and len(values) == 1)
    return opening + ",\n".join(parts)[1:] + last + closing


def _flat(values: tuple[Any, ...] | list[Any]) -> str:
    shown = ", ".join(_of(part) for part in values[:12]) + ", …" * (len(values) > 12)
    if len(shown) > WIDTH and len(values) > 1:
        return _lines(values)
    if isinstance(values, list):
        return f"[{shown}]"
    return f"({shown},)" if len(values) == 1 else f"({shown})"


def _hang(start: str, text: str) -> str:
    return start + text.replace("\n", "\n" + " " * len(start))


def _digits(value: Any, digits: int) -> str:
    if isinstance(value, bool | np.bool_):
        return str(bool(value))
    if isinstance(value, int | np.integer):
        return str(value)
    try:
        return f"{value:.{digits}g}"
    except (TypeError, ValueError):
        return str(value)


_short = reprlib.Repr()
_short.maxstring = 200
_short.maxother = 200
_short.maxlist = _short.maxtuple = 12
