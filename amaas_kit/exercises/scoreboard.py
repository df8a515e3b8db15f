"""A lesson's exercises and how far the learner is: as a bar and a table, or as lines of text."""

from __future__ import annotations

import html
from dataclasses import dataclass
from typing import Any

from amaas_kit.exercises import progress, screen
from amaas_kit.exercises.course import LESSONS, all_exercises, exercises_of
from amaas_kit.exercises.exercise import Exercise
from amaas_kit.exercises.progress import Book, Marks

_TITLE = 40
"""The width of a column of titles."""


@dataclass(frozen=True)
class Row:
    """One exercise and its marks."""

    exercise: Exercise
    marks: Marks

    @property
    def state(self) -> str:
        """Where the learner stands, in a word or three."""
        if self.marks.solved:
            return "solved"
        return "not yet" if self.marks.attempts else "not tried"


@dataclass(frozen=True)
class Board:
    """The exercises of one lesson with their marks."""

    lesson: str
    rows: tuple[Row, ...]

    @property
    def title(self) -> str:
        """The lesson's number and title."""
        return LESSONS[self.lesson]

    @property
    def solved(self) -> int:
        """How many exercises are solved."""
        return sum(row.marks.solved is not None for row in self.rows)

    @property
    def tried(self) -> int:
        """How many exercises were tried, solved or not."""
        return sum(row.marks.attempts > 0 for row in self.rows)

    @property
    def hints(self) -> int:
        """How many hints were shown."""
        return sum(len(row.marks.hints) for row in self.rows)

    def as_json(self) -> dict[str, Any]:
        """All of it, for a script."""
        return {
            "lesson": self.lesson,
            "title": self.title,
            "exercises": len(self.rows),
            "tried": self.tried,
            "solved": self.solved,
            "hints": self.hints,
            "rows": [_row_as_json(row) for row in self.rows],
        }

    def as_text(self) -> str:
        """A line for the lesson and one for each exercise."""
        return "\n".join([self.sentence, *(_row_as_text(row) for row in self.rows)])

    def as_table(self) -> str:
        """A table with what was tried, solved and asked for; one line where that is nothing."""
        if not any(row.marks != Marks() for row in self.rows):
            return f"{self.title}: {len(self.rows)} exercises, none tried"
        heading = f"{self.title:<{_TITLE}} {'':9}{'attempts':>9}  {'solved':11}{'hints':>6}"
        hints = "1 hint" if self.hints == 1 else f"{self.hints} hints"
        total = f"  {len(self.rows)} exercises: {self.tried} tried, {self.solved} solved, {hints}"
        return "\n".join([heading, *map(_row_of_table, self.rows), total])

    @property
    def sentence(self) -> str:
        """How much of the lesson is done."""
        core = [row for row in self.rows if row.exercise.core]
        done = sum(row.marks.solved is not None for row in core)
        return (
            f"{self.title}: {self.solved} of {len(self.rows)} exercises solved "
            f"({done} of {len(core)} in the core)"
        )


def board(lesson: str, book: Book) -> Board:
    """The exercises of one lesson with their marks."""
    rows = (Row(one, book.get(one.key, Marks())) for one in exercises_of(lesson))
    return Board(lesson, tuple(rows))


def boards(book: Book) -> list[Board]:
    """Every lesson that has exercises."""
    return [board(lesson, book) for lesson in all_exercises()]


def show_progress(lesson: str) -> None:
    """Show how far you are in a lesson: a bar, and a table of its exercises.

    Args:
        lesson: the name of its module, such as "forward_pass".

    Taught in: notebooks/00_start_here.ipynb, "How exercises work".
    """
    book, note = progress.load()
    shown = board(lesson, book)
    text = "\n".join([shown.as_text(), *filter(None, [note])])
    screen.show(text=text, html=_as_html(shown, note))


def _row_as_json(row: Row) -> dict[str, Any]:
    marks = row.marks
    return {
        "name": row.exercise.name,
        "title": row.exercise.title,
        "core": row.exercise.core,
        "attempts": marks.attempts,
        "solved": marks.solved,
        "hints": len(marks.hints),
        "solution_seen": marks.solution_seen,
        "last_mistake": marks.last_mistake,
    }


def _row_as_text(row: Row) -> str:
    kind = "core" if row.exercise.core else "optional"
    facts = ", ".join([row.state, *_facts(row.marks)])
    return f"  {row.exercise.title:<{_TITLE}} {kind:9} {facts}"


def _row_of_table(row: Row) -> str:
    kind = "core" if row.exercise.core else "optional"
    title = f"  {row.exercise.title}"
    marks = row.marks
    day = (marks.solved or "")[: len("2020-01-31")]
    seen = "  solution seen" if marks.solution_seen else ""
    return f"{title:<{_TITLE}} {kind:9}{marks.attempts:9}  {day:11}{len(marks.hints):6}{seen}"


def _facts(marks: Marks) -> list[str]:
    found = []
    if marks.attempts:
        found.append("1 attempt" if marks.attempts == 1 else f"{marks.attempts} attempts")
    if marks.hints:
        found.append("1 hint" if len(marks.hints) == 1 else f"{len(marks.hints)} hints")
    if marks.solution_seen:
        found.append("solution seen")
    return found


def _as_html(shown: Board, note: str | None) -> str:
    share = 100 * shown.solved / max(1, len(shown.rows))
    bar = (
        '<div style="border: 1px solid #8c8c8c; border-radius: 4px; height: 12px; max-width: 30em">'
        f'<div style="background: #009E73; height: 100%; width: {share:.0f}%"></div></div>'
    )
    cell = '<td style="text-align: left">'
    rows = "".join(
        f"<tr>{cell}{html.escape(row.exercise.title)}</td>"
        f"{cell}{'core' if row.exercise.core else 'optional'}</td>"
        f"{cell}{', '.join([row.state, *_facts(row.marks)])}</td></tr>"
        for row in shown.rows
    )
    said = f"<p>{html.escape(note)}</p>" if note else ""
    return (
        f'<div class="amaas-progress" role="status"><p>{html.escape(shown.sentence)}</p>{bar}'
        f"<table>{rows}</table>{said}</div>"
    )
