"""One call of a learner's function, and everything that can be seen of it from outside."""

from __future__ import annotations

import copy
import inspect
import linecache
import site
import sysconfig
import threading
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np

from amaas_kit.exercises import compare
from amaas_kit.exercises.limit import OutOfTime
from amaas_kit.exercises.placeholder import BLANK

_KIT = str(Path(__file__).parent)
_LIBRARIES = tuple(
    {
        sysconfig.get_path("stdlib"),
        sysconfig.get_path("purelib"),
        site.getusersitepackages(),
        *site.getsitepackages(),
    }
)


@dataclass(frozen=True)
class Call:
    """What came of one call.

    Attributes:
        arguments: as they were drawn, by name.
        result: what came back; None as well when an error was raised.
        error: what was raised, or None.
        changed: the names of the arguments that the function changed.
        unused: the names of the random generators that it drew nothing from.
        printed: what it printed, if it ran in a thread whose output is caught.
    """

    arguments: Mapping[str, Any]
    result: Any = None
    error: BaseException | None = None
    changed: tuple[str, ...] = ()
    unused: tuple[str, ...] = ()
    printed: str = ""

    @property
    def raised(self) -> bool:
        """Whether it ended by an error."""
        return self.error is not None


def call(answer: Callable[..., Any], arguments: Mapping[str, Any]) -> Call:
    """Call a function with copies of the arguments, by position, and record what comes of it."""
    handed = copy.deepcopy(dict(arguments))
    given = list(handed.values())
    sink = getattr(threading.current_thread(), "printed", None)
    start = len(sink.text) if sink else 0
    result: Any = None
    error: BaseException | None = None
    try:
        with np.errstate(all="ignore"):
            result = _kept(answer(*given))
    except OutOfTime:
        raise
    except BaseException as raised:
        error = raised
    changed = tuple(
        name
        for name, before, after in zip(arguments, arguments.values(), given, strict=True)
        if not compare.unchanged(before, after)
    )
    unused = tuple(
        name
        for name, before in arguments.items()
        if isinstance(before, np.random.Generator) and _drawn(before) == _drawn(handed[name])
    )
    return Call(arguments, result, error, changed, unused, sink.text[start:] if sink else "")


def _drawn(generator: np.random.Generator) -> tuple[str, int]:
    """Where a generator stands: what was drawn from it, and how many were spawned."""
    source = generator.bit_generator
    return repr(source.state), getattr(source.seed_seq, "n_children_spawned", 0)


def _kept(result: Any) -> Any:
    """A copy of a result, which a later call cannot change."""
    try:
        return copy.deepcopy(result)
    except Exception:
        return result


def parameters_fit(answer: Callable[..., Any], arguments: Mapping[str, Any]) -> bool:
    """Whether a function can be called with so many arguments; True when nobody can tell."""
    try:
        signature = inspect.signature(answer)
    except Exception:
        return True
    try:
        signature.bind(*arguments.values())
    except TypeError:
        return False
    return True


def parameter_names(answer: Callable[..., Any]) -> list[str] | None:
    """The names of a function's parameters, or None when nobody can tell."""
    try:
        return list(inspect.signature(answer).parameters)
    except Exception:
        return None


def name_of(answer: Any) -> str:
    """What a function is called; "your function" where it has no name."""
    try:
        name = getattr(answer, "__name__", "")
    except Exception:
        name = ""
    return name if isinstance(name, str) and name.isidentifier() else "your function"


def error_text(error: BaseException) -> str:
    """An error's type and text, as Python prints it, without the module of the type."""
    try:
        text = str(error)
    except Exception:
        text = ""
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def line_of(error: BaseException) -> str | None:
    """The line of the learner's own code where an error came up: "line 3: return x @ w"."""
    frames = [(frame.f_code.co_filename, line) for frame, line in _frames(error.__traceback__)]
    own = [place for place in frames if not place[0].startswith(_LIBRARIES)]
    if not own:
        return None
    name, number = own[-1]
    source = linecache.getline(name, number).strip()
    return f"line {number}: {source}" if source else f"line {number}"


def comes_from_a_library(error: BaseException) -> bool:
    """Whether code that the learner called raised an error, not the learner's own."""
    frames = _frames(error.__traceback__)
    return bool(frames) and frames[-1][0].f_code.co_filename.startswith(_LIBRARIES)


def mentions_blank(error: BaseException) -> bool:
    """Whether code in which an error came up still has the placeholder in it."""
    return any(
        BLANK in (*frame.f_code.co_names, *frame.f_code.co_freevars)
        for frame, _ in _frames(error.__traceback__)
    )


def _frames(trace: TracebackType | None) -> list[tuple[Any, int]]:
    """The frames of a traceback, without those of the kit's exercises."""
    found = traceback.walk_tb(trace)
    return [pair for pair in found if not pair[0].f_code.co_filename.startswith(_KIT)]
