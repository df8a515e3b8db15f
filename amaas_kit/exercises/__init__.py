"""The room of exercises: one module a lesson, each exercise with its check, hints and mistakes.

In a lesson: `from amaas_kit.exercises import forward_pass as ex`, then
`ex.dense_layer.check(dense)`.
"""

from amaas_kit.exercises.course import LESSONS, all_exercises
from amaas_kit.exercises.exercise import Complaint, Exercise, Mistake
from amaas_kit.exercises.placeholder import ____
from amaas_kit.exercises.scoreboard import show_progress
from amaas_kit.exercises.verdict import Verdict

__all__ = [
    "LESSONS",
    "Complaint",
    "Exercise",
    "Mistake",
    "Verdict",
    "____",
    "all_exercises",
    "show_progress",
]
