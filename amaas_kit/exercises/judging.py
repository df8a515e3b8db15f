"""From an answer to a verdict: called on drawn arguments, compared, diagnosed, put into words."""

from __future__ import annotations

import ast
import copy
import inspect
import re
import textwrap
import time
import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.random import Generator

from amaas_kit.exercises import compare, describe, limit
from amaas_kit.exercises.call import (
    Call,
    call,
    comes_from_a_library,
    error_text,
    line_of,
    mentions_blank,
    name_of,
    parameter_names,
    parameters_fit,
)
from amaas_kit.exercises.diagnosis import Finding, diagnose
from amaas_kit.exercises.exercise import NOTHING, Complaint, Exercise
from amaas_kit.exercises.output import AskedForInput
from amaas_kit.exercises.placeholder import BLANK, holds_blank
from amaas_kit.exercises.verdict import Verdict

ENDLESS = (
    "Look for a loop that never ends (what in it brings its end closer at each pass?), or for far "
    "more work than the task needs."
)

HUGE = 10_000_000
"""After a result of more numbers no other call is made: ten of them would fill a small laptop."""

Arguments = Mapping[str, Any]
Judged = tuple[Verdict, Arguments | None]
"""A verdict, and the arguments of the call that it tells about."""


def examine(exercise: Exercise, answer: Any, rng: Generator, draws: int) -> Judged:
    """Judge an answer.

    Args:
        exercise: what is asked.
        answer: a function, or whatever else a learner passed.
        rng: draws the arguments.
        draws: how many calls.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        refusal = _refusal(exercise, answer)
        if refusal:
            return refusal, None
        cases = [exercise.draw(rng) for _ in range(draws)]
        if not parameters_fit(answer, cases[0]):
            return _wrong_parameters(answer, cases[0]), None
        calls, worker = _call_all(answer, cases, exercise.seconds)
        if not worker.finished:
            return _stopped(exercise, answer, cases, list(calls), worker)
        if any(_is_unfinished(one) for one in calls):
            return _unfinished(calls[0]), None
        lacking = exercise.lacks()
        if lacking:
            return Verdict("not checked", lacking), None
        return _judged(exercise, answer, calls, rng)


def _judged(exercise: Exercise, answer: Any, calls: list[Call], rng: Generator) -> Judged:
    found = [(one, _complaint(exercise, one)) for one in calls]
    if not any(complaint for _, complaint in found):
        return Verdict("correct", _praise(calls)), None
    fresh, worker = _call_all(answer, [exercise.draw(rng) for _ in calls], exercise.seconds)
    later = [(one, _complaint(exercise, one)) for one in fresh] if worker.finished else []
    return _wrong(exercise, answer, found, later)


def _wrong(
    exercise: Exercise, answer: Any, found: list[Finding], later: Sequence[Finding] = ()
) -> Judged:
    """The verdict on an answer of which some calls failed; `later` helps only to say why."""
    order = _wrong_order(answer, found[0][0].arguments)
    mistake = None if order else diagnose(exercise, [*found, *later])
    failed, complaint = _plainest(found, mistake)
    message = not_yet(exercise, answer, failed, [order or "", complaint], mistake)
    return Verdict("not yet", message, mistake), failed.arguments


def _stopped(
    exercise: Exercise, answer: Any, cases: list[Arguments], calls: list[Call], worker: limit.Worker
) -> Judged:
    """The verdict when time ran out: a wrong result that came before it says more."""
    found = [] if exercise.lacks() else [(one, _complaint(exercise, one)) for one in calls]
    unfinished = any(_is_unfinished(one) for one in calls)
    if any(complaint for _, complaint in found) and not unfinished and not worker.is_alive():
        return _wrong(exercise, answer, found)
    case = cases[min(len(calls), len(cases) - 1)]
    return _out_of_time(exercise, answer, case, len(calls), worker.is_alive()), case


def _plainest(found: list[Finding], mistake: str | None) -> tuple[Call, str]:
    """The failure that is easiest to read: one that shows the mistake, with small arguments."""
    failures = [(one, complaint) for one, complaint in found if complaint]
    telling = [pair for pair in failures if mistake and pair[1].mistake == mistake]
    one, complaint = min(telling or failures, key=lambda pair: describe.size(pair[0].arguments))
    return one, complaint.text


def _call_all(
    answer: Callable[..., Any], cases: list[Arguments], seconds: float
) -> tuple[list[Call], limit.Worker]:
    """The calls that came back in time, up to the first with a huge result.

    A call that swallows its interruption did not come back in time.
    """
    calls: list[Call] = []
    deadline = time.monotonic() + seconds

    def work() -> None:
        for case in cases:
            one = call(answer, case)
            if time.monotonic() > deadline:
                raise limit.OutOfTime
            calls.append(one)
            if _is_huge(one.result):
                break

    return calls, limit.run(work, seconds)


def _is_huge(result: Any) -> bool:
    if isinstance(result, np.ndarray):
        return result.size > HUGE
    return type(result) in (list, tuple) and len(result) > HUGE


def _refusal(exercise: Exercise, answer: Any) -> Verdict | None:
    """The verdict on something that cannot be called, if it is that."""
    how = f"`ex.{exercise.name}.check({exercise.answer.__name__})`"
    if answer is NOTHING:
        return Verdict(
            "not attempted",
            f"The check was called with nothing. Pass it the function that you wrote: {how}.",
        )
    if holds_blank(answer):
        return _unfinished()
    if inspect.isclass(answer):
        return Verdict(
            "not yet",
            f"You passed the class {answer.__name__}; the check takes a function. Pass the "
            f"function that you wrote: {how}.",
        )
    if not callable(answer):
        return Verdict(
            "not yet",
            f"You passed {describe.kind(answer)}, perhaps the result of calling your function. "
            f"Pass the function itself, without parentheses after its name: {how}.",
        )
    return None


def _unfinished(one: Call | None = None) -> Verdict:
    """The verdict on an answer with a gap; a call shows of which kind the gap is."""
    if one is not None and _is_to_come(one.error):
        return Verdict(
            "not attempted",
            "Your function raised NotImplementedError, which stands for code that is still to be "
            "written. Put your own code there, run that cell, then run the check again.",
        )
    return Verdict(
        "not attempted",
        f"There is still a `{BLANK}` in your answer. Replace every `{BLANK}` by your own code, run "
        "that cell, then run the check again.",
    )


def _is_unfinished(one: Call) -> bool:
    if one.error is None:
        return holds_blank(one.result)
    return _is_to_come(one.error) or mentions_blank(one.error)


def _is_to_come(error: BaseException | None) -> bool:
    return isinstance(error, NotImplementedError) and not comes_from_a_library(error)


def _wrong_parameters(answer: Any, arguments: Arguments) -> Verdict:
    taken, wanted = parameter_names(answer) or [], list(arguments)
    text = f"Your function takes {_listed(taken)}; the exercise calls it with {_listed(wanted)}."
    if taken == wanted:
        text = "Your function takes some of its arguments by name only, behind a `*`."
    line = f"def {_def_name(answer)}({', '.join(wanted)}):"
    return Verdict("not yet", f"{text} Its first line should be\n\n    {line}")


def _listed(names: list[str]) -> str:
    if not names:
        return "no arguments"
    many = "1 argument" if len(names) == 1 else f"{len(names)} arguments"
    return f"{many} ({', '.join(names)})"


def _def_name(answer: Any) -> str:
    name = name_of(answer)
    return name if name.isidentifier() else "my_function"


def _out_of_time(
    exercise: Exercise, answer: Any, case: Arguments, done: int, still_runs: bool
) -> Verdict:
    text = f"It was stopped: there was no result after {exercise.seconds:g} s."
    if done:
        text += f" ({done} of the calls before it had come back.)"
    text += f" {exercise.too_slow or ENDLESS}"
    if still_runs:
        text += (
            "\n\nPython could not end it: it still runs in the background and slows down "
            "everything else. Restart the kernel (menu Kernel, Restart Kernel…) before you go on."
        )
    return Verdict("not yet", f"{_called(answer, case)}\n\n{text}")


def _complaint(exercise: Exercise, one: Call) -> Complaint | None:
    """What is wrong with what came of a call, or None."""
    found = _raised_or_odd(exercise, one) or _judge(exercise, one)
    if found:
        return found
    if one.changed and not exercise.arguments_may_change:
        return Complaint(_changed(one, right=True))
    return Complaint(_unused(one.unused[0])) if one.unused else None


def _judge(exercise: Exercise, one: Call) -> Complaint | None:
    given = list(copy.deepcopy(dict(one.arguments)).values())
    if exercise.judge is not None:
        judge = exercise.judge
        if one.result is None:
            return Complaint(_nothing(one.printed))
        return _unless_unreadable(one.result, lambda: judge(one.result, *given))
    assert exercise.definition is not None, f"{exercise.key} has neither definition nor judge"
    expected = exercise.definition(*given)
    if one.result is None and expected is not None:
        return Complaint(_nothing(one.printed))
    return _unless_unreadable(one.result, lambda: _compared(exercise, expected, one))


def _compared(exercise: Exercise, expected: Any, one: Call) -> Complaint | None:
    precision = compare.Precision.of(one.arguments)
    names = _result_names(exercise.answer)
    text = compare.difference(expected, one.result, precision, names)
    return Complaint(text) if text else None


def _unless_unreadable(result: Any, judge: Callable[[], Complaint | None]) -> Complaint | None:
    """What a judge says; results can be so odd that reading them raises an error."""
    try:
        return judge()
    except Exception as error:
        return Complaint(
            f"The result is {describe.kind(result)}, and could not be read as the statement says "
            f"({describe.shorten(error_text(error), 200)})."
        )


def _raised_or_odd(exercise: Exercise, one: Call) -> Complaint | None:
    """What is wrong before any value is looked at."""
    if one.error is not None:
        return Complaint(_raised(one.error), _given_away(exercise, one.error))
    if inspect.iscoroutine(one.result):
        one.result.close()
        return Complaint("It returned a coroutine: write `def`, not `async def`.")
    if inspect.isgenerator(one.result):
        if one.result.gi_code.co_name == "<genexpr>":
            return Complaint(
                "It returned a generator, which has computed nothing yet. Write square brackets "
                "around the expression, and it becomes a list."
            )
        return Complaint("It returned a generator: use `return` in place of `yield`.")
    if inspect.isroutine(one.result):
        name = name_of(one.result)
        what = "a function" if name == "your function" else f"the function {name}"
        return Complaint(
            f"It returned {what}, not what that function computes: call it, with parentheses."
        )
    return None


def _nothing(printed: str) -> str:
    if not printed.strip():
        return (
            "It returned None: the function should end with `return` and the result. (Or what you "
            "return is itself None: `append` and `sort` change a list and give None.)"
        )
    said = describe.shorten(printed.strip(), 60)
    return f"It printed {said} and returned None: use `return` in place of `print`."


def _given_away(exercise: Exercise, error: BaseException) -> str | None:
    """The name of the first mistake whose pattern an error matches."""
    text = error_text(error)
    known = (mistake for mistake in exercise.mistakes if mistake.raises)
    return next((one.name for one in known if re.search(one.raises, text)), None)


def _raised(error: BaseException) -> str:
    if isinstance(error, AskedForInput):
        return "It asked for input(): a check calls your function by itself, with arguments only."
    text = f"It raised {describe.shorten(error_text(error))}"
    line = line_of(error)
    where = f"\n\n    {line}" if line else ""
    if isinstance(error, SystemExit | KeyboardInterrupt):
        return f"{text}, which ends a program: leave exit() and quit() out.{where}"
    if isinstance(error, RecursionError):
        return f"{text}: the function calls itself without end.{where}"
    if isinstance(error, MemoryError):
        return f"{text}: it asked for more memory than there is.{where}"
    return f"{text}{where}"


def _changed(one: Call, right: bool) -> str:
    these = " and ".join(f"`{name}`" for name in one.changed)
    start = "The result is right, but the function" if right else "The function also"
    many, belong = ("arguments", "belong") if len(one.changed) > 1 else ("argument", "belongs")
    said = f"{start} changed its {many} {these}, which {belong} to the caller."
    others = [name for name in one.changed if not isinstance(one.arguments[name], np.ndarray)]
    if others:
        return f"{said} Copy it first, with Python's module copy: `copy.deepcopy({others[0]})`."
    return (
        f"{said} Compute a new array: `x = x - 1` makes one, `x -= 1` and `x[0] = 1` change the "
        "old one."
    )


def _unused(generator: str) -> str:
    return (
        f"The result could be right, but the function drew nothing from `{generator}`: whoever "
        "passes a generator decides by it what chance does. Every number drawn by chance has to "
        "come from it."
    )


def not_yet(
    exercise: Exercise, answer: Any, failed: Call, complaints: list[str], mistake: str | None
) -> str:
    """What a learner reads of a call that went wrong.

    Args:
        exercise: what is asked.
        answer: the learner's function.
        failed: the call.
        complaints: what is wrong with it; the last is about the result.
        mistake: the name of the known mistake that it shows, or None.
    """
    parts = []
    if mistake:
        parts.append(next(known.sentence for known in exercise.mistakes if known.name == mistake))
    parts.append(_called(answer, failed.arguments))
    if failed.error is None and failed.result is not None:
        parts.append(f"It returned\n\n{_indented(describe.of(failed.result))}")
    parts.extend(complaint for complaint in complaints if complaint)
    only_changed = complaints[-1] == _changed(failed, right=True)
    if failed.changed and not exercise.arguments_may_change and not only_changed:
        parts.append(_changed(failed, right=False))
    parts.append(f"What is asked: {exercise.demands.rstrip('.')}.")
    parts.append(_what_next(exercise, answer))
    return "\n\n".join(parts)


def _called(answer: Any, arguments: Arguments) -> str:
    lines = [describe.assignment(name, value) for name, value in arguments.items()]
    called = f"`{name_of(answer)}({', '.join(arguments)})`"
    if name_of(answer) == "your function":
        called = "Your function"
    return f"{called} was called with\n\n{_indented(chr(10).join(lines))}"


def _wrong_order(answer: Any, arguments: Arguments) -> str | None:
    taken, wanted = parameter_names(answer), list(arguments)
    if taken is None or taken == wanted or sorted(taken) != sorted(wanted):
        return None
    return (
        f"The arguments come in the order {', '.join(wanted)}, but your function takes them as "
        f"{', '.join(taken)}."
    )


def _what_next(exercise: Exercise, answer: Any) -> str:
    text = f"To try this call yourself: `{_def_name(answer)}(*ex.{exercise.name}.example)`."
    return text + (f" For a hint: `ex.{exercise.name}.hint()`." if exercise.hints else "")


def _praise(calls: list[Call]) -> str:
    many = "1 call" if len(calls) == 1 else f"{len(calls)} calls"
    text = f"{many} with drawn arguments, and every result was right."
    results = [one.result for one in calls]
    if compare.lowest_precision(results) == "float16":
        text += (
            " Your results are float16, so they were compared with three digits, which is all that "
            "float16 holds."
        )
    return text


def _indented(text: str) -> str:
    return "\n".join("    " + line for line in text.split("\n"))


def _result_names(solution: Callable[..., Any]) -> tuple[str, ...]:
    """What the solution calls its results: the names in its last `return dx, dw, db`."""
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(solution)))
    except (OSError, TypeError, SyntaxError):
        return ()
    returned = [node.value for node in ast.walk(tree) if isinstance(node, ast.Return)]
    if not returned or not isinstance(returned[-1], ast.Tuple):
        return ()
    parts = returned[-1].elts
    return tuple(ast.unparse(part) for part in parts if isinstance(part, ast.Name))
