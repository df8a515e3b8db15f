"""The blank `____`, which keeps a place for a learner's code, and lets a notebook run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NoReturn

import numpy as np

from amaas_kit.errors import NotAttempted

BLANK = "____"
"""How the placeholder is written, in code and on the screen."""


class Placeholder:
    """A blank: whatever is computed with it is a blank again.

    Where Python needs a real value (a truth value, a number, something to loop over) it raises
    `NotAttempted`, which a check understands.
    """

    __slots__ = ()
    __array_priority__ = 1e6
    """NumPy and TensorFlow leave operations to the operand with the greater priority."""

    def __repr__(self) -> str:
        return BLANK

    def __format__(self, specification: str) -> str:
        return BLANK

    def __hash__(self) -> int:
        return id(type(self))

    def __copy__(self) -> Placeholder:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Placeholder:
        return self

    def __reduce__(self) -> str:
        return BLANK

    def __getattr__(self, name: str) -> Placeholder:
        if name.startswith("_"):  # NumPy, IPython and copy ask for these to learn what this is
            raise AttributeError(name)
        return self

    def __array_ufunc__(self, *arguments: Any, **options: Any) -> Placeholder:
        return self

    def __array_function__(self, *arguments: Any, **options: Any) -> Placeholder:
        return self


def _blank(self: Placeholder, *arguments: Any, **options: Any) -> Placeholder:
    return self


def _refuse(needed: str) -> Callable[..., NoReturn]:
    def refuse(self: Placeholder, *arguments: Any) -> NoReturn:
        raise NotAttempted(
            situation="While running code that is not finished yet",
            seen=f"{BLANK} where Python needs {needed}",
            wrong=f"{BLANK} only keeps a place free; it has no value",
            fix=f"write your own code in place of every {BLANK}",
        )

    return refuse


_BINARY = (
    *("add", "sub", "mul", "truediv", "floordiv", "mod", "divmod", "pow", "matmul"),
    *("and", "or", "xor", "lshift", "rshift"),
)
_ANSWERED = (
    *(f"__{name}__" for name in _BINARY),
    *(f"__r{name}__" for name in _BINARY),
    *(f"__{name}__" for name in ("neg", "pos", "abs", "invert", "round", "getitem", "call")),
    *(f"__{name}__" for name in ("eq", "ne", "lt", "le", "gt", "ge")),
)
_REFUSED = {
    "a truth value": ("__bool__",),
    "a number": ("__int__", "__float__", "__complex__", "__index__"),
    "something to loop over": ("__iter__", "__len__", "__contains__", "__next__", "__reversed__"),
    "something to store values in": ("__setitem__", "__delitem__"),
}
for _name in _ANSWERED:
    setattr(Placeholder, _name, _blank)
for _needed, _names in _REFUSED.items():
    for _name in _names:
        setattr(Placeholder, _name, _refuse(_needed))

____ = Placeholder()
"""The placeholder of the lessons: replace it by your own code."""


def holds_blank(value: Any) -> bool:
    """Whether a placeholder, or an ellipsis, stands anywhere in a result."""
    to_look_at: list[Any] = [value]
    seen: dict[int, Any] = {}
    while to_look_at:
        part = to_look_at.pop()
        if isinstance(part, Placeholder) or part is Ellipsis:
            return True
        if isinstance(part, str) and BLANK in part:
            return True
        parts = _parts(part)
        if parts and id(part) not in seen:
            seen[id(part)] = part
            to_look_at.extend(parts)
    return False


def _parts(value: Any) -> list[Any]:
    """What a container holds; nothing where a class of the learner's refuses to say."""
    try:
        if isinstance(value, Mapping):
            return [*value.keys(), *value.values()]
        if isinstance(value, list | tuple | set | frozenset):
            return list(value)
        if isinstance(value, np.ndarray) and value.dtype.kind in "OU":
            return list(value.ravel().tolist())
    except Exception:
        return []
    return []
