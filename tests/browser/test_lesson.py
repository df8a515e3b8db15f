"""A learner's first minutes, in a real browser: `amaas lab`, the first lesson, run to its end."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import urllib.parse
from pathlib import Path

import pytest
from playwright import sync_api as playwright

from amaas_kit import doctor

ROOT = Path(__file__).parent.parent.parent
PICTURES = ROOT / "artefacts"
LESSON = "00_start_here.ipynb"

RUN_SECONDS = 300

# Menus that are clicked while the page still settles sometimes do nothing; a command, given when
# the kernel has answered, always runs.
RUN_ALL = """async () => {
  const app = window.jupyterapp;
  const panel = app.shell.currentWidget;
  await panel.context.ready;
  await panel.sessionContext.ready;
  await panel.sessionContext.session.kernel.info;
  app.commands.execute('notebook:run-all-cells').then(() => { window.lessonEnded = true; });
}"""

CELLS = "() => window.jupyterapp.shell.currentWidget.content.model.sharedModel.toJSON().cells"

SHOW_CELL = """at => {
  [...document.querySelectorAll('.jp-Notebook-cell')].at(at).scrollIntoView(at === 0);
}"""

OPENED = "() => window.jupyterapp?.shell.currentWidget?.context?.path"


@pytest.fixture
def browser():
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


@pytest.fixture
def lab(tmp_path):
    """The address of `amaas lab`, started in an empty folder."""
    settings = tmp_path / "settings"
    settings.mkdir()
    expose = {"LabApp": {"expose_app_in_browser": True}}
    (settings / "jupyter_server_config.json").write_text(json.dumps(expose))
    environment = os.environ | {"JUPYTER_CONFIG_PATH": str(settings)}
    command = [sys.executable, "-m", "amaas_kit", "lab", "--no-browser", "--port", "0"]
    with subprocess.Popen(
        command, cwd=tmp_path, env=environment, stdout=subprocess.PIPE, text=True
    ) as process:
        yield next(line for line in process.stdout if "http://" in line).split()[-1]
        process.terminate()


def test_the_first_lesson_runs_to_its_end(browser, lab):
    page = browser.new_page(viewport={"width": 1400, "height": 1000})
    asked: list[str] = []
    broken: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("websocket", lambda socket: asked.append(socket.url))
    page.on("pageerror", lambda error: broken.append(str(error)))

    open_when_ready(page, lab)
    page.wait_for_function(f"({OPENED})() === '{LESSON}'", timeout=60_000)
    page.evaluate(RUN_ALL)
    page.wait_for_function("window.lessonEnded", timeout=RUN_SECONDS * 1000)
    code = [cell for cell in page.evaluate(CELLS) if cell["cell_type"] == "code"]
    take_pictures(page)

    errors = [
        output["evalue"]
        for cell in code
        for output in cell["outputs"]
        if output["output_type"] == "error"
    ]
    assert errors == []
    assert code
    assert all(cell["execution_count"] for cell in code if "".join(cell["source"]).strip())
    assert broken == []
    assert {host for url in asked if (host := urllib.parse.urlsplit(url).hostname)} == {"127.0.0.1"}
    assert "Jupyter news" not in page.inner_text("body")


def open_when_ready(page, address):
    """Load the page; JupyterLab says its address shortly before it answers."""
    for _ in range(120):
        try:
            page.goto(address)
        except playwright.Error:
            page.wait_for_timeout(500)
        else:
            return
    pytest.fail("JupyterLab did not answer within a minute")


def take_pictures(page):
    """Keep what a person would see, for a person to look at."""
    PICTURES.mkdir(exist_ok=True)
    for name, cell in (("start", 0), ("end", -1)):
        page.evaluate(SHOW_CELL, cell)
        page.wait_for_timeout(1000)
        page.screenshot(path=PICTURES / f"00_start_here-{name}.png")
