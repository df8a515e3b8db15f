"""What the README and its neighbours say is so."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
import yaml

from amaas_kit import __version__, cli

ROOT = Path(__file__).parent.parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
PAGES = sorted(ROOT.glob("*.md"))


def goals() -> set[str]:
    """The goals of the Makefile that are for people."""
    text = (ROOT / "Makefile").read_text()
    return set(re.findall(r'"make (\w+)', text))


def test_the_readme_has_every_goal_of_make_and_no_other():
    assert set(re.findall(r"^\| `make (\w+)", README, re.MULTILINE)) == goals()
    assert set(re.findall(r"\bmake (\w+)`", README)) <= goals()


def test_the_readme_has_every_command_and_no_other():
    listed = re.findall(r"^\| `amaas (\w+)", README, re.MULTILINE)
    assert set(listed) == set(cli.main.commands)
    assert set(re.findall(r"`amaas (\w+)", README)) <= set(cli.main.commands)


def test_the_course_map_tells_the_lessons_that_are_there_from_those_to_come():
    rows = re.findall(r"^\| (\d\d) [^|]+\| ([^|]+)\|", README, re.MULTILINE)
    assert [number for number, _ in rows] == [f"{number:02}" for number in range(12)]
    here = {path.name[:2] for path in (ROOT / "notebooks").glob("*.ipynb")}
    assert {number for number, what in rows if "*coming*" not in what} == here


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.name)
def test_links_to_files_lead_somewhere(page):
    links = re.findall(r"\]\(([^)#]+)\)", page.read_text(encoding="utf-8"))
    for link in links:
        assert "://" in link or (ROOT / link).exists(), link


def test_the_version_is_the_same_everywhere():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert project["version"] == citation["version"] == __version__
    assert f"## {__version__}" in (ROOT / "CHANGELOG.md").read_text()
    assert project["license"] == citation["license"] == "Apache-2.0"


def test_the_licence_is_whole():
    text = (ROOT / "LICENSE").read_text()
    assert text.strip().startswith("Apache License")
    for number in range(1, 10):
        assert f"   {number}. " in text
    assert text.rstrip().endswith("limitations under the License.")
