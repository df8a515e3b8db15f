"""Lessons opened in real Chromium by `amaas lab`, read and moved as a learner would.

A lesson is opened and run once for all tests of a file. After each test the page is asked what
went wrong in it: errors of the page, errors in its console, requests that left this machine.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import re
import shutil
import subprocess
import sys
import time
import urllib.parse
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import nbformat
import psutil
import pytest
from playwright import sync_api as playwright

from amaas_kit import doctor

ROOT = Path(__file__).parent.parent.parent
PICTURES = ROOT / "artefacts"
"""Where screenshots go, for a person to look at."""

RUN_SECONDS = 300
PAGE_SECONDS = 90

THEMES = {"light": "JupyterLab Light", "dark": "JupyterLab Dark"}

# Menus that are clicked while the page still settles sometimes do nothing; a command, given when
# the kernel has answered, always runs.
READY = """async () => {
  const panel = window.jupyterapp.shell.currentWidget;
  await panel.context.ready;
  await panel.sessionContext.ready;
  await panel.sessionContext.session.kernel.info;
}"""

RUN_ALL = "() => window.jupyterapp.commands.execute('notebook:run-all-cells')"

OPENED = "() => window.jupyterapp?.shell.currentWidget?.context?.path"

CELLS = "() => window.jupyterapp.shell.currentWidget.content.model.sharedModel.toJSON().cells"

SHOW_CELL = """async at => {
  const notebook = window.jupyterapp.shell.currentWidget.content;
  notebook.activeCellIndex = at;
  notebook.deselectAll();
  await notebook.scrollToItem(at, 'start');
}"""

RUN_CELL = """async at => {
  const { shell, commands } = window.jupyterapp;
  shell.currentWidget.content.activeCellIndex = at;
  shell.currentWidget.content.deselectAll();
  await commands.execute('notebook:run-cell');
}"""

WRITE_CELL = """([at, source]) => {
  window.jupyterapp.shell.currentWidget.content.model.cells.get(at).sharedModel.setSource(source);
}"""

INTERRUPT = """() => {
  window.jupyterapp.shell.currentWidget.sessionContext.session.kernel.interrupt();
}"""

KERNEL_IDLE = """() => {
  const kernel = window.jupyterapp.shell.currentWidget.sessionContext.session.kernel;
  return kernel.status === 'idle';
}"""

WATCH = """view => {
  const watch = { inputs: [], changes: [], pending: 0 };
  const inputs = ['keydown', 'pointerdown', 'pointermove', 'pointerup', 'click', 'input', 'change'];
  const heard = event => {
    if (event.type !== 'pointermove' || event.buttons) watch.inputs.push(performance.now());
  };
  const painted = async () => {
    watch.pending += 1;
    const picture = view.querySelector('img.amaas-picture');
    await picture?.decode().catch(() => {});
    watch.changes.push(performance.now());
    watch.pending -= 1;
  };
  const shown = () => [
    view.querySelector('.amaas-says')?.textContent,
    view.querySelector('img.amaas-picture')?.src,
  ].join();
  let before = shown();
  const observer = new MutationObserver(() => {
    const now = shown();
    if (now !== before) { before = now; painted(); }
  });
  observer.observe(view, {
    attributes: true, attributeFilter: ['src'], characterData: true, childList: true, subtree: true,
  });
  inputs.forEach(name => window.addEventListener(name, heard, true));
  watch.stop = () => {
    observer.disconnect();
    inputs.forEach(name => window.removeEventListener(name, heard, true));
  };
  window.amaasWatch = watch;
}"""

SETTLED = """quiet => {
  const { inputs, changes, pending } = window.amaasWatch;
  const last = changes.at(-1);
  return inputs.some(at => at < last) && !pending && performance.now() - last > quiet;
}"""

LATENCY = """() => {
  const { inputs, changes, stop } = window.amaasWatch;
  stop();
  const last = changes.at(-1);
  return (last - Math.max(...inputs.filter(at => at < last))) / 1000;
}"""

FIRST_PAINT = """async ([at, name]) => {
  const { shell, commands } = window.jupyterapp;
  const notebook = shell.currentWidget.content;
  const cell = notebook.widgets[at].node;
  const old = cell.querySelector(`.amaas-${name}`);
  notebook.activeCellIndex = at;
  notebook.deselectAll();
  const start = performance.now();
  commands.execute('notebook:run-cell');
  const picture = await new Promise(resolve => {
    const look = () => {
      const view = cell.querySelector(`.amaas-${name}`);
      const found = view && view !== old && view.querySelector('img.amaas-picture');
      if (found && found.src) { observer.disconnect(); resolve(found); }
    };
    const observer = new MutationObserver(look);
    observer.observe(cell, { attributes: true, childList: true, subtree: true });
  });
  await picture.decode();
  return (performance.now() - start) / 1000;
}"""

IN_TIME = """([argument, ms]) => Promise.race([
  (%s)(argument),
  new Promise((_, fail) => setTimeout(() => fail(new Error(`not done after ${ms} ms`)), ms)),
])"""

KERNEL = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}

FOCUSABLE = ".noUi-handle, select, input, textarea, button"

QUIET_MS = 150
"""A view has settled when it did not change for so long."""


class View:
    """One widget of the kit in an open lesson."""

    def __init__(self, lesson: Lesson, name: str, element: playwright.Locator) -> None:
        self.lesson = lesson
        self.name = name
        self.element = element

    def says(self) -> str:
        """The sentence under the picture."""
        return self.element.locator(".amaas-says").inner_text().strip()

    def alt(self) -> str:
        """What the picture says to someone who cannot see it."""
        return self.element.locator("img.amaas-picture").get_attribute("alt") or ""

    def control(self, description: str) -> playwright.Locator:
        """What takes the keyboard's focus in the control of that description.

        Of a slider its handle (two for a range), of a dropdown the select, of a button itself.
        """
        button = self.element.get_by_role("button", name=description, exact=True)
        named = self.box(description).locator(FOCUSABLE)
        found = button.or_(named)
        found.first.wait_for()
        return found

    def box(self, description: str) -> playwright.Locator:
        """The whole control of that description, its label included."""
        label = self.element.locator(".widget-label, .widget-label-basic").filter(
            has_text=re.compile(rf"^\s*{re.escape(description)}\s*$")
        )
        return label.locator("xpath=..")

    def changes(self, act: Callable[[], object], seconds: float = 30) -> float:
        """Do something, and wait until the view has another sentence or picture and is at rest.

        Returns:
            Seconds from the last key, click or movement before the last change until the picture
            of that change was ready to be shown. They are kept for the summary of the test run.
        """
        page = self.lesson.page
        self.element.evaluate(WATCH)
        act()
        page.wait_for_function(SETTLED, arg=QUIET_MS, timeout=seconds * 1000)
        took = float(page.evaluate(LATENCY))
        self.lesson.record("view update", self.name, took)
        return took

    def draw(self, *lines: Sequence[tuple[float, float]]) -> None:
        """Draw lines on a digit pad with the mouse, each a list of shares of the paper."""
        box = self.element.locator(".amaas-paper").bounding_box()
        assert box, "there is no paper to draw on"
        mouse = self.lesson.page.mouse
        for line in lines:
            places = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in line]
            mouse.move(*places[0])
            mouse.down()
            for place in places[1:]:
                mouse.move(*place, steps=4)
            mouse.up()

    def picture(self, name: str) -> Path:
        """A screenshot of the view alone, among the artefacts."""
        self.element.scroll_into_view_if_needed()
        path = self.lesson.picture_path(name)
        self.element.screenshot(path=path)
        return path


class Lesson:
    """A notebook that is open in JupyterLab."""

    def __init__(self, page: playwright.Page, path: str, work: Path) -> None:
        self.page = page
        self.path = path
        self.work = work
        self.theme_now = "light"
        self.measured: Callable[[str, dict[str, Any]], None] | None = None

    @property
    def cells(self) -> list[dict[str, Any]]:
        """The cells as the page has them now, outputs included."""
        found: list[dict[str, Any]] = self.page.evaluate(CELLS)
        return found

    def at(self, cell: int | str) -> int:
        """The place of a cell, by its id."""
        if isinstance(cell, int):
            return cell
        return [one["id"] for one in self.cells].index(cell)

    def run(self) -> None:
        """Run all cells, and wait for the end of the last one."""
        ask(self.page, READY)
        ask(self.page, RUN_ALL, seconds=RUN_SECONDS)
        self.wait_until_idle()

    def write(self, cell: int | str, source: str) -> None:
        """Replace what stands in a cell, as if it had been typed."""
        self.page.evaluate(WRITE_CELL, [self.at(cell), source])

    def run_cell(self, cell: int | str, wait: bool = True) -> str:
        """Run one cell.

        Args:
            cell: its id or its place.
            wait: for its end; without it, the cell is still running when this returns.

        Returns:
            What it printed and showed, as text.
        """
        at = self.at(cell)
        if not wait:
            self.page.evaluate(f"at => {{ ({RUN_CELL})(at) }}", at)
            return ""
        ask(self.page, RUN_CELL, at, RUN_SECONDS)
        return text_of(self.cells[at])

    def has_ended(self, cell: int | str) -> bool:
        """Whether a cell has its number. (The kernel calls itself idle after each message.)"""
        return self.cells[self.at(cell)]["execution_count"] is not None

    def wait_for_the_end(self, cell: int | str) -> None:
        """Wait until a cell that was started has ended."""
        for _ in range(300):
            if self.has_ended(cell):
                return
            self.page.wait_for_timeout(200)
        pytest.fail("the cell still runs after a minute")

    def interrupt(self) -> None:
        """Interrupt the kernel, as the stop button above a notebook does."""
        self.page.evaluate(INTERRUPT)

    def last_line(self, cell: int | str) -> str:
        """The last line that a cell printed."""
        outputs = self.cells[self.at(cell)]["outputs"]
        text = "".join("".join(output.get("text", "")) for output in outputs)
        return text.strip().splitlines()[-1]

    def wait_until_idle(self, seconds: float = RUN_SECONDS) -> None:
        """Wait until the kernel has nothing to do."""
        self.page.wait_for_function(KERNEL_IDLE, timeout=seconds * 1000)

    def errors(self) -> list[str]:
        """The errors that cells ended with."""
        return [
            f"{cell['id']}: {output['ename']}: {output['evalue']}"
            for cell in self.cells
            for output in cell.get("outputs", [])
            if output["output_type"] == "error"
        ]

    def show(self, cell: int | str) -> None:
        """Scroll to a cell."""
        ask(self.page, SHOW_CELL, self.at(cell))

    def view(self, name: str, number: int = 0) -> View:
        """A widget of the kit by the name of its class, scrolled to.

        Args:
            name: of the class.
            number: which one, where a lesson shows several of the class.
        """
        self.show(self._place(name, number))
        element = self.page.locator(f".jp-NotebookPanel:visible .amaas-{name}").nth(number)
        element.wait_for(state="attached")
        element.scroll_into_view_if_needed()
        return View(self, name, element)

    def first_paint(self, name: str, number: int = 0) -> float:
        """Run a view's cell once more; seconds until its picture was ready to be shown."""
        at = self._place(name, number)
        self.show(at)
        self.wait_until_idle()
        took = float(ask(self.page, FIRST_PAINT, [at, name]))
        self.record("view first paint", name, took)
        self.wait_until_idle()
        return took

    def theme(self, name: str) -> None:
        """Turn JupyterLab "light" or "dark"."""
        self.page.evaluate(
            "theme => window.jupyterapp.commands.execute('apputils:change-theme', { theme })",
            THEMES[name],
        )
        is_light = str(name == "light").lower()
        self.page.wait_for_selector(f'body[data-jp-theme-light="{is_light}"]', state="attached")
        self.page.wait_for_timeout(500)
        self.theme_now = name

    def picture(self, name: str) -> Path:
        """A screenshot of the page as it is scrolled now, among the artefacts."""
        path = self.picture_path(name)
        self.page.screenshot(path=path)
        return path

    def pictures(self, *cells: str) -> None:
        """A screenshot of the page at each of these cells, in both themes."""
        for theme in THEMES:
            self.theme(theme)
            for cell in cells:
                self.show(cell)
                self.page.wait_for_timeout(300)
                self.picture(cell)

    def picture_path(self, name: str) -> Path:
        """Where a screenshot goes; what it shows in the dark says so."""
        PICTURES.mkdir(exist_ok=True)
        suffix = "" if self.theme_now == "light" else f"-{self.theme_now}"
        return PICTURES / f"{Path(self.path).stem}-{name}{suffix}.png"

    def record(self, what: str, name: str, seconds: float) -> None:
        """Keep a measured time for the summary."""
        if self.measured is not None:
            self.measured(what, {"view": name, "ms": round(seconds * 1000)})

    def _place(self, name: str, number: int) -> int:
        """The place of the cell that shows a view: its text begins with the view's name."""
        shown = [
            at
            for at, cell in enumerate(self.cells)
            for output in cell.get("outputs", [])
            if "".join(output.get("data", {}).get("text/plain", "")).startswith(f"{name}: ")
        ]
        assert len(shown) > number, f"{self.path} shows {len(shown)} of {name}"
        return shown[number]


def ask(
    page: playwright.Page, script: str, argument: object = None, seconds: float = PAGE_SECONDS
) -> Any:
    """Evaluate a function of the page that may take its time, but not more than so many seconds."""
    return page.evaluate(IN_TIME % script, [argument, seconds * 1000])


def text_of(cell: dict[str, Any]) -> str:
    """What a cell printed and showed, as text."""
    parts = []
    for output in cell.get("outputs", []):
        if output["output_type"] == "error":
            parts.append(f"{output['ename']}: {output['evalue']}")
        data = output.get("data", {})
        shown = output.get("text") or data.get("text/markdown") or data.get("text/plain") or ""
        parts.append("".join(shown))
    return "\n".join(parts)


class Watched:
    """What a page did that it should not."""

    def __init__(self, page: playwright.Page) -> None:
        self.hosts: set[str] = set()
        self.broken: list[str] = []
        page.on("request", lambda request: self._asked(request.url))
        page.on("websocket", self._connected)
        page.on("pageerror", lambda error: self.broken.append(f"page: {error}"))
        page.on("console", self._said)

    def _connected(self, socket: playwright.WebSocket) -> None:
        self._asked(socket.url)
        # JupyterLab connects again, but what the kernel said in between may be lost.
        socket.on("close", lambda closed: self.broken.append(f"lost its connection: {closed.url}"))

    def _asked(self, url: str) -> None:
        host = urllib.parse.urlsplit(url).hostname
        if host:
            self.hosts.add(host)

    def _said(self, message: playwright.ConsoleMessage) -> None:
        if message.type == "error":
            self.broken.append(f"console: {message.text} ({message.location.get('url')})")

    def require_nothing(self) -> None:
        """Fail with what was seen since the last time."""
        broken, self.broken = self.broken, []
        hosts, self.hosts = self.hosts, set()
        assert broken == []
        assert hosts <= {"127.0.0.1"}


class Lab:
    """`amaas lab`, running in a folder of its own, and Chromium to look at it."""

    def __init__(self, browser: playwright.Browser, address: str, work: Path) -> None:
        self.browser = browser
        self.address = address
        self.work = work
        self.pages: list[Watched] = []
        self.lessons: dict[str, Lesson] = {}
        self._made = itertools.count(1)

    def open_page(self, path: str = "") -> playwright.Page:
        """A new window at the address that `amaas lab` printed, or at one of its files."""
        context = self.browser.new_context(viewport={"width": 1400, "height": 1000})
        page = context.new_page()
        page.set_default_timeout(PAGE_SECONDS * 1000)
        self.pages.append(Watched(page))
        open_when_ready(page, self._url(path))
        page.wait_for_function(OPENED)
        return page

    def open_lesson(self, lesson: str | Path | nbformat.NotebookNode, run: bool) -> Lesson:
        """A notebook, opened once a file of tests; run to its end without an error, if wished."""
        name = self._file_of(lesson)
        if name not in self.lessons:
            page = self.open_page(name)
            page.wait_for_function(f"name => ({OPENED})() === name", arg=name)
            ask(page, READY)
            self.lessons[name] = Lesson(page, name, self.work)
            if run:
                self.lessons[name].run()
                assert self.lessons[name].errors() == []
        return self.lessons[name]

    def _file_of(self, lesson: str | Path | nbformat.NotebookNode) -> str:
        """The name of the learner's copy."""
        if isinstance(lesson, str):
            return lesson if lesson.endswith(".ipynb") else f"{lesson}.ipynb"
        if isinstance(lesson, Path):
            shutil.copy(lesson, self.work)
            return lesson.name
        name = f"made-{next(self._made)}.ipynb"
        lesson.metadata.setdefault("kernelspec", KERNEL)
        nbformat.write(lesson, self.work / name)
        return name

    def _url(self, path: str) -> str:
        if not path:
            return self.address
        parts = urllib.parse.urlsplit(self.address)
        return parts._replace(path=f"/lab/tree/{path}").geturl()


def open_when_ready(page: playwright.Page, address: str) -> None:
    """Load the page; JupyterLab says its address shortly before it answers."""
    deadline = time.monotonic() + PAGE_SECONDS
    while True:
        try:
            page.goto(address)
        except playwright.Error:
            if time.monotonic() > deadline:
                raise
            page.wait_for_timeout(500)
        else:
            return


@pytest.fixture(scope="module")
def browser() -> Iterator[playwright.Browser]:
    """Chromium, with nothing that calls home."""
    found = [program for name in doctor.CHROMIUM_NAMES if (program := shutil.which(name))]
    if not found:
        pytest.skip("needs Chromium: make system")
    quiet = ["--disable-background-networking", "--disable-component-update", "--disable-sync"]
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        quiet.append("--no-sandbox")
    with playwright.sync_playwright() as driver:
        chromium = driver.chromium.launch(executable_path=found[0], args=quiet)
        yield chromium
        chromium.close()


@pytest.fixture(scope="module")
def lab(browser: playwright.Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """`amaas lab` in an empty folder, for all tests of a file, with no settings of anybody's."""
    folder = tmp_path_factory.mktemp("lab")
    with running_lab(folder) as address:
        lab = Lab(browser, address, folder / "work")
        yield lab
        for context in browser.contexts:
            context.close()


@contextlib.contextmanager
def running_lab(folder: Path) -> Iterator[str]:
    """The address of `amaas lab`, started in a folder; it and its kernels end at the end."""
    settings = folder / "settings"
    settings.mkdir()
    expose = {"LabApp": {"expose_app_in_browser": True}}
    (settings / "jupyter_server_config.json").write_text(json.dumps(expose))
    environment = os.environ | {
        "AMAAS_HOME": str(folder / "amaas"),
        "IPYTHONDIR": str(folder / "ipython"),
        "JUPYTER_CONFIG_DIR": str(folder / "jupyter"),
        "JUPYTER_CONFIG_PATH": str(settings),
        "JUPYTER_DATA_DIR": str(folder / "jupyter-data"),
    }
    command = [sys.executable, "-m", "amaas_kit", "lab", "--no-browser", "--port", "0"]
    with subprocess.Popen(
        command, cwd=folder, env=environment, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            said = next((line for line in process.stdout or () if "http://" in line), "")
            assert said, f"amaas lab gave no address; it ended with status {process.poll()}"
            yield said.split()[-1]
        finally:
            end(process)


def end(process: subprocess.Popen[str]) -> None:
    """End a server and the kernels that it started."""
    if process.poll() is not None:
        return
    started = psutil.Process(process.pid).children(recursive=True)
    process.terminate()
    try:
        process.wait(timeout=30)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    _, alive = psutil.wait_procs(started, timeout=10)
    for left in alive:
        left.kill()


@pytest.fixture(scope="session")
def artefacts() -> Path:
    """Where screenshots go."""
    PICTURES.mkdir(exist_ok=True)
    return PICTURES


@pytest.fixture
def watched_lab(lab: Lab) -> Iterator[Lab]:
    """The running lab; at the end of a test its pages are asked what went wrong."""
    yield lab
    for page in lab.pages:
        page.require_nothing()


@pytest.fixture
def open_lesson(
    watched_lab: Lab, record_property: Callable[[str, object], None]
) -> Iterator[Callable[..., Lesson]]:
    """A function that opens a lesson, and keeps it open for the other tests of the file.

    `open_lesson("01_forward_pass")` runs it to its end; `run=False` does not. A path or a notebook
    made by `nbformat` is copied to the learner's folder first.
    """
    used: list[Lesson] = []

    def open_one(lesson: str | Path | nbformat.NotebookNode, run: bool = True) -> Lesson:
        opened = watched_lab.open_lesson(lesson, run)
        opened.measured = record_property
        used.append(opened)
        return opened

    yield open_one
    for lesson in used:
        if lesson.theme_now != "light":
            lesson.theme("light")
