"""What holds for each exercise of the course: its solution passes, and nothing else does."""

from __future__ import annotations

import functools
import importlib.util
import inspect
import os
from pathlib import Path

import numpy as np
import pytest

from amaas_kit.exercises import LESSONS, ____, all_exercises
from amaas_kit.exercises.compare import unchanged

COURSE = all_exercises()
EXERCISES = [one for exercises in COURSE.values() for one in exercises]
MISTAKES = [(one, mistake) for one in EXERCISES for mistake in one.mistakes]
FEWEST = {
    "start_here": 2,
    "forward_pass": 4,
    "backpropagation": 5,
    "gradient_descent": 5,
    "first_network": 4,
    "data_partitioning": 5,
    "distributed_engines": 3,
}
SEEDS = range(100 if os.environ.get("AMAAS_SOAK") == "1" else 2)


@pytest.fixture(autouse=True)
def nothing_is_lacking(request):
    """Skip where this machine lacks what the check needs, such as Spark."""
    parameters = getattr(getattr(request.node, "callspec", None), "params", {})
    exercise = parameters.get("exercise")
    lacking = exercise.lacks() if exercise else ""
    if lacking:
        pytest.skip(lacking)


each_exercise = pytest.mark.parametrize("exercise", EXERCISES, ids=lambda one: one.key)


def unlisted(lesson: str) -> dict[str, list]:
    path = Path(__file__).parent / "unlisted" / f"{lesson}.py"
    if not path.exists():
        return {}
    spec = importlib.util.spec_from_file_location(f"unlisted_{lesson}", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.WRONG


UNLISTED = [
    (one, answer)
    for lesson, exercises in COURSE.items()
    for one in exercises
    for answer in unlisted(lesson).get(one.name, [])
]


def name_of(value) -> str:
    """A name that is the same in every process: none with an address."""
    if isinstance(value, functools.partial):
        return f"{name_of(value.func)} {value.args}"
    for name in ("key", "name", "__name__"):
        if hasattr(value, name):
            return str(getattr(value, name))
    return type(value).__name__


def test_every_lesson_so_far_has_its_exercises():
    assert list(COURSE) == list(LESSONS) == list(FEWEST)
    short = {name: len(found) for name, found in COURSE.items() if len(found) < FEWEST[name]}
    assert short == {}


@each_exercise
def test_it_is_called_as_its_module_calls_it(exercise):
    module = importlib.import_module(f"amaas_kit.exercises.{exercise.lesson}")
    assert getattr(module, exercise.name) is exercise


@each_exercise
def test_its_parts_are_there(exercise):
    names = [mistake.name for mistake in exercise.mistakes]
    assert len(set(names)) == len(names) >= 1
    assert all(name.isidentifier() for name in names)
    assert len(exercise.hints) >= 2
    assert exercise.demands
    assert (exercise.definition is None) != (exercise.judge is None)
    assert exercise.definition is not exercise.answer


@each_exercise
def test_its_statement_names_the_function_and_every_argument(exercise):
    wanted = list(exercise.draw(np.random.default_rng(0)))
    assert list(inspect.signature(exercise.answer).parameters) == wanted
    for name in (exercise.answer.__name__, *wanted):
        assert name in exercise.statement


@each_exercise
def test_it_draws_by_the_seed_alone(exercise):
    first, second = (exercise.draw(np.random.default_rng(5)) for _ in range(2))
    assert unchanged(dict(first), dict(second))


@each_exercise
def test_no_answer_is_not_attempted(exercise):
    for answer in (____, lambda *arguments: ____, lambda *arguments: (0, [____]), ...):
        assert exercise.examine(answer, seed=0).outcome == "not attempted"
    assert exercise.examine().outcome == "not attempted"


@each_exercise
def test_its_solution_is_correct_on_fifty_draws(exercise):
    verdict = exercise.examine(exercise.answer, seed=1, draws=50)
    assert verdict.outcome == "correct", verdict.message


@pytest.mark.parametrize(("exercise", "mistake"), MISTAKES, ids=name_of)
def test_a_known_mistake_gets_its_own_sentence(exercise, mistake):
    for seed in SEEDS:
        verdict = exercise.examine(mistake.answer, seed=seed)
        assert (verdict.outcome, verdict.mistake) == ("not yet", mistake.name), verdict.message
        assert mistake.sentence in verdict.message
        others = {other.sentence for other in exercise.mistakes} - {mistake.sentence}
        assert not any(sentence in verdict.message for sentence in others)


@each_exercise
def test_two_wrong_answers_are_at_hand_that_are_no_known_mistake(exercise):
    assert len([answer for one, answer in UNLISTED if one is exercise]) >= 2


@pytest.mark.parametrize(("exercise", "answer"), UNLISTED, ids=name_of)
def test_another_wrong_answer_is_not_taken_for_a_known_mistake(exercise, answer):
    for seed in SEEDS:
        verdict = exercise.examine(answer, seed=seed)
        assert (verdict.outcome, verdict.mistake) == ("not yet", None), verdict.message


@each_exercise
def test_no_argument_is_the_answer(exercise):
    count = len(exercise.draw(np.random.default_rng(0)))
    for position in range(count):
        verdict = exercise.examine(lambda *given, i=position: given[i], seed=position)
        assert verdict.outcome == "not yet", verdict.message
    assert exercise.examine(lambda *given: given, seed=0).outcome == "not yet"


@each_exercise
def test_no_constant_is_the_answer(exercise):
    drawn = exercise.draw(np.random.default_rng(11))
    once_right = exercise.answer(*drawn.values())
    constants = [0, 1, -1, 0.5, True, False, "", [], (), {}, np.zeros(3), once_right]
    for constant in constants:
        verdict = exercise.examine(lambda *given, value=constant: value, seed=3)
        assert verdict.outcome == "not yet", (constant, verdict.message)
    assert exercise.examine(lambda *given: None, seed=3).outcome == "not yet"


class Awkward:
    """A result that resists whoever looks at it."""

    def refuse(self, *arguments, **options):
        raise RuntimeError("leave me alone")

    __repr__ = __eq__ = __hash__ = __deepcopy__ = __array__ = __len__ = __iter__ = refuse
    __getattr__ = __bool__ = __float__ = __contains__ = __lt__ = __getitem__ = refuse


def in_a_circle() -> list:
    parts: list = [1.0, "text"]
    parts.extend([parts, {"again": parts}])
    return parts


ODD = [
    *(None, Awkward(), [Awkward()], {"losses": Awkward()}, in_a_circle(), object(), np, int, len),
    *(b"bytes", {1, 2}, 10**400, -(10**400), 1j, float("inf"), range(3), iter([1]), "\n" * 999),
    *(np.array([None, "a"]), np.full((2, 2), np.nan), np.zeros((0, 0)), np.ma.masked_all(3)),
    *(np.array("2020-01-01", "datetime64[D]"), np.zeros(2, [("a", int)]), np.zeros((1,) * 20)),
    *([[1, 2], [3]], [None] * 5, (np.ones(2), None), {None: None}, {"a": {"b": [np.nan]}}, [[[]]]),
]


@each_exercise
def test_no_result_is_too_odd_to_be_judged(exercise):
    for odd in ODD:
        verdict = exercise.examine(lambda *given, value=odd: value, seed=3, draws=5)
        assert verdict.outcome == "not yet"
        assert len(verdict.message) < 10_000


@pytest.mark.parametrize(
    "exercise", [one for one in EXERCISES if one.definition], ids=lambda one: one.key
)
def test_a_solution_that_is_off_by_a_little_is_no_known_mistake(exercise):
    for seed in SEEDS:
        verdict = exercise.examine(lambda *given: bumped(exercise.answer(*given)), seed=seed)
        assert (verdict.outcome, verdict.mistake) == ("not yet", None), verdict.message


def bumped(result):
    """The same with its first number off, by 1 % and then some."""
    if isinstance(result, tuple | list):
        return type(result)([bumped(result[0]), *result[1:]]) if result else [1]
    if isinstance(result, dict):
        return {key: bumped(value) for key, value in result.items()}
    if isinstance(result, str):
        return f"{result}."
    if isinstance(result, np.ndarray):
        changed = np.asarray(result, float).copy()
        changed.flat[:1] = 1.013 * changed.flat[:1] + 0.0171
        return changed
    return result + 17 if isinstance(result, int) else 1.013 * result + 0.0171


@each_exercise
def test_its_solution_can_be_shown_as_code(exercise, capsys):
    exercise.solution()
    shown = capsys.readouterr().out
    assert f"def {exercise.answer.__name__}(" in shown
    assert "# type:" not in shown
    assert "# noqa" not in shown
