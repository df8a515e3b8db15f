"""What a check says to each kind of answer."""

from __future__ import annotations

import asyncio
import builtins
import dataclasses
import functools
import sys
import types
import warnings

import numpy as np
import pytest

from amaas_kit.exercises import Complaint, Exercise, Mistake, Verdict, ____


@pytest.fixture
def says(layer):
    """Assert the outcome and the mistake of an answer, and that its message holds some words."""

    def check(answer, *words, outcome="not yet", mistake=None, exercise=layer) -> str:
        verdict = exercise.examine(answer, seed=4)
        assert (verdict.outcome, verdict.mistake) == (outcome, mistake), verdict.message
        for word in words:
            assert word in verdict.message, f"{word!r} is not in:\n{verdict.message}"
        return verdict.message

    return check


# What may be passed to a check


def test_nothing(layer, says):
    assert layer.examine().outcome == "not attempted"
    assert "called with nothing" in layer.examine().message
    assert "`ex.layer.check(dense)`" in layer.examine().message


@pytest.mark.parametrize("answer", [____, ____.anything, [____], ...])
def test_the_placeholder(answer, says):
    says(answer, "Replace every `____`", outcome="not attempted")


@pytest.mark.parametrize("answer", [0.5, np.ones(3), [1, 2], "dense", None, (1, 2)], ids=str)
def test_a_result_instead_of_a_function(answer, says):
    says(answer, "perhaps the result of calling", "without parentheses", "`ex.layer.check(dense)`")


def test_a_class(says):
    says(Exercise, "the class Exercise")


def test_functions_of_every_kind_are_taken(says, layer):
    class Layer:
        def __call__(self, x, w, b):
            return x @ w + b

        def method(self, x, w, b):
            return x @ w + b

    def with_more(scale, x, w, b, *rest, power=1, **options):
        return scale * (x @ w + b) ** power

    answers = [
        layer.answer,
        lambda x, w, b: x @ w + b,
        lambda *given: given[0] @ given[1] + given[2],
        lambda u, v, c=0, d=1: u @ v + c,
        Layer(),
        Layer().method,
        functools.partial(with_more, 1),
        np.frompyfunc(lambda x: x, 1, 1) and layer.answer,
    ]
    for answer in answers:
        says(answer, "10 calls", outcome="correct")


def test_a_builtin_that_has_no_signature(about):
    exercise = about(lambda x, y: np.where(x > y, x, y))
    assert exercise.examine(np.maximum, seed=1).outcome == "correct"
    assert "It raised TypeError" in exercise.examine(np.isnat, seed=1).message
    assert "`min(x, y)` was called" in exercise.examine(min, seed=1).message


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (lambda: 1, ["no arguments", "3 arguments (x, w, b)"]),
        (lambda x: 1, ["1 argument (x)", "def my_function(x, w, b):"]),
        (lambda x, w, b, c: 1, ["4 arguments (x, w, b, c)"]),
        (lambda x, w, *, b: 1, ["by name only", "behind a `*`"]),
    ],
)
def test_the_wrong_number_of_parameters(answer, words, says):
    says(answer, *words)


def test_parameters_in_another_order(says):
    message = says(lambda w, x, b: x @ w.T + b, "come in the order x, w, b, but your function")
    assert "You turned w" not in message, "the order is what went wrong"


# What an answer may do


def test_unfinished_code(says):
    def blank_in_a_condition(x, w, b):
        return x if ____ else w

    def blank_as_a_number(x, w, b):
        return np.zeros(____)

    def blank_as_an_index(x, w, b):
        return x[____]

    def blank_deep_in_a_result(x, w, b):
        return {"a": [x, (____,)]}

    def blank_in_numpy(x, w, b):
        return np.maximum(x @ ____ + b, 0)

    def blank_assigned(x, w, b):
        result = np.zeros(3)
        result[0] = ____
        return result

    def with_a_blank(x, w, b):
        with ____:
            return x

    def in_a_helper(x, w, b):
        return blank_as_an_index(x, w, b)

    for answer in [value for name, value in locals().items() if name != "says"]:
        says(answer, "Replace every `____`", outcome="not attempted")
    says(lambda x, w, b: ..., outcome="not attempted")


def test_an_answer_that_says_itself_that_it_is_to_come(says):
    def to_come(x, w, b):
        raise NotImplementedError

    assert "____" not in says(to_come, "raised NotImplementedError", outcome="not attempted")


def test_a_library_that_lacks_something_is_not_taken_for_an_answer_to_come(says):
    def reads(x, w, b):
        return asyncio.AbstractEventLoop().time()

    says(reads, "It raised NotImplementedError", "AbstractEventLoop().time()")


def test_a_wrong_value(says):
    message = says(
        lambda x, w, b: x @ w + 2 * b,
        "was called with",
        "It returned",
        "The result at [0, 0] is",
        "the definition gives",
        "What is asked: entry [i, j] is the sum over k",
        "`my_function(*ex.layer.example)`",
        "`ex.layer.hint()`",
    )
    assert "float64" in message
    assert "shape (" in message


def test_the_message_quotes_the_call(layer):
    def dense(x, w, b):
        return x @ w - b

    layer.check(dense)
    x, w, b = layer.example
    message = layer.examine(dense, seed=layer._seed).message
    assert "`dense(x, w, b)` was called with" in message
    assert f"b = {np.array2string(b, precision=4)}   (shape {b.shape}, float64)" in message
    assert f"(shape {x.shape}, float64)" in message
    got, expected = (x @ w - b)[0, 0], (x @ w + b)[0, 0]
    assert f"is {got:.4g}; the definition gives {expected:.4g}." in message


def test_a_known_mistake_comes_first(says, layer):
    message = says(lambda x, w, b: np.dot(x, w), mistake="no_bias")
    assert message.startswith("You left the bias out.")


def test_nothing_returned(says):
    def forgotten(x, w, b):
        x @ w + b

    def printed(x, w, b):
        print(0.7)

    says(forgotten, "It returned None: the function should end with `return`")
    says(lambda x, w, b: [].append(x @ w), "what you return is itself None", "`append`")
    says(printed, "It printed 0.7 and returned None: use `return` in place of `print`.")


def test_what_is_printed_stays_off_the_screen(says, capsys):
    def talkative(x, w, b):
        print("so far so good")
        print("to stderr", file=sys.stderr)
        return x @ w + b

    says(talkative, outcome="correct")
    assert capsys.readouterr() == ("", "")


def test_an_error_is_quoted_with_the_line(says):
    def broken(x, w, b):
        z = x @ w
        return z + bias  # noqa: F821

    message = says(broken, "It raised NameError: name 'bias' is not defined", "return z + bias")
    line = broken.__code__.co_firstlineno + 2
    assert f"    line {line}: return z + bias" in message


def test_an_error_inside_numpy_is_quoted_with_the_learners_line(says):
    def broken(x, w, b):
        return np.linalg.inv(x[:0]) if False else np.reshape(x, (1000, 1000))

    message = says(broken, "It raised ValueError: cannot reshape")
    assert "np.reshape(x, (1000, 1000))" in message
    assert "fromnumeric" not in message


@pytest.mark.parametrize(
    ("error", "word"),
    [
        (SystemExit(3), "leave exit() and quit() out"),
        (KeyboardInterrupt(), "leave exit() and quit() out"),
        (MemoryError("1 TB"), "more memory than there is"),
        (GeneratorExit(), "It raised GeneratorExit"),
        (ZeroDivisionError("division by zero"), "It raised ZeroDivisionError: division by zero"),
        (ValueError("x" * 10_000), "xxx …"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_errors_of_every_kind(error, word, says):
    def raises(x, w, b):
        raise error

    assert len(says(raises, word)) < 2_500


def test_an_error_that_cannot_say_its_text(says):
    class Mute(Exception):  # noqa: N818
        def __str__(self):
            raise RuntimeError

    def raises(x, w, b):
        raise Mute

    says(raises, "It raised Mute")


def test_a_real_lack_of_memory(says):
    says(lambda x, w, b: np.zeros((10**7, 10**7)), "more memory than there is")


def test_recursion_without_end(says):
    def again(x, w, b):
        return again(x, w, b)

    says(again, "calls itself without end")


def test_asking_for_input(says):
    asked = builtins.input
    says(lambda x, w, b: input("x? "), "It asked for input()")
    assert builtins.input is asked


def test_a_generator_a_coroutine_and_a_function(says):
    def generator(x, w, b):
        yield x @ w + b

    async def coroutine(x, w, b):
        await asyncio.sleep(0)
        return x @ w + b

    def function(x, w, b):
        return np.exp if False else generator

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        says(generator, "use `return` in place of `yield`")
        says(lambda x, w, b: (row @ w + b for row in x), "Write square brackets")
        says(coroutine, "write `def`, not `async def`")
        says(function, "It returned the function generator", "with parentheses")
        says(lambda x, w, b: lambda: x @ w, "It returned a function, not what that function")
    assert caught == []


def test_warnings_of_numpy_are_silent(about, capsys):
    exercise = about(lambda x, y: np.where(x > 9, 1.0, 0.0))

    def warns(x, y):
        return 0 * np.log(np.abs(x)) + 1 / np.exp(1000 + 0 * x) + np.float64(0) * (x[0] / 0 > 9)

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        assert exercise.examine(warns, seed=1).outcome == "correct"
    assert (caught, capsys.readouterr().err) == ([], "")


def test_the_settings_of_numpy_do_not_change_the_verdict(layer):
    with np.errstate(all="raise"):
        exercise = layer
        answer = lambda x, w, b: x @ w + b + np.exp(-1e5)  # noqa: E731
        assert exercise.examine(answer, seed=1).outcome == "correct"


# What an answer may do to its arguments


def test_a_right_result_with_an_argument_changed(says):
    def in_place(x, w, b):
        result = x @ w + b
        x[0, 0] += 1
        b *= 2
        return result

    says(
        in_place,
        "The result is right, but the function changed its arguments `x` and `b`, which belong",
    )


def test_a_wrong_result_with_an_argument_changed(says):
    def in_place(x, w, b):
        w += 1
        return x @ w + b

    says(in_place, "The result at [0, 0]", "The function also changed its argument `w`")


def test_a_mistake_that_changes_an_argument(says):
    def squares(x, w, b):
        x *= x
        return x @ w + b

    says(squares, "You squared x where it lies.", mistake="squares")
    says(lambda x, w, b: (x**2) @ w + b, mistake=None)


def test_arguments_are_copies_for_each_call(layer):
    seen = []

    def keeps(x, w, b):
        seen.append(x)
        return x @ w + b

    layer.examine(keeps, seed=1)
    assert len({id(x) for x in seen}) == len(seen)
    first = layer.draw(np.random.default_rng(1))["x"]
    np.testing.assert_array_equal(seen[0], first)
    assert not np.shares_memory(seen[0], first)


def test_arguments_may_change_where_the_exercise_says_so(about):
    def sort(x, y):
        x.sort()
        return x

    exercise = about(lambda x, y: np.sort(x), arguments_may_change=True)
    assert exercise.examine(sort, seed=1).outcome == "correct"
    exercise.arguments_may_change = False
    assert "changed its argument `x`" in exercise.examine(sort, seed=1).message


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        (lambda n, rng: rng.permutation(n), "correct"),
        (lambda n, rng: np.argsort(rng.random(n)), "correct"),
        (lambda n, rng: rng.spawn(1)[0].permutation(n), "correct"),
        (lambda n, rng: np.random.default_rng(rng.integers(99)).permutation(n), "correct"),
        (lambda n, rng: np.random.Generator(rng.bit_generator).permutation(n), "correct"),
        (lambda n, rng: np.random.default_rng(0).permutation(n), "not yet"),
        (lambda n, rng: np.random.permutation(n), "not yet"),
        (lambda n, rng: np.arange(n)[::-1], "not yet"),
    ],
)
def test_a_generator_that_was_passed_is_to_be_used(about, answer, outcome):
    exercise = about(
        lambda n, rng: rng.permutation(n),
        draw=lambda rng: {"n": 5, "rng": rng.spawn(1)[0]},
        definition=None,
        judge=lambda result, n, rng: None if sorted(result) == [*range(n)] else Complaint("No."),
    )
    for seed in range(20):
        verdict = exercise.examine(answer, seed=seed)
        assert verdict.outcome == outcome
        assert ("drew nothing from `rng`" in verdict.message) == (outcome == "not yet")


def test_a_result_that_a_later_call_overwrites(about):
    kept = np.zeros(4)

    def always_the_same_array(x, y):
        kept[:] = x + y
        return kept

    assert about(lambda x, y: x + y).examine(always_the_same_array, seed=1).outcome == "correct"


def test_a_list_that_was_changed_is_to_be_copied(about):
    exercise = about(
        lambda labels: labels[0],
        draw=lambda rng: {"labels": rng.integers(10, size=5).tolist()},
        definition=lambda labels: labels[0],
    )
    message = exercise.examine(lambda labels: labels.pop(0), seed=1).message
    assert "The result is right, but the function changed its argument `labels`" in message
    assert "`copy.deepcopy(labels)`" in message
    assert "Compute a new array" not in message


def test_a_generator_of_random_numbers_may_be_used(about):
    exercise = about(
        lambda rng: rng.normal(), draw=lambda rng: {"rng": np.random.default_rng(rng.integers(99))}
    )
    assert exercise.examine(lambda rng: rng.normal(), seed=1).outcome == "correct"
    assert exercise.examine(lambda rng: rng.normal(size=2)[1], seed=1).outcome == "not yet"


# Right values in the wrong thing


@pytest.mark.parametrize(
    ("convert", "words"),
    [
        (lambda z: z.tolist(), ["right values, but in a list", "np.array"]),
        (lambda z: z[None], ["shape (1, ", "The values are right: only the shape"]),
        (lambda z: z.astype(complex), ["complex"]),
        (lambda z: z.astype(object), ["Python objects"]),
        (lambda z: {"z": z}, ["is a dict", "an array of shape"]),
        (lambda z: z * np.nan, ["is nan"]),
        (lambda z: z / 0, ["is inf", "is -inf"]),
    ],
)
def test_right_values_in_the_wrong_thing(convert, words, layer):
    verdict = layer.examine(lambda x, w, b: convert(x @ w + b), seed=4)
    assert verdict.outcome == "not yet"
    assert any(word in verdict.message for word in words)


def test_a_column_for_a_vector(about):
    exercise = about(lambda x, y: x + y)
    verdict = exercise.examine(lambda x, y: (x + y)[:, None], seed=1)
    assert (
        "an array of shape (4, 1); the definition gives an array of shape (4,)" in verdict.message
    )
    assert "The values are right" in verdict.message


def test_half_precision_is_right_and_said(says):
    message = says(lambda x, w, b: (x @ w + b).astype("float16"), outcome="correct")
    assert "float16" in message
    assert "float" not in says(lambda x, w, b: (x @ w + b).astype("float32"), outcome="correct")


def test_a_python_number_and_an_array_without_axes_are_numbers(about):
    exercise = about(lambda x, y: float(x @ y))
    for convert in (float, np.float64, np.array, np.float32, lambda z: np.asarray(z)[()]):
        answer = lambda x, y, convert=convert: convert(x @ y)  # noqa: E731
        assert exercise.examine(answer, seed=1).outcome == "correct"


def test_a_tensor_without_tensorflow(about, monkeypatch):
    class Tensor:
        """As much of TensorFlow's tensor as the check looks at."""

        def __init__(self, array):
            self.array = np.asarray(array)
            self.shape = self.array.shape

        def __array__(self, dtype=None, copy=None):
            return self.array

    Tensor.__module__ = "tensorflow.python.framework.ops"
    exercise = about(lambda x, y: x + y)
    before = "tensorflow" in sys.modules
    right = exercise.examine(lambda x, y: Tensor(x + y), seed=1)
    assert "right values, but in a TensorFlow tensor" in right.message
    assert "result.numpy()" in right.message
    wrong = exercise.examine(lambda x, y: Tensor(x - y), seed=1)
    assert "is a TensorFlow tensor; the exercise asks for an array of shape (4,)" in wrong.message
    assert ("tensorflow" in sys.modules) == before


def test_parts_of_a_result_are_called_by_the_names_of_the_solution(about):
    def gradients(x, y):
        dw = x * y
        db = x + y
        return dw, db

    exercise = about(gradients, definition=lambda x, y: (x * y, x + y))
    verdict = exercise.examine(lambda x, y: (x * y, x - y), seed=1)
    assert "The second result, db, at [0] is" in verdict.message
    verdict = exercise.examine(lambda x, y: x * y, seed=1)
    assert "a tuple of 2" in verdict.message


# Judges


def test_a_judge_says_what_is_wrong_and_may_name_the_mistake(about):
    def judge(result, x, y):
        if result not in x.tolist():
            return Complaint(f"{result} is not in x.", "from_y" if result in y.tolist() else None)
        return None

    exercise = about(
        lambda x, y: float(x[0]),
        definition=None,
        judge=judge,
        mistakes=(Mistake("from_y", lambda x, y: float(y[0]), "That is one of y."),),
    )
    assert exercise.examine(lambda x, y: float(x[2]), seed=1).outcome == "correct"
    verdict = exercise.examine(lambda x, y: float(y[3]), seed=1)
    assert (verdict.outcome, verdict.mistake) == ("not yet", "from_y")
    assert "is not in x." in verdict.message
    verdict = exercise.examine(lambda x, y: 5.0, seed=1)
    assert (verdict.outcome, verdict.mistake) == ("not yet", None)
    verdict = exercise.examine(lambda x, y: None, seed=1)
    assert "It returned None" in verdict.message


def test_a_judge_that_cannot_read_a_result(about):
    exercise = about(lambda x, y: 1, definition=None, judge=lambda result, x, y: result[0] > 1)
    verdict = exercise.examine(lambda x, y: 3.5, seed=1)
    assert "The result is a number, and could not be read as the statement says" in verdict.message


# The verdict and the exercise as objects


def test_a_verdict_is_frozen(layer):
    verdict = layer.examine(layer.answer, seed=1)
    with pytest.raises(dataclasses.FrozenInstanceError):
        verdict.outcome = "correct"
    assert verdict == Verdict("correct", verdict.message)
    assert repr(verdict) == "<Verdict: correct>"
    assert repr(Verdict("not yet", "…", "no_bias")) == "<Verdict: not yet, mistake='no_bias'>"


def test_the_same_seed_gives_the_same_verdict(layer):
    wrong = lambda x, w, b: x @ w - b  # noqa: E731
    assert layer.examine(wrong, seed=3) == layer.examine(wrong, seed=3)
    assert layer.examine(wrong, seed=3) != layer.examine(wrong, seed=5)


def test_not_attempted_reads_the_same_each_time(layer, capsys):
    said = []
    for _ in range(2):
        layer.check(lambda x, w, b: ____)
        said.append(capsys.readouterr().out)
    assert said[0] == said[1] != ""


def test_the_example_stays_until_the_answer_is_right_for_it(layer):
    wrong = lambda x, w, b: x @ w - b  # noqa: E731
    layer.check(wrong)
    first = layer.example
    layer.check(lambda x, w, b: x @ w - 2 * b)
    for one, other in zip(first, layer.example, strict=True):
        np.testing.assert_array_equal(one, other)
    layer.check(layer.answer)
    assert layer.example is None
    layer.check(wrong)
    assert any(not np.array_equal(a, b) for a, b in zip(first, layer.example, strict=True))


def test_the_example_is_a_copy(layer):
    layer.check(lambda x, w, b: x @ w - b)
    layer.example[0][:] = 0
    assert layer.example[0].any()


def test_html_is_safe_and_says_the_outcome_in_words():
    html = Verdict("not yet", "a <b> `x < y`\n\n    x = <1>\n    y\n\nend")._html()
    assert "<strong>Not yet.</strong> a &lt;b&gt; <code>x &lt; y</code>" in html
    assert "x = &lt;1&gt;\ny</pre>" in html
    assert html.count("<p ") == 2
    assert "border-left" in html


def test_the_text_of_an_exercise(layer, capsys):
    assert repr(layer) == "<Exercise forward_pass.layer: A layer>"
    assert str(layer) == "A layer (core)\n\nWrite `dense(x, w, b)`."
    assert layer._repr_markdown_() == "**A layer (core)**\n\nWrite `dense(x, w, b)`."


def test_hints_come_one_after_the_other(layer, capsys):
    for text in ("Hint 1 of 3: gentle", "Hint 2 of 3: firmer", "Hint 3 of 3: nearly all of it"):
        assert layer.hint() is None
        assert capsys.readouterr().out.strip() == text
    layer.hint()
    assert "There are 3 hints, and no more" in capsys.readouterr().out
    layer.hint(2)
    assert "firmer" in capsys.readouterr().out
    for number in (0, 4, -1, 2.5, "2", 99):
        layer.hint(number)
        assert "no more" in capsys.readouterr().out


def test_an_exercise_without_hints_says_so(about, capsys):
    about(lambda x, y: x).hint()
    assert "no hints" in capsys.readouterr().out


def test_the_solution_is_shown_as_code(layer, capsys):
    assert layer.solution() is None
    shown = capsys.readouterr().out
    assert "def dense(x, w, b):\n    return x @ w + b" in shown


def test_answers_from_a_module_made_of_text(says):
    module = types.ModuleType("made")
    exec("def dense(x, w, b):\n    return x @ w + c", vars(module))
    says(module.dense, "It raised NameError", "line 2")


# Answers of classes that refuse to be looked at, and answers too large to keep


class Refuses:
    """Nothing that is asked of it is answered."""

    def __call__(self, x, w, b):
        return x @ w + b

    def __getattr__(self, name):
        raise RuntimeError(name)


class ListThatRefuses(list):
    def __iter__(self):
        raise RuntimeError("no")

    __len__ = __iter__


class DictThatRefuses(dict):
    def keys(self):
        raise RuntimeError("no")

    values = items = keys


def test_a_callable_that_refuses_to_be_looked_at_is_called(says):
    says(Refuses(), outcome="correct")


@pytest.mark.parametrize(
    "result", [ListThatRefuses([1]), DictThatRefuses(a=1)], ids=["list", "dict"]
)
def test_a_container_that_refuses_to_be_looked_at_is_not_right(result, says):
    says(lambda x, w, b: result, "The result")


@pytest.mark.parametrize("make", [lambda n: np.zeros(n, "int8"), lambda n: [0] * n])
def test_huge_results_are_not_collected(make, says, monkeypatch):
    monkeypatch.setattr("amaas_kit.exercises.judging.HUGE", 1000)
    calls = []

    def answer(x, w, b):
        calls.append(1)
        return make(1001)

    says(answer, "The result is")
    assert len(calls) == 2  # once to judge it, once more to say why
