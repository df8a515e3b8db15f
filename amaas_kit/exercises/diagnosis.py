"""Which known mistake an answer behaves like, if it behaves like one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from amaas_kit.exercises import compare
from amaas_kit.exercises.call import Call, call
from amaas_kit.exercises.exercise import Complaint, Exercise, Mistake

Finding = tuple[Call, Complaint | None]
"""A call of the learner's answer, and what is wrong with what came of it."""


def diagnose(exercise: Exercise, found: Sequence[Finding]) -> str | None:
    """The name of the known mistake that an answer behaves like, or None.

    That is the mistake which most of the complaints name. Where they name none it is the first that
    did the same as the answer in every call. There the same kind of error alone proves nothing: in
    at least one call the answer must have returned something wrong, or changed an argument.
    """
    return _named_by_most(found) or _same_in_every_call(exercise, found)


def _named_by_most(found: Sequence[Finding]) -> str | None:
    failures = [complaint for _, complaint in found if complaint]
    named = Counter(complaint.mistake for complaint in failures if complaint.mistake)
    name, times = next(iter(named.most_common(1)), ("", 0))
    return name if times > len(failures) / 2 else None


def _same_in_every_call(exercise: Exercise, found: Sequence[Finding]) -> str | None:
    calls = [one for one, _ in found]
    telling = [one for one, complaint in found if complaint and not one.raised]
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
