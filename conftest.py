"""How the kit's tests run: stores of their own, notebooks with time to think, a summary by kind."""

from __future__ import annotations

import os
import platform
import shutil
import statistics
import tempfile
from collections import Counter, defaultdict
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parent

KINDS = {
    "notebooks": "notebooks",
    "tests/bentos": "Bento",
    "tests/browser": "browser",
    "tests/cli": "command line",
    "tests/project": "project",
}
"""What a test is called in the summary, by its folder; all others are unit tests."""

NOTEBOOK_SECONDS = 300
"""So long a cell may take, and may be silent."""

STORES = ("AMAAS_HOME", "BENTOML_HOME")

SOAK = os.environ.get("AMAAS_SOAK") == "1"
SOAK_EXAMPLES = 2_000
SOAK_REPORT = os.environ.get("AMAAS_SOAK_REPORT")
"""Where `make soak` wants its table; a soak of a few tests writes none."""

IN_CI = os.environ.get("CI") == "true"
VIEW_TIMES = {"view first paint": "first paint", "view update": "update"}
"""The times that the browser tests measure, and what the summary calls them."""

NEEDS_HARDWARE = "needs hardware"
"""How the reason of a skip begins that is right in CI too: no program can be installed for it."""

_outcomes: defaultdict[str, Counter[str]] = defaultdict(Counter)
_seconds: defaultdict[str, float] = defaultdict(float)
_views: defaultdict[str, defaultdict[str, list[int]]] = defaultdict(lambda: defaultdict(list))
_unmet: list[str] = []
_notebook: list[Path] = []


def pytest_configure(config: pytest.Config) -> None:
    """Give the run its own stores, and nbval the project's settings."""
    _new_stores(config)
    if hasattr(config.option, "nbval_sanitize_with"):
        config.option.nbval_sanitize_with = str(ROOT / "tests" / "notebooks" / "sanitize.cfg")
        config.option.nbval_cell_timeout = NOTEBOOK_SECONDS
    try:
        import hypothesis
    except ImportError:
        return
    hypothesis.settings.register_profile("amaas", deadline=None)
    hypothesis.settings.load_profile("amaas")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Order, time and draws.

    Kinds whose tests are long come first, so that no worker is left alone with one at the end.
    Silent cells get time, where nbval alone gives five seconds. In a soak more inputs are drawn.
    """
    long_first = ["Bento", "browser", "command line", "notebooks"]
    items.sort(key=lambda item: _rank(_kind(item.nodeid), long_first))
    for item in items:
        if hasattr(item, "output_timeout"):
            item.output_timeout = NOTEBOOK_SECONDS
        drawn = getattr(getattr(item, "obj", None), "_hypothesis_internal_use_settings", None)
        if SOAK and drawn is not None:
            _draw_more(item, drawn)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Each notebook starts with empty stores, as a learner does."""
    if item.path.suffix == ".ipynb" and _notebook != [item.path]:
        _notebook[:] = [item.path]
        _new_stores(item.config)


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Count what happened, by kind."""
    kind = _kind(report.nodeid)
    _seconds[kind] += report.duration
    if report.when == "call" or report.outcome != "passed":
        _outcomes[kind][report.outcome] += 1
    if report.when == "teardown":
        _keep_view_times(report.user_properties)
    if report.skipped:
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        if NEEDS_HARDWARE not in reason:
            _unmet.append(f"{report.nodeid}: {reason}")


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Where everything can be installed, a test that was skipped has failed."""
    if IN_CI and _unmet and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """The table by kind, above pytest's own last line."""
    if not _outcomes:
        return
    terminalreporter.section("by kind")
    lines = _table()
    for line in lines:
        terminalreporter.line(line)
    if _views:
        terminalreporter.section("views: first paint / update, ms")
        for line in _view_table():
            terminalreporter.line(line)
    if IN_CI and _unmet:
        terminalreporter.line("Under CI=true nothing may be skipped for want of a program:")
        for line in _unmet:
            terminalreporter.line(f"  {line}")
    if SOAK and SOAK_REPORT:
        report = ROOT / SOAK_REPORT
        report.parent.mkdir(exist_ok=True)
        report.write_text(_soak_report(lines), encoding="utf-8")


def pytest_unconfigure(config: pytest.Config) -> None:
    """Remove the stores."""
    for folder in config.stash.get(_MADE, []):
        shutil.rmtree(folder, ignore_errors=True)


_MADE = pytest.StashKey[list[str]]()


def _new_stores(config: pytest.Config) -> None:
    made = config.stash.setdefault(_MADE, [])
    for name in STORES:
        made.append(tempfile.mkdtemp(prefix=f"{name.lower()}-"))
        os.environ[name] = made[-1]


def _rank(kind: str, first: list[str]) -> int:
    return first.index(kind) if kind in first else len(first)


def _draw_more(item: Any, settings: Any) -> None:
    import hypothesis

    more = hypothesis.settings(settings, max_examples=max(settings.max_examples, SOAK_EXAMPLES))
    function = getattr(item.obj, "__func__", item.obj)
    function._hypothesis_internal_use_settings = more


def _kind(nodeid: str) -> str:
    for folder, kind in KINDS.items():
        if nodeid.startswith(f"{folder}/"):
            return kind
    return "unit"


def _table() -> list[str]:
    lines = [f"{'kind':14}{'passed':>8}{'failed':>8}{'skipped':>8}{'seconds':>10}"]
    for kind in ["unit", *KINDS.values()]:
        counts = _outcomes.get(kind)
        if counts:
            numbers = "".join(f"{counts[name]:8}" for name in ("passed", "failed", "skipped"))
            lines.append(f"{kind:14}{numbers}{_seconds[kind]:10.1f}")
    return lines


def _keep_view_times(properties: list[tuple[str, Any]]) -> None:
    """Sort the times that a browser test measured by view."""
    for name, value in properties:
        if name in VIEW_TIMES:
            _views[value["view"]][VIEW_TIMES[name]].append(value["ms"])


def _view_table() -> list[str]:
    """Of each view the middle time and the longest, with how often it was measured."""
    names = list(VIEW_TIMES.values())
    lines = [f"{'view':22}" + "".join(f"{what + ' (longest, n)':>30}" for what in names)]
    for view in sorted(_views):
        times = [_views[view].get(what, []) for what in names]
        lines.append(f"{view:22}" + "".join(f"{_figures(one):>30}" for one in times))
    return lines


def _figures(ms: list[int]) -> str:
    return f"{statistics.median(ms):.0f} ({max(ms)}, {len(ms)})" if ms else "-"


def _soak_report(table: list[str]) -> str:
    versions = ", ".join(f"{name} {metadata.version(name)}" for name in ("tensorflow", "numpy"))
    return "\n".join(
        [
            "# Soak",
            "",
            f"`make soak`: every test with drawn inputs draws at least {SOAK_EXAMPLES:,} of them.",
            f"{platform.machine()}, {os.cpu_count()} cores, {platform.system()}, "
            f"Python {platform.python_version()}, {versions}.",
            "",
            "```",
            *table,
            "```",
            "",
        ]
    )
