"""Endless answers end, or are left to themselves without harm to anybody else."""

from __future__ import annotations

import _thread
import builtins
import contextlib
import io
import subprocess
import sys
import textwrap
import threading
import time

import numpy as np
import pytest

from amaas_kit.exercises import limit, output

LIMIT = 0.3
stop = threading.Event()
"""Ends what the kit could not end, so that the tests leave nothing behind."""


@pytest.fixture(autouse=True)
def all_ends(monkeypatch):
    monkeypatch.setattr(limit, "GRACE_SECONDS", 0.3)
    stop.clear()
    yield
    stop.set()
    assert_none_runs()
    with output.routed():
        pass


def running() -> list[limit.Worker]:
    """The answers that still run."""
    return [one for one in threading.enumerate() if isinstance(one, limit.Worker)]


def assert_none_runs() -> None:
    for thread in running():
        thread.join(10)
    assert running() == []


@pytest.fixture
def short(layer):
    layer.seconds = LIMIT
    return layer


def loop(x, w, b):
    while True:
        pass


def loop_that_prints(x, w, b):
    while True:
        print("x" * 1000)


def loop_that_catches_errors(x, w, b):
    while True:
        try:
            sum(range(100))
        except Exception:
            continue


def loop_that_catches_all_but_ends(x, w, b):
    for _ in range(2):
        try:
            while True:
                pass
        except:  # noqa: E722
            pass
    return x


def stubborn(x, w, b):
    while not stop.is_set():
        try:
            while not stop.is_set():
                print("still here")
        except:  # noqa: E722
            pass


def asleep(x, w, b):
    stop.wait(1000)


@pytest.mark.parametrize(
    "answer", [loop, loop_that_prints, loop_that_catches_errors, loop_that_catches_all_but_ends]
)
def test_an_endless_loop_is_ended(answer, short, capsys):
    start = time.monotonic()
    verdict = short.examine(answer, seed=1, draws=1)
    assert time.monotonic() - start < 5
    assert (verdict.outcome, verdict.mistake) == ("not yet", None)
    assert f"`{answer.__name__}(x, w, b)` was called with" in verdict.message
    assert "there was no result after 0.3 s" in verdict.message
    assert "Restart the kernel" not in verdict.message
    assert_none_runs()
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize("answer", [stubborn, asleep])
def test_what_cannot_be_ended_is_said_and_in_nobodys_way(answer, short, capsys):
    verdict = short.examine(answer, seed=1)
    assert "still runs in the background" in verdict.message
    assert "Restart the kernel" in verdict.message
    assert [one.daemon for one in running()] == [True]
    print("others are heard")
    time.sleep(0.2)
    assert capsys.readouterr() == ("others are heard\n", "")
    short.seconds = 5
    assert short.examine(short.answer, seed=1).outcome == "correct"
    assert "bias" in short.examine(lambda x, w, b: x @ w, seed=1).message


def test_stdout_and_input_are_as_they_were(short):
    before = (sys.stdout, sys.stderr, builtins.input)
    short.examine(loop_that_prints, seed=1)
    assert (sys.stdout, sys.stderr, builtins.input) == before
    short.examine(stubborn, seed=1)
    stop.set()
    assert_none_runs()
    short.seconds = 5
    short.examine(short.answer, seed=1)
    assert (sys.stdout, sys.stderr, builtins.input) == before


def test_it_tells_how_many_calls_came_back(short):
    calls = []

    def slower_and_slower(x, w, b):
        calls.append(x)
        if len(calls) == 4:
            stop.wait(1)
        return x @ w + b

    message = short.examine(slower_and_slower, seed=1).message
    assert "3 of the calls before it had come back" in message
    assert f"shape {calls[3].shape}" in message


def test_a_wrong_result_that_came_before_says_more_than_the_time(short):
    calls = []

    def wrong_then_endless(x, w, b):
        calls.append(x)
        while len(calls) > 5:
            pass
        return x @ w

    verdict = short.examine(wrong_then_endless, seed=1)
    assert verdict.mistake == "no_bias"
    assert "no result after" not in verdict.message


def test_an_exercise_can_have_its_own_advice_for_the_slow(short):
    short.too_slow = "Count the steps."
    message = short.examine(loop, seed=1).message
    assert "Count the steps." in message
    assert "never ends" not in message


def test_an_attempt_that_was_stopped_can_be_repeated_by_hand(short):
    short.check(loop)
    first = short.draw(np.random.default_rng(short._seed))
    for kept, drawn in zip(short.example, first.values(), strict=True):
        np.testing.assert_array_equal(kept, drawn)


def test_a_mistake_is_still_found_where_only_fresh_draws_are_too_slow(layer):
    layer.seconds = 1.0
    calls = []

    def tires(x, w, b):
        calls.append(x)
        if len(calls) > layer.draws:
            stop.wait(3)
        return x @ w

    assert layer.examine(tires, seed=1).mistake == "no_bias"


def test_checks_work_from_any_thread(short):
    verdicts = []
    answers = [short.answer, loop, lambda x, w, b: x @ w] * 2
    threads = [
        threading.Thread(target=lambda f=f: verdicts.append(short.examine(f, seed=1)))
        for f in answers
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    outcomes = [(verdict.outcome, verdict.mistake) for verdict in verdicts]
    assert sorted(outcomes, key=str) == sorted(
        [("correct", None), ("not yet", None), ("not yet", "no_bias")] * 2, key=str
    )


def test_a_check_inside_an_answer(layer, capsys):
    def curious(x, w, b):
        assert layer.examine(layer.answer, seed=2).outcome == "correct"
        return x @ w + b

    assert layer.examine(curious, seed=1).outcome == "correct"


def test_ctrl_c_gets_through_and_ends_the_answer(layer):
    layer.seconds = 60
    timer = threading.Timer(0.3, _thread.interrupt_main)
    timer.start()
    start = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        layer.check(loop)
    assert time.monotonic() - start < 10
    timer.join()
    assert_none_runs()


def test_an_answer_that_swaps_stdout_is_no_trouble(layer, capsys):
    def swaps(x, w, b):
        with contextlib.redirect_stdout(io.StringIO()) as text:
            print("inside")
        assert text.getvalue() == "inside\n"
        return x @ w + b

    assert layer.examine(swaps, seed=1).outcome == "correct"
    print("outside")
    assert capsys.readouterr().out == "outside\n"


def test_an_answer_that_puts_something_else_in_the_place_of_stdout_is_heard_no_more(layer, capsys):
    def swaps(x, w, b):
        sys.stdout = io.StringIO()
        return x @ w

    before = sys.stdout
    assert "bias" in layer.check(swaps).message
    assert sys.stdout is before
    assert "bias" in capsys.readouterr().out


def test_a_program_ends_though_an_answer_does_not(tmp_path):
    program = textwrap.dedent(
        """
        import sys
        from amaas_kit.exercises import forward_pass as ex

        def endless(z):
            while True:
                try:
                    print("x")
                except:
                    pass

        ex.relu_activation.seconds = 0.3
        verdict = ex.relu_activation.check(endless)
        print("later", ex.relu_activation.check(ex.relu_activation.answer).outcome)
        """
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0
    assert "Restart the kernel" in done.stdout
    assert done.stdout.splitlines()[-1] == "later correct"
    assert "x" not in done.stdout.split()
    assert done.stderr == ""
