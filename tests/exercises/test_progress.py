"""Marks in one file: whole, shared by kernels, and never a reason to stop."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import textwrap
import time
from datetime import datetime
from pathlib import Path

import pytest

from amaas_kit import files
from amaas_kit.errors import ExerciseError
from amaas_kit.exercises import ____, progress, show_progress
from amaas_kit.exercises import forward_pass as ex
from amaas_kit.exercises.progress import Marks, parse


def marks_of(home, key="forward_pass.layer"):
    return json.loads((home / "progress.json").read_text())["exercises"].get(key)


def no_bias(x, w, b):
    return x @ w


def test_attempts_hints_and_solutions_are_marked(layer, home):
    layer.check(no_bias)
    assert marks_of(home) == {
        "attempts": 1,
        "solved": None,
        "hints": [],
        "solution_seen": False,
        "last_mistake": "no_bias",
    }
    layer.hint()
    layer.hint(3)
    layer.hint(3)
    layer.solution()
    layer.check(layer.answer)
    marks = marks_of(home)
    first = marks["solved"]
    assert time.time() - 60 < datetime.fromisoformat(first).timestamp() <= time.time()
    assert (marks["attempts"], marks["hints"], marks["solution_seen"]) == (2, [1, 3], True)
    assert marks["last_mistake"] is None
    layer.check(no_bias)
    assert (marks_of(home)["solved"], marks_of(home)["last_mistake"]) == (first, "no_bias")


def test_not_attempted_is_no_attempt(layer, home):
    layer.check(lambda x, w, b: ____)
    layer.check()
    assert not (home / "progress.json").exists()


def test_examine_marks_and_shows_nothing(layer, home, capsys):
    layer.examine(no_bias)
    assert not (home / "progress.json").exists()
    assert capsys.readouterr().out == ""


def test_reset_forgets_one_exercise(layer, home):
    layer.check(no_bias)
    layer.hint()
    progress.mark_hint("forward_pass.other", 1)
    layer.reset()
    assert marks_of(home) is None
    assert marks_of(home, "forward_pass.other")["hints"] == [1]
    assert layer.example is None


def test_the_next_hint_is_known_after_a_restart(layer, home, capsys):
    progress.mark_hint(layer.key, 1)
    layer.hint()
    assert "Hint 2 of 3" in capsys.readouterr().out


def test_the_board_of_a_lesson(capsys):
    show_progress("forward_pass")
    untouched = capsys.readouterr().out
    assert untouched.startswith("01 The forward pass: 0 of ")
    assert untouched.count("not tried") == len(untouched.splitlines()) - 1
    ex.dense_layer.check(ex.dense_layer.answer)
    ex.relu_activation.check(lambda z: z)
    ex.relu_activation.hint()
    capsys.readouterr()
    show_progress("forward_pass")
    said = capsys.readouterr().out
    assert "1 of 6 exercises solved (1 of 4 in the core)" in said
    [row] = [line for line in said.splitlines() if "A dense layer" in line]
    assert row.split("  ")[-1].strip().endswith("solved, 1 attempt")
    [row] = [line for line in said.splitlines() if line.startswith("  ReLU")]
    assert row.endswith("not yet, 1 attempt, 1 hint")


def test_a_lesson_that_does_not_exist_is_named():
    with pytest.raises(ExerciseError, match="forward_pass"):
        show_progress("forward pass")


# Files that are no use

BROKEN = {
    "empty": b"",
    "not JSON": b"{",
    "not text": b"\xff\xfe\x00",
    "a list": b"[]",
    "no version": b'{"exercises": {}}',
    "a newer version": b'{"version": 2, "exercises": {}}',
    "version as text": b'{"version": "1", "exercises": {}}',
    "true for one": b'{"version": true, "exercises": {}}',
    "no exercises": b'{"version": 1}',
    "a list of exercises": b'{"version": 1, "exercises": []}',
    "marks as a number": b'{"version": 1, "exercises": {"a.b": 3}}',
    "marks that lack": b'{"version": 1, "exercises": {"a.b": {"attempts": 1}}}',
    "deep": b"[" * 100_000,
}
GOOD = {
    "attempts": 1,
    "solved": None,
    "hints": [1],
    "solution_seen": False,
    "last_mistake": None,
}
for name, change in {
    "attempts as text": {"attempts": "1"},
    "attempts below 0": {"attempts": -1},
    "attempts as true": {"attempts": True},
    "no attempts": {"attempts": None},
    "half an attempt": {"attempts": 0.5},
    "NaN attempts": {"attempts": float("nan")},
    "solved as true": {"solved": True},
    "hints as text": {"hints": "12"},
    "hints as a number": {"hints": 1},
    "hints of text": {"hints": ["1"]},
    "a list for solution": {"solution_seen": []},
    "a list of mistakes": {"last_mistake": []},
    "more": {"more": 1},
}.items():
    one = {"version": 1, "exercises": {"a.b": GOOD | change}}
    BROKEN[name] = json.dumps(one).encode()


def test_the_good_one_of_these_is_good():
    found = parse(json.dumps({"version": 1, "exercises": {"a.b": GOOD}}).encode())
    assert found == {"a.b": Marks(attempts=1, hints=(1,))}


@pytest.mark.parametrize("content", BROKEN.values(), ids=BROKEN)
def test_a_broken_file_is_set_aside_and_said(content, layer, home, capsys):
    home.mkdir()
    (home / "progress.json").write_bytes(content)
    verdict = layer.check(no_bias)
    said = capsys.readouterr().out
    assert verdict.mistake == "no_bias"
    assert "could not be read" in said
    assert "progress.broken-1.json" in said
    assert (home / "progress.broken-1.json").read_bytes() == content
    assert marks_of(home)["attempts"] == 1
    layer.check(no_bias)
    assert "could not be read" not in capsys.readouterr().out
    assert marks_of(home)["attempts"] == 2


def test_a_hint_says_that_a_broken_file_was_set_aside(layer, home, capsys):
    home.mkdir()
    (home / "progress.json").write_bytes(b"not JSON")
    layer.hint()
    said = capsys.readouterr().out
    assert "Hint 1 of 3" in said
    assert "progress.broken-1.json" in said
    assert marks_of(home, layer.key)["hints"] == [1]


def test_broken_files_are_numbered(layer, home):
    home.mkdir()
    for number in (1, 2, 3):
        (home / "progress.json").write_text(str(number))
        layer.check(no_bias)
    kept = {path.name: path.read_text() for path in home.glob("progress.broken-*")}
    assert kept == {f"progress.broken-{n}.json": str(n) for n in (1, 2, 3)}


def test_a_folder_in_its_place_is_set_aside_too(layer, home, capsys):
    (home / "progress.json" / "inside").mkdir(parents=True)
    show_progress("forward_pass")
    assert "progress.broken-1.json" in capsys.readouterr().out
    assert (home / "progress.broken-1.json" / "inside").is_dir()
    layer.check(no_bias)
    assert marks_of(home)["attempts"] == 1


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs a system with named pipes")
def test_a_pipe_in_its_place_is_set_aside_and_nobody_waits_for_it(layer, home, capsys):
    home.mkdir()
    os.mkfifo(home / "progress.json")
    layer.check(no_bias)
    assert "it is not a file" in capsys.readouterr().out
    assert marks_of(home)["attempts"] == 1


def test_a_file_that_cannot_be_read_for_a_moment_stays_where_it_is(
    layer, home, monkeypatch, capsys
):
    layer.check(no_bias)
    before = (home / "progress.json").read_bytes()

    def busy(path):
        raise PermissionError(13, "Permission denied", str(path))

    with monkeypatch.context() as moment:
        moment.setattr(Path, "read_bytes", busy)
        assert layer.check(layer.answer).outcome == "correct"
        assert "Your progress was not marked: Permission denied" in capsys.readouterr().out
        show_progress("forward_pass")
        assert "cannot be read: Permission denied" in capsys.readouterr().out
    assert (home / "progress.json").read_bytes() == before
    assert not list(home.glob("progress.broken-*"))


def test_a_home_that_is_a_file_does_not_stop_a_check(layer, tmp_path, monkeypatch, capsys):
    (tmp_path / "file").touch()
    monkeypatch.setenv("AMAAS_HOME", str(tmp_path / "file"))
    assert layer.check(layer.answer).outcome == "correct"
    assert "Your progress was not marked" in capsys.readouterr().out
    for _ in range(2):
        layer.hint()
    said = capsys.readouterr().out
    assert "Hint 1 of 3" in said
    assert "Hint 2 of 3" in said
    layer.solution()
    layer.reset()
    show_progress("forward_pass")
    assert "0 of 6 exercises solved" in capsys.readouterr().out


def test_a_disk_that_takes_nothing(layer, home, monkeypatch, capsys):
    layer.check(no_bias)
    before = (home / "progress.json").read_bytes()

    def full(*arguments):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    assert layer.check(layer.answer).outcome == "correct"
    assert "Your progress was not marked: No space left on device" in capsys.readouterr().out
    assert (home / "progress.json").read_bytes() == before


def test_another_program_that_does_not_let_go(layer, home, monkeypatch, capsys):
    monkeypatch.setattr(progress, "WAIT_SECONDS", 0.2)
    home.mkdir()
    with files.locked(home / ".progress.json.lock", 1):
        assert layer.check(layer.answer).outcome == "correct"
        assert "another program has held its file" in capsys.readouterr().out
        show_progress("forward_pass")
    layer.check(layer.answer)
    assert marks_of(home)["attempts"] == 1


# Several processes

MARKER = textwrap.dedent(
    """
    import sys
    from amaas_kit.exercises import progress
    name, times = sys.argv[1], int(sys.argv[2])
    for i in range(times):
        for key in (f"lesson.{name}", "lesson.shared"):
            note = progress.mark_attempt(key, solved=False, mistake=None)
            assert note is None, note
    """
)


def start(*arguments):
    return subprocess.Popen([sys.executable, "-c", MARKER, *map(str, arguments)])


def test_kernels_at_once_lose_no_marks(home):
    times = 150
    processes = [start(name, times) for name in "abc"]
    assert [process.wait(120) for process in processes] == [0, 0, 0]
    book, note = progress.load()
    assert note is None
    assert {key: marks.attempts for key, marks in book.items()} == {
        **{f"lesson.{name}": times for name in "abc"},
        "lesson.shared": 3 * times,
    }


@pytest.mark.skipif(os.name == "nt", reason="needs hardware: a system with signals")
def test_writers_that_are_killed_leave_a_whole_file(home):
    draws = random.Random(3)
    least = 0
    for _ in range(5):
        process = start("a", 100_000)
        deadline = time.monotonic() + 20
        while progress.load()[0].get("lesson.a", Marks()).attempts <= least:
            assert time.monotonic() < deadline
        time.sleep(draws.uniform(0, 0.05))
        process.send_signal(signal.SIGKILL)
        process.wait()
        book, note = progress.load()
        assert note is None
        assert book["lesson.a"].attempts > least
        least = book["lesson.a"].attempts
    assert progress.mark_attempt("lesson.b", solved=True, mistake=None) is None
    assert sorted(path.name for path in home.iterdir()) == [".progress.json.lock", "progress.json"]
