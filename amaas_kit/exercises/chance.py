"""Exercises whose last argument decides what chance does: a seed or a generator, nothing else."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from amaas_kit.exercises import compare, describe, limit
from amaas_kit.exercises.call import Call, call, error_text
from amaas_kit.exercises.exercise import Exercise
from amaas_kit.exercises.judging import not_yet
from amaas_kit.exercises.verdict import Verdict

CASES = 3
"""So many of the drawn cases are called again; the largest, which leave most to chance."""

OTHER_SEEDS = 3
"""So many other seeds each of them is tried with, until one makes a difference."""


class SeededExercise(Exercise):
    """An exercise whose last argument is a seed, or a NumPy generator.

    When every result is right by itself, some calls are made again: the same seed, or an equal
    generator, must give the same, and others not always.

    Attributes:
        decided: what chance decides in a result; the rest may differ from call to call.
    """

    def __init__(self, *, decided: Callable[[Any], Any], **parts: Any) -> None:
        super().__init__(**parts)
        self.decided = decided

    def _examine(
        self, answer: Any, seed: int, draws: int
    ) -> tuple[Verdict, Mapping[str, Any] | None]:
        verdict, example = super()._examine(answer, seed, draws)
        if verdict.outcome != "correct":
            return verdict, example
        rng = np.random.default_rng(seed)
        cases = sorted((self.draw(rng) for _ in range(draws)), key=describe.size)[-CASES:]
        found: list[tuple[Call, str]] = []
        called: list[Mapping[str, Any]] = []
        worker = limit.run(
            lambda: found.extend(self._by_chance(answer, cases, called)), self.seconds
        )
        if not worker.finished:
            said = f"Called again, it gave no result within {self.seconds:g} s."
            return Verdict("not yet", said), called[-1]
        if not found:
            return verdict, example
        one, complaint = found[0]
        return Verdict("not yet", not_yet(self, answer, one, [complaint], None)), one.arguments

    def _by_chance(
        self,
        answer: Any,
        cases: list[Mapping[str, Any]],
        called: list[Mapping[str, Any]],
    ) -> list[tuple[Call, str]]:
        """What chance does wrong, with the call that shows it; `called` gets each case."""

        def again_with(case: Mapping[str, Any]) -> Call:
            called.append(case)
            return call(answer, case)

        firsts = [again_with(case) for case in cases]
        for first, case in zip(firsts, cases, strict=True):
            again = again_with(case)
            for one in (first, again):
                if one.error is not None:
                    return [(one, f"Called again, it raised {error_text(one.error)}")]
            if not self._same(first, again):
                return [(again, _unequal(case))]
        for first, case in zip(firsts, cases, strict=True):
            for step in range(1, OTHER_SEEDS + 1):
                other = again_with(_with_other_chance(case, step))
                if other.error is not None or not self._same(first, other):
                    return []
        return [(firsts[0], _always_equal(cases[0]))]

    def _same(self, one: Call, other: Call) -> bool:
        try:
            first, second = (self.decided(compare.plain(each.result)) for each in (one, other))
            return compare.same(first, second, compare.Precision("float32"))
        except Exception:  # one of them cannot be read as the statement says
            return False


def _source(case: Mapping[str, Any]) -> tuple[str, Any]:
    """The last argument, by which chance is decided: its name and what it is."""
    return list(case.items())[-1]


def _with_other_chance(case: Mapping[str, Any], step: int) -> Mapping[str, Any]:
    """The case with another seed, or a generator that will draw other numbers."""
    name, source = _source(case)
    if isinstance(source, np.random.Generator):
        return {**case, name: copy.deepcopy(source).spawn(step)[-1]}
    return {**case, name: source + step}


def _unequal(case: Mapping[str, Any]) -> str:
    name, source = _source(case)
    what = "an equal generator" if isinstance(source, np.random.Generator) else "the same seed"
    return (
        f"Called again with {what}, it gave another result: some of what chance decides does not "
        f"come from `{name}`."
    )


def _always_equal(case: Mapping[str, Any]) -> str:
    name, source = _source(case)
    if isinstance(source, np.random.Generator):
        return (
            f"Whatever the generator, the result is the same: what is drawn from `{name}` decides "
            "nothing."
        )
    return f"Whatever the {name}, the result is the same: where is `{name}` used?"
