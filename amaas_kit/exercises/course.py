"""The lessons that have exercises, in the order of the course."""

from __future__ import annotations

import importlib

from amaas_kit.errors import ExerciseError
from amaas_kit.exercises.exercise import Exercise

LESSONS = {
    "start_here": "00 Start here",
    "forward_pass": "01 The forward pass",
    "backpropagation": "02 Backpropagation",
    "gradient_descent": "03 Gradient descent",
    "first_network": "04 The first network",
    "data_partitioning": "05 Data partitioning",
    "distributed_engines": "06 Distributed engines",
}
"""The title of each lesson, by the name of its module of exercises."""


def exercises_of(lesson: str) -> list[Exercise]:
    """The exercises of one lesson, in the order in which its module defines them.

    Raises:
        ExerciseError: there is no such lesson.
    """
    if lesson not in LESSONS:
        raise ExerciseError(
            situation="While looking for exercises",
            seen=f"the lesson {lesson!r}",
            wrong="there is none of that name",
            fix=f"name one of {', '.join(LESSONS)}",
        )
    module = importlib.import_module(f"amaas_kit.exercises.{lesson}")
    found = [one for one in vars(module).values() if isinstance(one, Exercise)]
    return [one for one in found if one.lesson == lesson]


def all_exercises() -> dict[str, list[Exercise]]:
    """The exercises of every lesson, by the name of its module."""
    return {name: exercises_of(name) for name in LESSONS}
