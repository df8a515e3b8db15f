"""How many minutes a lesson takes: an estimate from what stands in its notebook.

No learner was timed. The estimate adds up, for all that is not marked as optional:

- the words of the prose and of the exercises' statements, at 150 words a minute. Plain prose is
  read at about 240 (M. Brysbaert, "How many words do we read per minute?", 2019); prose with
  formulas, in a subject that is new, more slowly;
- 20 seconds for each displayed formula;
- for each code cell 10 seconds, to run it and look at what came, and 4 seconds for each line;
- 15 seconds for each figure, and 3 minutes for each view, to move its controls;
- 6 minutes for each core exercise, with its answer, checks and hints, or as many as the lesson
  grants ("Give it twenty minutes");
- the time that the cells themselves take, as it was measured by `--run`.

The sum is rounded to 5 minutes. Not counted are the list of further reading, and what is marked
as optional: exercises, and sections whose heading says so.

    python tools/minutes.py             the estimate of each lesson, and of the paths
    python tools/minutes.py --run       run the lessons first and keep how long each took
    python tools/minutes.py --write     put the minutes into the lessons, the map and the README
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import platform
import re
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from importlib import metadata
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
NOTEBOOKS = ROOT / "notebooks"
INDEX = NOTEBOOKS / "index.md"
README = ROOT / "README.md"
MEASURED = ROOT / "tools" / "run_seconds.json"
"""How long the cells of each lesson took, on which machine, written by `--run`."""

WORDS_PER_MINUTE = 150
SECONDS_PER_FORMULA = 20
SECONDS_PER_CELL = 10
SECONDS_PER_LINE = 4
SECONDS_PER_FIGURE = 15
MINUTES_PER_VIEW = 3
MINUTES_PER_EXERCISE = 6
ROUNDED_TO = 5

PATHS: dict[str, dict[str, tuple[str, ...]]] = {
    "Half a day": {
        "00": (),
        "01": ("A digit on its way through the layers", "The same network in TensorFlow"),
        "02": (
            "Why a topological order",
            "Checking a gradient",
            "Two witnesses for the whole network",
            "One gradient step lowers the loss",
        ),
        "04": (
            "A program with eight faults",
            "Split without leakage",
            "What fit does",
            "A confusion matrix",
            "Size against accuracy",
        ),
        "11": ("How long an answer takes", "The same for values", "Your own CSV"),
    },
    "One day": {
        "00": (),
        "01": ("The same network in TensorFlow",),
        "02": ("Why a topological order", "One gradient step lowers the loss"),
        "03": (
            "The digits by hand",
            "The landscape around a trained network",
            "The limit in a real network",
            "The same loop in TensorFlow",
            "When training diverges",
        ),
        "04": ("What fit does", "Size against accuracy"),
        "05": (
            "Only the columns that a question needs",
            "A part is added",
            "The digits, cut",
        ),
        "11": ("How long an answer takes", "The same for values", "Your own CSV"),
    },
}
"""The lessons of each path, with the sections that it leaves out."""

HEADER = re.compile(r"About \d+ minutes")
EXERCISE = re.compile(r"^ex\.(\w+)$")
BELONGS_TO_EXERCISE = re.compile(r"^ex\.\w+|^[^#\n]*(?<!import )____(?!,)", re.MULTILINE)
VIEW = re.compile(r"\bviews\.[A-Z]\w*\(")
HEADING = re.compile(r"^(#+) +(.+?)\s*$", re.MULTILINE)
FORMULA = re.compile(r"\$\$.*?\$\$", re.DOTALL)
WORD = re.compile(r"[^\W\d_]{2,}|\d+")

GRANTED = re.compile(r"Give it (\w+) minutes")
NUMBERS = {"ten": 10, "fifteen": 15, "twenty": 20, "thirty": 30}

UNREAD = "Further reading"
OPTIONAL = re.compile(r"\boptional\b", re.IGNORECASE)


@dataclass(frozen=True)
class Estimate:
    """Minutes of one lesson, by what they go into."""

    reading: float
    code: float
    figures: float
    views: float
    exercises: float
    running: float

    @property
    def minutes(self) -> int:
        """The sum, rounded to 5 minutes."""
        total = sum(getattr(self, field.name) for field in fields(self))
        return int(ROUNDED_TO * max(1, round(total / ROUNDED_TO)))


def lessons() -> dict[str, Path]:
    """Number -> notebook, in the order of the course."""
    return {path.name[:2]: path for path in sorted(NOTEBOOKS.glob("[0-9]*.ipynb"))}


def estimate(lesson: Path, without: Sequence[str] = ()) -> Estimate:
    """The minutes of a lesson.

    Args:
        lesson: its notebook.
        without: headings of sections that are left out. The time of running is shortened in
            proportion to the code cells.

    Raises:
        ValueError: there is no such heading.
    """
    every = list(counted(read(lesson)))
    cells = list(counted(read(lesson), without))
    prose = [cell["source"] for cell in cells if cell["cell_type"] == "markdown"]
    code = [cell for cell in cells if cell["cell_type"] == "code"]
    core = [one for cell in code if (one := exercise_of(lesson, cell["source"])) and one.core]
    plain = [cell["source"] for cell in code if not BELONGS_TO_EXERCISE.search(cell["source"])]
    prose += [one.statement for one in core]
    words = sum(len(WORD.findall(FORMULA.sub(" ", text))) for text in prose)
    formulas = sum(len(FORMULA.findall(text)) for text in prose)
    lines = sum(len(source.splitlines()) for source in plain)
    granted = [NUMBERS[word] for text in prose for word in GRANTED.findall(text)]
    part = len(code) / max(1, sum(cell["cell_type"] == "code" for cell in every))
    return Estimate(
        reading=words / WORDS_PER_MINUTE + formulas * SECONDS_PER_FORMULA / 60,
        code=(len(plain) * SECONDS_PER_CELL + lines * SECONDS_PER_LINE) / 60,
        figures=sum(has_figure(cell) for cell in code) * SECONDS_PER_FIGURE / 60,
        views=sum(len(VIEW.findall(cell["source"])) for cell in code) * MINUTES_PER_VIEW,
        exercises=sum(granted) + (len(core) - len(granted)) * MINUTES_PER_EXERCISE,
        running=run_seconds(lesson) * part / 60,
    )


def read(lesson: Path) -> list[dict[str, Any]]:
    """The cells of a notebook, each with its source as one text."""
    cells: list[dict[str, Any]] = json.loads(lesson.read_bytes())["cells"]
    return [cell | {"source": "".join(cell["source"])} for cell in cells]


def counted(
    cells: Sequence[dict[str, Any]], without: Sequence[str] = ()
) -> Iterator[dict[str, Any]]:
    """The cells that count: not of optional sections, of further reading, or of `without`."""
    missing = set(without)
    left_out = 0
    for cell in cells:
        heading = HEADING.search(cell["source"]) if cell["cell_type"] == "markdown" else None
        if heading:
            level, title = len(heading[1]), heading[2]
            if left_out and level <= left_out:
                left_out = 0
            if not left_out and (title in (UNREAD, *without) or OPTIONAL.search(title)):
                left_out = level
            missing.discard(title)
        if not left_out:
            yield cell
    if missing:
        raise ValueError(f"there are no sections {sorted(missing)}")


def exercise_of(lesson: Path, source: str) -> Any:
    """The exercise whose statement a cell shows, or None."""
    shown = EXERCISE.match(source.strip())
    if not shown:
        return None
    module = importlib.import_module(f"amaas_kit.exercises.{lesson.stem[3:]}")
    return getattr(module, shown[1])


def has_figure(cell: dict[str, Any]) -> bool:
    """Whether a cell shows a picture."""
    return any("image/png" in output.get("data", {}) for output in cell.get("outputs", []))


def run_seconds(lesson: Path) -> float:
    """How long the cells of a lesson took when `--run` was last called."""
    measured: dict[str, float] = json.loads(MEASURED.read_bytes())["seconds"]
    return measured[lesson.stem]


def measure(chosen: Sequence[Path]) -> None:
    """Run lessons in fresh kernels and write down how long each took, with machine and versions."""
    before = json.loads(MEASURED.read_bytes())["seconds"] if MEASURED.exists() else {}
    seconds = before | {lesson.stem: round(run(lesson), 1) for lesson in chosen}
    facts = {
        "machine": f"{os.cpu_count()} cores, {platform.machine()}, {platform.system()}",
        "python": platform.python_version(),
        "tensorflow": metadata.version("tensorflow"),
        "numpy": metadata.version("numpy"),
        "seconds": dict(sorted(seconds.items())),
    }
    MEASURED.write_text(json.dumps(facts, indent=2) + "\n", encoding="utf-8")


def run(lesson: Path) -> float:
    """Seconds from the start of a kernel to the end of the last cell, in stores of its own."""
    import nbformat
    from nbclient import NotebookClient

    notebook = nbformat.reads(lesson.read_text(encoding="utf-8"), as_version=4)  # type: ignore[no-untyped-call]
    with tempfile.TemporaryDirectory() as folder:
        for store in ("AMAAS_HOME", "BENTOML_HOME"):
            os.environ[store] = str(Path(folder, store.lower()))
        client = NotebookClient(
            notebook, timeout=600, resources={"metadata": {"path": str(NOTEBOOKS)}}
        )
        began = time.monotonic()
        client.execute()
        return time.monotonic() - began


def path_minutes(path: str) -> dict[str, int]:
    """The minutes of each lesson of a path, by number."""
    here = lessons()
    return {
        number: estimate(here[number], without).minutes for number, without in PATHS[path].items()
    }


def path_section(path: str) -> str:
    """One path as a section of the course map: a row for each lesson, and the sum."""
    minutes = path_minutes(path)
    lines = [f"### {path}", "", "| lesson | minutes | leave out |", "|:---|---:|:---|"]
    for number, without in PATHS[path].items():
        lesson = lessons()[number]
        sections = ", ".join(f"*{title}*" for title in without)
        lines.append(f"| [{title_of(lesson)}]({lesson.name}) | {minutes[number]} | {sections} |")
    return "\n".join([*lines, f"| together | **{sum(minutes.values())}** | |"])


def title_of(lesson: Path) -> str:
    """The title of a lesson, such as "1. The forward pass"."""
    heading = HEADING.search(read(lesson)[0]["source"])
    if heading is None:
        raise ValueError(f"{lesson.name} does not begin with a title")
    return heading[2]


def write() -> None:
    """Put the minutes into each lesson's opening, the course map and the README."""
    minutes = {number: estimate(lesson).minutes for number, lesson in lessons().items()}
    for number, lesson in lessons().items():
        replace(lesson, HEADER, f"About {minutes[number]} minutes")
        row = re.compile(rf"^(\| \[\d+\. [^\]]+\]\({lesson.name}\) \|[^|]+\| )\d*( \|)", re.M)
        replace(INDEX, row, rf"\g<1>{minutes[number]}\g<2>")
        row = re.compile(rf"^(\| {number} [^|]+\|[^|]+\| )\d*( \|)$", re.MULTILINE)
        replace(README, row, rf"\g<1>{minutes[number]}\g<2>")
    for path in PATHS:
        section = re.compile(rf"^### {path}\n.*?(?=\n\n[^|])", re.DOTALL | re.MULTILINE)
        replace(INDEX, section, path_section(path))
        total = sum(path_minutes(path).values())
        row = re.compile(rf"^(\| {path} \| )\d*( \|)", re.MULTILINE)
        replace(README, row, rf"\g<1>{total}\g<2>")


def replace(file: Path, pattern: re.Pattern[str], by: str) -> None:
    """Replace the first place in a file that a pattern matches, and nothing else.

    Raises:
        ValueError: there is none.
    """
    text = file.read_text(encoding="utf-8")
    new, found = pattern.subn(by, text, count=1)
    if not found:
        raise ValueError(f"{file.name} has no place for minutes like {pattern.pattern!r}")
    if new != text:
        file.write_text(new, encoding="utf-8")


def report() -> Iterator[str]:
    """The estimates as lines of text."""
    names = [field.name for field in fields(Estimate)]
    yield f"{'minutes':22}{'about':>8}" + "".join(f"{name:>11}" for name in names)
    for lesson in lessons().values():
        one = estimate(lesson)
        parts = "".join(f"{getattr(one, name):11.1f}" for name in names)
        yield f"{lesson.stem:22}{one.minutes:8}{parts}"
    for path in PATHS:
        minutes = path_minutes(path)
        yield f"{path:22}{sum(minutes.values()):8}   {minutes}"


def main() -> None:
    """Print the estimates; measure or write first where that was asked for."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--run", nargs="*", metavar="NUMBER", help="run these lessons, or all")
    parser.add_argument("--write", action="store_true", help="put the minutes where they stand")
    asked = parser.parse_args()
    if asked.run is not None:
        here = lessons()
        measure([here[number] for number in asked.run or here])
    if asked.write:
        write()
    print(*report(), sep="\n")


if __name__ == "__main__":
    main()
