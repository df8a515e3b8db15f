"""An exercise: what is asked, how an answer is judged, and what is known to go wrong with it."""

from __future__ import annotations

import copy
import inspect
import re
import textwrap
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from amaas_kit.exercises import progress, screen
from amaas_kit.exercises.verdict import Verdict

if TYPE_CHECKING:
    from numpy.random import Generator

_FOR_TOOLS = re.compile(r" +# (?:type: ignore|noqa)\b.*")
"""Comments in a solution's source that mean nothing to a learner."""

NOTHING: Any = inspect.Parameter.empty
"""Stands for the answer of a check that was called without one."""


@dataclass(frozen=True)
class Mistake:
    """A mistake that learners make, as code and as the sentence that helps.

    Attributes:
        name: short, in the style of a variable: "transposed_w".
        answer: a wrong answer, as a function.
        sentence: what a learner who made this mistake should read.
        raises: a pattern of the error, as Python prints it ("TypeError: …"), that gives the mistake
            away; "" where no error does.
    """

    name: str
    answer: Callable[..., Any]
    sentence: str
    raises: str = ""


@dataclass(frozen=True)
class Complaint:
    """What a judge finds wrong with a result.

    Attributes:
        text: a sentence with the place and the values.
        mistake: the name of the known mistake that the judge recognised, or None.
    """

    text: str
    mistake: str | None = None


class Exercise:
    """A task whose answer is a function, judged on drawn arguments.

    Attributes:
        name: of the exercise; the module of the lesson has it under this name.
        lesson: the name of that module.
        title: a few words.
        statement: Markdown; the signature, the arguments with shapes, what to return.
        answer: a right answer, as a learner would write it.
        demands: the definition in words, for a learner whose answer is not right yet.
        mistakes: the known ones.
        hints: from the gentlest to the one that says nearly everything.
        core: whether it belongs to the core of its lesson.
        too_slow: advice for an answer that takes too long, where that need not be an endless loop.
        lacks: says in a sentence or two what this machine lacks to judge an answer; "" for nothing.
        example: the arguments of the latest call that went wrong, or None.

    Taught in: notebooks/00_start_here.ipynb, "How exercises work".
    """

    def __init__(
        self,
        *,
        name: str,
        lesson: str,
        title: str,
        statement: str,
        draw: Callable[[Generator], Mapping[str, Any]],
        solution: Callable[..., Any],
        demands: str,
        definition: Callable[..., Any] | None = None,
        judge: Callable[..., Complaint | None] | None = None,
        mistakes: tuple[Mistake, ...] = (),
        hints: tuple[str, ...] = (),
        core: bool = True,
        arguments_may_change: bool = False,
        draws: int = 10,
        seconds: float = 10.0,
        too_slow: str = "",
        lacks: Callable[[], str] = str,
    ) -> None:
        self.name = name
        self.lesson = lesson
        self.title = title
        self.statement = textwrap.dedent(statement).strip()
        self.draw = draw
        self.answer = solution
        self.definition = definition
        self.judge = judge
        self.demands = demands
        self.mistakes = tuple(mistakes)
        self.hints = tuple(hints)
        self.core = core
        self.arguments_may_change = arguments_may_change
        self.draws = draws
        self.seconds = seconds
        self.too_slow = too_slow
        self.lacks = lacks
        self._example: Mapping[str, Any] | None = None
        self._seed: int | None = None
        self._hints_shown: set[int] = set()

    @property
    def key(self) -> str:
        """The exercise's name in the file of progress."""
        return f"{self.lesson}.{self.name}"

    @property
    def example(self) -> list[Any] | None:
        """Fresh copies of the arguments of the latest call that went wrong, to try again by hand.

        `my_function(*exercise.example)` repeats that call. None before anything went wrong.
        """
        if self._example is None:
            return None
        return list(copy.deepcopy(dict(self._example)).values())

    def check(self, answer: Any = NOTHING) -> Verdict:
        """Judge a function on drawn arguments, show what came of it and mark the attempt.

        Arguments that the last check found to fail are tried again first, so that the example
        stays the same until the answer is right for it.

        Args:
            answer: your function, without parentheses after its name.

        Returns:
            The verdict, which has been shown already.
        """
        seeds = [self._seed, _fresh_seed()]
        for seed in [seed for seed in seeds if seed is not None]:
            verdict, example = self._examine(answer, seed, self.draws)
            if verdict.outcome != "correct":
                break
        if verdict.outcome in ("not yet", "correct"):
            self._seed = seed if verdict.outcome == "not yet" and example else None
            self._example = example
            solved = verdict.outcome == "correct"
            note = progress.mark_attempt(self.key, solved=solved, mistake=verdict.mistake)
            if note:
                verdict = replace(verdict, message=f"{verdict.message}\n\n{note}")
        verdict = replace(verdict, shown=screen.cell())
        verdict.show()
        return verdict

    def examine(
        self, answer: Any = NOTHING, seed: int | None = None, draws: int | None = None
    ) -> Verdict:
        """Judge a function as `check` does, without showing or marking anything.

        Args:
            answer: the function.
            seed: of the drawn arguments; the same gives the same.
            draws: how many calls; left out, as many as the exercise says.
        """
        if seed is None:
            seed = _fresh_seed()
        return self._examine(answer, seed, draws or self.draws)[0]

    def _examine(
        self, answer: Any, seed: int, draws: int
    ) -> tuple[Verdict, Mapping[str, Any] | None]:
        from amaas_kit.exercises.judging import examine

        return examine(self, answer, np.random.default_rng(seed), draws)

    def hint(self, number: int | None = None) -> None:
        """Show a hint.

        Args:
            number: 1 is the first; left out, the one after those that you have seen.
        """
        book, broken = progress.load()
        seen = self._hints_shown | {*book.get(self.key, progress.Marks()).hints}
        wanted = max(seen, default=0) + 1 if number is None else number
        if not isinstance(wanted, int) or not 1 <= wanted <= len(self.hints):
            said = _joined(self._no_hint(), broken)
            screen.show(text=said, markdown=said)
            return
        text = f"Hint {wanted} of {len(self.hints)}: {self.hints[wanted - 1]}"
        self._hints_shown.add(wanted)
        note = progress.mark_hint(self.key, wanted) or broken
        screen.show(
            text=_joined(text, note), markdown=_joined(f"**{text}".replace(":", ":**", 1), note)
        )

    def _no_hint(self) -> str:
        call = f"ex.{self.name}"
        if not self.hints:
            return f"This exercise has no hints. `{call}.solution()` shows a solution."
        count = len(self.hints)
        many = "is 1 hint" if count == 1 else f"are {count} hints"
        return (
            f"There {many}, and no more: `{call}.hint(1)` shows the first again, "
            f"`{call}.solution()` a solution."
        )

    def solution(self) -> None:
        """Show a solution as code."""
        source = _FOR_TOOLS.sub("", textwrap.dedent(inspect.getsource(self.answer)).strip())
        note = progress.mark_solution(self.key)
        said = "One solution. Read it, close it, and write it again from memory:"
        screen.show(
            text=_joined(f"{said}\n\n{source}", note),
            markdown=_joined(f"{said}\n\n```python\n{source}\n```", note),
        )

    def reset(self) -> None:
        """Forget what was marked of this exercise: attempts, hints, solution."""
        self._seed = self._example = None
        self._hints_shown.clear()
        note = progress.forget(self.key)
        text = _joined(f"The marks of {self.title!r} are gone: it counts as not tried.", note)
        screen.show(text=text, markdown=text)

    def __repr__(self) -> str:
        return f"<Exercise {self.key}: {self.title}>"

    def __str__(self) -> str:
        return f"{self._heading()}\n\n{self.statement}"

    def _repr_markdown_(self) -> str:
        return f"**{self._heading()}**\n\n{self.statement}"

    def _heading(self) -> str:
        return f"{self.title} ({'core' if self.core else 'optional'})"


def _joined(text: str, note: str | None) -> str:
    return f"{text}\n\n{note}" if note else text


def _fresh_seed() -> int:
    return int(np.random.SeedSequence().generate_state(1)[0])
