"""`amaas progress`: what a learner, or a teacher's script, reads of the marks."""

from __future__ import annotations

import json
import re

import pytest
from click.testing import CliRunner

from amaas_kit.cli import main
from amaas_kit.exercises import LESSONS, all_exercises, forward_pass


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    folder = tmp_path / "home"
    monkeypatch.setenv("AMAAS_HOME", str(folder))
    return folder


def progress(*options: str):
    done = CliRunner().invoke(main, ["progress", *options])
    assert done.exit_code == 0, done.output
    return done


def tried_once_wrong_and_solved_with_two_hints():
    exercise = forward_pass.dense_layer
    exercise.check(lambda x, w, b: x @ w)
    exercise.hint(1)
    exercise.hint(2)
    exercise.check(exercise.answer)
    forward_pass.relu_activation.check(lambda z: z)


def test_without_any_marks_it_says_how_to_begin():
    said = progress().stdout
    assert [line.split(":")[0] for line in said.splitlines() if "none tried" in line] == list(
        LESSONS.values()
    )
    assert "amaas lab" in said.splitlines()[-1]


def test_a_table_tells_what_was_tried_solved_and_asked_for():
    tried_once_wrong_and_solved_with_two_hints()
    said = progress().stdout
    [row] = [line for line in said.splitlines() if forward_pass.dense_layer.title in line]
    assert re.search(r"core +2 +\d{4}-\d\d-\d\d +2$", row), row
    [row] = [line for line in said.splitlines() if line.startswith("  ReLU ")]
    assert re.search(r"core +1 +0$", row), row
    count = len(all_exercises()["forward_pass"])
    assert f"  {count} exercises: 2 tried, 1 solved, 2 hints" in said
    assert "amaas lab" not in said


def test_a_script_reads_the_same():
    tried_once_wrong_and_solved_with_two_hints()
    report = json.loads(progress("--json").stdout)
    assert report["note"] is None
    by_name = {lesson["lesson"]: lesson for lesson in report["lessons"]}
    assert list(by_name) == list(all_exercises())
    lesson = by_name["forward_pass"]
    assert (lesson["tried"], lesson["solved"], lesson["hints"]) == (2, 1, 2)
    rows = {row["name"]: row for row in lesson["rows"]}
    assert rows["dense_layer"]["attempts"] == 2
    assert rows["dense_layer"]["solved"] is not None
    assert rows["relu_activation"]["solved"] is None
    assert rows["stable_softmax"]["attempts"] == 0


def test_a_broken_file_is_said_and_not_fatal(home):
    home.mkdir()
    (home / "progress.json").write_text("{")
    done = progress()
    assert "none tried" in done.stdout
    assert "progress.broken-1.json" in done.stderr
    assert (home / "progress.broken-1.json").read_text() == "{"
    assert progress().stderr == ""


def test_a_home_that_cannot_be_made_is_said(tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("AMAAS_HOME", str(tmp_path / "file" / "home"))
    done = progress()
    assert "none tried" in done.stdout
    report = json.loads(progress("--json").stdout)
    assert all(lesson["tried"] == 0 for lesson in report["lessons"])
