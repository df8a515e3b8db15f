"""Which known mistake an answer behaves like, if it behaves like one."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from amaas_kit.exercises import compare
from amaas_kit.exercises.call import Call, call
from amaas_kit.exercises.exercise import Exercise, Mistake


def diagnose(
    exercise: Exercise, calls: Sequence[Call], is_wrong: Callable[[Call], bool]
) -> str | None:
    """The name of the first known mistake that did the same in every call.

    Errors alone prove nothing: in at least one call the answer must have returned something, or
    changed an argument, in the same wrong way.

    Args:
        exercise: whose mistakes are tried.
        calls: of the learner's answer, some of them wrong.
        is_wrong: whether what came of a call is not what the exercise asks for.
    """
    telling = [one for one in calls if not one.raised and is_wrong(one)]
    if not telling:
        return None
    for mistake in exercise.mistakes:
        if _behaves_like(mistake, telling) and _behaves_like(mistake, calls):
            return mistake.name
    return None


def _behaves_like(mistake: Mistake, calls: Sequence[Call]) -> bool:
    return all(_same(one, call(mistake.answer, one.arguments)) for one in calls)


def _same(one: Call, other: Call) -> bool:
    if one.raised or other.raised:
        return type(one.error) is type(other.error)
    if one.changed != other.changed:
        return False
    return compare.same(one.result, other.result, compare.Precision.of(one.arguments))
