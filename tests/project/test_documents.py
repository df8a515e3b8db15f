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
COURSE = ROOT / "notebooks"
PAGES = sorted([*ROOT.glob("*.md"), *COURSE.glob("*.md")])
HAN = re.compile(r"[\u4e00-\u9fff]")


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
        assert "://" in link or (page.parent / link).exists(), link


def glossary() -> dict[str, str]:
    """The terms of the glossary with what is said of each."""
    parts = re.split(r"^### (.+)$", (COURSE / "glossary.md").read_text("utf-8"), flags=re.M)
    return dict(zip(parts[1::2], map(str.strip, parts[2::2]), strict=True))


def test_the_glossary_is_in_alphabetical_order_without_a_term_twice():
    terms = re.findall(r"^### (.+)$", (COURSE / "glossary.md").read_text("utf-8"), re.M)
    assert terms == sorted(set(terms), key=str.lower)
    assert len({term.lower() for term in terms}) == len(terms)


def test_each_term_has_its_chinese_a_definition_and_its_lesson():
    here = {int(path.name[:2]): path.name for path in COURSE.glob("*.ipynb")}
    for term, text in glossary().items():
        chinese, definition, lesson = re.fullmatch(
            r"\*\*(.+?)\*\*\. (.+) \*(\S.*)\.\*", text, re.DOTALL
        ).groups()
        assert HAN.search(chinese), term
        assert 20 < len(definition) < 400, term
        number = int(re.search(r"Lesson (\d+)", lesson)[1])
        linked = f"[Lesson {number}]({here[number]})" if number in here else f"Lesson {number}"
        assert lesson == linked, term


@pytest.mark.parametrize(
    ("chinese", "term"),
    [
        ("反向传播", "Backpropagation"),
        ("梯度下降", "Gradient descent"),
        ("水平分区", "Horizontal partitioning"),
        ("垂直分区", "Vertical partitioning"),
        ("大模型", "Large model"),
        ("服务化", "Servitisation"),
        ("前向传播", "Forward pass"),
        ("数据分区", "Data partitioning"),
        ("分布式计算", "Distributed computing"),
    ],
)
def test_the_terms_of_the_subject_are_in_the_glossary(chinese, term):
    assert glossary()[term].startswith(f"**{chinese}**")


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
