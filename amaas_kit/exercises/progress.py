"""What a learner has tried and solved: one JSON file, which many kernels may write at once.

Nothing here is fatal. Where marks cannot be kept, or a file cannot be read, a sentence says so.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, fields, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from amaas_kit import files

VERSION = 1
"""Of the file's format."""

NAME = "progress.json"
WAIT_SECONDS = 5.0
"""So long one process waits for others to write their marks, which takes them milliseconds."""


@dataclass(frozen=True)
class Marks:
    """What is known of one exercise.

    Attributes:
        attempts: checks that came to a verdict; "not attempted" and "not checked" are none.
        solved: when it was first solved, in UTC and ISO 8601; None if it was not.
        hints: the numbers of the hints that were shown, in order.
        solution_seen: whether the solution was shown.
        last_mistake: the known mistake that was named last; None once it is solved.
    """

    attempts: int = 0
    solved: str | None = None
    hints: tuple[int, ...] = ()
    solution_seen: bool = False
    last_mistake: str | None = None


Book = dict[str, Marks]
"""Marks by the key of their exercise, "forward_pass.dense_layer"."""


def mark_attempt(key: str, *, solved: bool, mistake: str | None) -> str | None:
    """Count an attempt; returns a sentence if it could not be kept, or a broken file was found."""

    def change(marks: Marks) -> Marks:
        first = marks.solved or (
            datetime.now(UTC).isoformat(timespec="seconds") if solved else None
        )
        return replace(
            marks,
            attempts=marks.attempts + 1,
            solved=first,
            last_mistake=None if solved else mistake,
        )

    return _change(key, change)


def mark_hint(key: str, number: int) -> str | None:
    """Note that a hint was shown; returns a sentence as `mark_attempt` does."""
    return _change(key, lambda marks: replace(marks, hints=tuple(sorted({*marks.hints, number}))))


def mark_solution(key: str) -> str | None:
    """Note that the solution was shown; returns a sentence as `mark_attempt` does."""
    return _change(key, lambda marks: replace(marks, solution_seen=True))


def forget(key: str) -> str | None:
    """Drop the marks of one exercise; returns a sentence as `mark_attempt` does."""
    return _change(key, lambda marks: None)


def load() -> tuple[Book, str | None]:
    """All marks, and a sentence if the file could not be used."""
    try:
        with _held():
            return _read()
    except (OSError, TimeoutError) as error:
        return _read_only(error)


def _change(key: str, change: Callable[[Marks], Marks | None]) -> str | None:
    try:
        with _held():
            book, note = _read()
            changed = change(book.pop(key, Marks()))
            if changed is not None:
                book[key] = changed
            _write(book)
            return note
    except TimeoutError:
        return (
            "Your progress was not marked: another program has held its file for "
            f"{WAIT_SECONDS:g} s. Everything else works; run the check again later."
        )
    except OSError as error:
        return (
            f"Your progress was not marked: {_reason(error)}. Everything else works. "
            "`amaas doctor` says what to do."
        )


@contextlib.contextmanager
def _held() -> Any:
    """Hold the file of progress against all others."""
    with files.locked(files.home() / f".{NAME}.lock", WAIT_SECONDS):
        yield


def _path() -> Path:
    return files.home() / NAME


def _read() -> tuple[Book, str | None]:
    """The marks in the file; one that is broken is set aside, and a sentence says so."""
    try:
        return parse(_content()), None
    except FileNotFoundError:
        return {}, None
    except ValueError as error:
        kept = _set_aside(_path())
        return {}, (
            f"The file of your progress could not be read ({_reason(error)}). It was kept as "
            f"{kept}, and a new one was begun."
        )


def _content() -> bytes:
    """What stands in the file.

    Raises:
        ValueError: it is a folder, a pipe or the like.
        OSError: it cannot be read now, which says nothing about its content.
    """
    path = _path()
    if path.exists() and not path.is_file():
        raise ValueError("it is not a file")
    return path.read_bytes()


def _read_only(error: Exception) -> tuple[Book, str | None]:
    """The marks where nothing can be written."""
    try:
        return parse(_content()), None
    except FileNotFoundError:
        return {}, None
    except (OSError, ValueError):
        return (
            {},
            f"Your progress cannot be read: {_reason(error)}. `amaas doctor` says what to do.",
        )


def parse(content: bytes) -> Book:
    """The marks that a file holds.

    Raises:
        ValueError: it holds anything else.
    """
    try:
        found = json.loads(content)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    except ValueError:
        raise ValueError("it is not JSON") from None
    if not isinstance(found, dict) or not isinstance(found.get("exercises"), dict):
        raise ValueError("it holds something else")
    version = found.get("version")
    if type(version) is not int or version != VERSION:
        raise ValueError(f"its format is {version!r:.20}, and this kit knows {VERSION}")
    return {key: _marks(value) for key, value in found["exercises"].items()}


def _marks(value: Any) -> Marks:
    names = {field.name for field in fields(Marks)}
    if not isinstance(value, dict) or set(value) != names or not isinstance(value["hints"], list):
        raise ValueError("it holds other marks")
    marks = Marks(**{**value, "hints": tuple(value["hints"])})
    whole = (marks.attempts, *marks.hints)
    if (
        all(type(number) is int and 0 <= number < 10**9 for number in whole)
        and isinstance(marks.solution_seen, bool)
        and all(isinstance(text, str | None) for text in (marks.solved, marks.last_mistake))
    ):
        return marks
    raise ValueError("its marks are of the wrong types")


def _write(book: Book) -> None:
    for left in files.home().glob(f".{NAME}.*"):  # by writers that were killed
        if left.name != f".{NAME}.lock":
            left.unlink(missing_ok=True)
    exercises = {key: asdict(marks) for key, marks in sorted(book.items())}
    text = json.dumps({"version": VERSION, "exercises": exercises}, indent=1)
    files.write_whole(_path(), lambda file: file.write(text.encode()))


def _set_aside(path: Path) -> str:
    """Rename what cannot be used to the first free numbered name; returns that name."""
    number = 1
    while (kept := path.with_name(f"progress.broken-{number}.json")).exists():
        number += 1
    path.rename(kept)
    return str(kept)


def _reason(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        return f"{error.strerror}: {error.filename}" if error.filename else error.strerror
    return str(error)
