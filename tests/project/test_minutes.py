"""The minutes that lessons, course map and README state are those that the tool makes."""

from __future__ import annotations

import importlib.util
import json
import re
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
INDEX = (ROOT / "notebooks" / "index.md").read_text(encoding="utf-8")
README = (ROOT / "README.md").read_text(encoding="utf-8")


def load_tool():
    spec = importlib.util.spec_from_file_location("minutes", ROOT / "tools" / "minutes.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules["minutes"] = module
    spec.loader.exec_module(module)
    return module


tool = load_tool()
LESSONS = tool.lessons()


@pytest.mark.parametrize("number", LESSONS)
def test_a_lesson_says_its_minutes_and_map_and_readme_say_the_same(number):
    lesson = LESSONS[number]
    minutes = str(tool.estimate(lesson).minutes)
    opening = "".join(cell["source"] for cell in tool.read(lesson)[:2])
    assert re.findall(r"About (\d+) minutes", opening) == [minutes]
    assert re.findall(rf"\]\({lesson.name}\) \|[^|]+\| (\d+) \| \w", INDEX) == [minutes]
    assert re.findall(rf"^\| {number} [^|]+\|[^|]+\| (\d+) \|$", README, re.M) == [minutes]


@pytest.mark.parametrize("path", tool.PATHS)
def test_the_sum_of_a_path_is_that_of_its_lessons(path):
    parts = tool.path_minutes(path)
    assert f"{tool.path_section(path)}\n\n" in INDEX
    row = f"| {path} | {sum(parts.values())} | {', '.join(parts)} |"
    assert row in README.splitlines()


def test_the_measured_times_name_machine_and_versions():
    facts = json.loads(tool.MEASURED.read_bytes())
    assert set(facts["seconds"]) == {path.stem for path in LESSONS.values()}
    assert all(seconds > 0 for seconds in facts["seconds"].values())
    assert facts["machine"]
    assert facts["tensorflow"]


@pytest.fixture
def lesson(tmp_path, monkeypatch):
    """A function that makes a lesson of cells; it ran for a minute."""
    monkeypatch.setattr(tool, "MEASURED", tmp_path / "run_seconds.json")
    tool.MEASURED.write_text(json.dumps({"seconds": {"01_forward_pass": 60}}))

    def make(*cells):
        path = tmp_path / "01_forward_pass.ipynb"
        kinds = {"#": "markdown", "*": "markdown"}
        made = [{"cell_type": kinds.get(one[0], "code"), "source": [one]} for one in cells]
        path.write_text(json.dumps({"cells": made}))
        return path

    return make


TITLE = "# 1. Title"


def test_words_lines_views_and_the_run_are_added_up(lesson):
    words = " ".join(["word"] * 299)
    found = tool.estimate(lesson(f"{TITLE} {words}", "x = 1\ny = 2", "views.Explorer()"))
    assert found.reading == pytest.approx(301 / 150)
    assert found.code == pytest.approx((2 * 10 + 3 * 4) / 60)
    assert found.views == 3
    assert found.running == pytest.approx(1)
    assert found.minutes == 5


def test_a_formula_counts_by_itself_and_not_by_its_letters(lesson):
    plain = tool.estimate(lesson("# words"))
    formula = tool.estimate(lesson("# words\n$$\\frac{\\partial L}{\\partial w} = x^T \\delta$$"))
    assert formula.reading - plain.reading == pytest.approx(20 / 60)


def test_a_core_exercise_counts_with_its_statement_and_an_optional_one_does_not(lesson):
    from amaas_kit.exercises import forward_pass

    answer = "def dense(x, w, b):\n    return ____"
    core = tool.estimate(lesson("# 1", "ex.dense_layer", answer, "ex.dense_layer.check(dense)"))
    assert core.exercises == 6
    assert core.code == 0
    assert core.reading > len(forward_pass.dense_layer.statement.split()) / 300
    granted = tool.estimate(lesson("# 1", "*Give it twenty minutes.*", "ex.dense_layer"))
    assert granted.exercises == 20
    optional = [one for one in vars(forward_pass).values() if getattr(one, "core", True) is False]
    assert tool.estimate(lesson("# 1", f"ex.{optional[0].name}")).exercises == 0


def test_optional_sections_and_further_reading_are_left_out(lesson):
    words = " ".join(["word"] * 150)
    whole = tool.estimate(lesson(TITLE, f"## Part\n{words}"))
    assert tool.estimate(lesson(TITLE, f"## Part (optional)\n{words}")).reading < whole.reading / 2
    assert tool.estimate(lesson(TITLE, f"## Further reading\n{words}")).reading < 0.5
    nested = lesson(TITLE, "## A (optional)", f"### B\n{words}", f"## C\n{words}")
    assert tool.estimate(nested).reading == pytest.approx(whole.reading, abs=0.05)


def test_a_section_that_is_left_out_does_not_count_and_must_exist(lesson):
    path = lesson(TITLE, "x = 1", "## Second", "y = 2", "### Its part", "z = 3", "## Third", "1")
    part = tool.estimate(path, ["Second"])
    assert part.code == pytest.approx(tool.estimate(path).code / 2)
    assert part.running == pytest.approx(0.5)
    with pytest.raises(ValueError, match="Fourth"):
        tool.estimate(path, ["Fourth"])


def test_minutes_are_put_in_their_place_and_nothing_else_changes(tmp_path):
    file = tmp_path / "lesson.ipynb"
    file.write_text('{"source": ["About 20 minutes; About 7 minutes"], "id": "a"}')
    tool.replace(file, tool.HEADER, "About 35 minutes")
    assert file.read_text() == '{"source": ["About 35 minutes; About 7 minutes"], "id": "a"}'
    with pytest.raises(ValueError, match="no place"):
        tool.replace(file, re.compile("About x"), "")
