"""What a newcomer sees first: the course map, and the way from it into lessons and glossary."""

from __future__ import annotations

import json

import pytest

OPENED = "() => window.jupyterapp.shell.currentWidget?.context?.path"
THEMES = {"light": "JupyterLab Light", "dark": "JupyterLab Dark"}


@pytest.fixture(scope="module")
def map_page(lab):
    """The page that `amaas lab` opens, for all tests of this file."""
    return lab.open_page()


@pytest.fixture
def page(map_page, watched_lab):
    """The course map in front, whatever the tests before have opened."""
    open_file(map_page, "index.md")
    return map_page


def open_file(page, path):
    page.evaluate(
        "path => { window.jupyterapp.commands.execute('docmanager:open', { path }); }", path
    )
    wait_for_file(page, path)


def wait_for_file(page, path):
    page.wait_for_function(f"path => ({OPENED})() === path", arg=path)


def rendered(page):
    return page.locator(".jp-MarkdownViewer:visible")


def contents(page):
    """The table of contents, on the left."""
    return page.locator("#jp-left-stack .jp-TableOfContents-tree:visible")


def test_the_course_map_opens_rendered_with_its_contents_on_the_left(map_page, watched_lab):
    assert map_page.evaluate(OPENED) == "index.md"
    assert rendered(map_page).locator("h1").inner_text().startswith("The course")
    assert rendered(map_page).locator("table").count() >= 2
    contents(map_page).get_by_text("How to work").wait_for()
    assert "Jupyter news" not in map_page.inner_text("body")
    assert map_page.locator(".jp-Dialog").count() == 0


def test_no_link_of_the_course_map_leads_nowhere(page, watched_lab):
    links = rendered(page).locator("a[href]").evaluate_all("all => all.map(a => a.href)")
    files = {link.split("/")[-1].partition("?")[0] for link in links if "#" not in link}
    assert {"00_start_here.ipynb", "glossary.md"} <= files
    assert files <= {path.name for path in watched_lab.work.iterdir()}


def test_a_click_leads_to_the_glossary_rendered_and_its_contents_lead_to_a_term(page):
    rendered(page).get_by_role("link", name="glossary").first.click()
    wait_for_file(page, "glossary.md")
    term = rendered(page).get_by_role("heading", name="Vertical partitioning")
    term.wait_for(state="attached")
    assert "垂直分区" in rendered(page).inner_text()
    contents(page).get_by_text("Vertical partitioning").click()
    page.wait_for_function(
        """() => [...document.querySelectorAll('.jp-MarkdownViewer h3')].some(
          one => one.textContent.startsWith('Vertical part')
            && one.getBoundingClientRect().top > 0
            && one.getBoundingClientRect().bottom < window.innerHeight)"""
    )


def test_a_click_leads_into_a_lesson_and_its_contents_come_to_the_left(page):
    rendered(page).get_by_role("link", name="1. The forward pass").first.click()
    wait_for_file(page, "01_forward_pass.ipynb")
    contents(page).get_by_text("Recap").wait_for()


def test_a_lesson_leads_to_the_glossary_and_back_to_the_map(page):
    open_file(page, "01_forward_pass.ipynb")
    page.locator(".jp-Notebook:visible").get_by_role("link", name="glossary").first.click()
    wait_for_file(page, "glossary.md")
    rendered(page).get_by_role("link", name="course map").click()
    wait_for_file(page, "index.md")


@pytest.mark.parametrize("theme", ["dark", "light"])
@pytest.mark.parametrize("name", ["index.md", "glossary.md"])
def test_pages_are_legible_in_both_themes(page, artefacts, name, theme):
    open_file(page, name)
    page.evaluate(
        "theme => { window.jupyterapp.commands.execute('apputils:change-theme', { theme }); }",
        THEMES[theme],
    )
    is_light = json.dumps(theme == "light")
    page.wait_for_selector(f'body[data-jp-theme-light="{is_light}"]', state="attached")
    page.wait_for_timeout(1000)
    page.screenshot(path=artefacts / f"{name.removesuffix('.md')}-{theme}.png")
    assert contrast(page) >= 4.5


def contrast(page):
    """The contrast of the page's text against what is behind it, as WCAG 2 defines it."""
    colours = page.evaluate(
        """() => {
          const text = [...document.querySelectorAll('.jp-MarkdownViewer p')].find(
            one => one.offsetParent);
          let behind = text;
          while (getComputedStyle(behind).backgroundColor === 'rgba(0, 0, 0, 0)') {
            behind = behind.parentElement;
          }
          return [getComputedStyle(text).color, getComputedStyle(behind).backgroundColor].map(
            colour => colour.match(/[\\d.]+/g).slice(0, 3).map(Number));
        }"""
    )
    low, high = sorted(luminance(colour) for colour in colours)
    return (high + 0.05) / (low + 0.05)


def luminance(colour):
    parts = [part / 255 for part in colour]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def test_the_next_time_opens_the_map_again_beside_what_was_open(lab, page):
    open_file(page, "01_forward_pass.ipynb")
    page.wait_for_function(
        """async () => {
          const answer = await fetch('/lab/api/workspaces/default');
          return (await answer.text()).includes('01_forward_pass.ipynb');
        }"""
    )
    page.goto(lab.address)
    page.wait_for_function("() => window.jupyterapp")
    wait_for_file(page, "index.md")
    page.get_by_role("tab", name="01_forward_pass.ipynb").wait_for()
