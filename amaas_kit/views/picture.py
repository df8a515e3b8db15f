"""A picture and the sentence that says it, brought to the page together."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

import anywidget
import traitlets
from matplotlib import image
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Text

DOTS_PER_INCH = 100

QUICKLY = 1
"""The level of compression: the picture goes no further than this machine's browser."""

SHOW = """
function render({ model, el }) {
  const picture = document.createElement("img");
  picture.className = "amaas-picture";
  picture.decoding = "sync";
  const says = document.createElement("div");
  says.className = "amaas-says";
  says.setAttribute("role", "status");
  says.setAttribute("aria-live", "polite");
  el.append(picture, says);

  let latest = null;
  let decoding = false;
  const put = (address, sentence) => {
    const before = picture.src;
    picture.hidden = !address;
    if (address) picture.src = address;
    else picture.removeAttribute("src");
    if (before && before !== address) URL.revokeObjectURL(before);
    picture.alt = sentence;
    says.textContent = sentence;
  };
  const show = async () => {
    const png = model.get("png");
    if (png === latest && decoding) return; // its end takes the sentence of that moment
    if (png === latest) return put(picture.src, model.get("sentence"));
    latest = png;
    decoding = png.byteLength > 0;
    if (!decoding) return put("", model.get("sentence"));
    const address = URL.createObjectURL(new Blob([png], { type: "image/png" }));
    const next = new Image();
    next.src = address;
    await next.decode().catch(() => {});
    if (png !== latest) return URL.revokeObjectURL(address);
    decoding = false;
    put(address, model.get("sentence"));
  };
  model.on("change", show);
  show();

  const keep = event => {
    const view = el.closest(".amaas-view") ?? el;
    if (!view.contains(event.target)) return;
    const own = !event.ctrlKey && !event.metaKey;
    event.target.toggleAttribute("data-lm-suppress-shortcuts", own);
  };
  window.addEventListener("keydown", keep, true);
  return () => {
    window.removeEventListener("keydown", keep, true);
    model.off("change", show);
    if (picture.src) URL.revokeObjectURL(picture.src);
  };
}
export default { render };
"""
"""The page's half. A picture is decoded before it takes the old one's place, so that nothing
flickers and each stands above its own sentence; text goes in as text, never as HTML.

JupyterLab takes plain keys for commands of its own, even in a control: an arrow down would leave a
menu for the next cell. The attribute tells it to keep off; keys with Ctrl still reach it."""

STYLE = """
.amaas-picture { display: block; max-width: 100%; height: auto; background: white; }
.amaas-picture[hidden] { display: none; }
.amaas-says { margin: 6px 0; max-width: 46em; color: var(--jp-ui-font-color1, inherit); }
"""


class Picture(anywidget.AnyWidget):
    """A PNG with its sentence below it, which is its alt text as well.

    Attributes:
        png: the picture's bytes; empty where there is none.
        sentence: what the picture shows, in words.
    """

    _esm = SHOW
    _css = STYLE
    png = traitlets.Bytes(b"").tag(sync=True)
    sentence = traitlets.Unicode("").tag(sync=True)

    def show(self, png: bytes, sentence: str) -> None:
        """Change both at once, in one message."""
        with self.hold_sync():
            self.png = png
            self.sentence = sentence


def empty_figure(size: tuple[float, float]) -> Figure:
    """A figure of its own, which pyplot does not know and a thread may paint.

    Args:
        size: width and height in inches.
    """
    figure = Figure(size, dpi=DOTS_PER_INCH, facecolor="white")
    FigureCanvasAgg(figure)
    return figure


def png_of(figure: Figure) -> bytes:
    """The figure as it stands, as a PNG of `DOTS_PER_INCH`."""
    canvas = _canvas_of(figure)
    canvas.draw()
    return _png(canvas)


def note_on(axis: Axes, words: str) -> Text:
    """A few words at the lower edge of a map, on white."""
    return axis.text(
        0.5, 0.03, words, transform=axis.transAxes, ha="center",
        bbox={"facecolor": "white", "edgecolor": "none", "pad": 2},
    )  # fmt: skip


class Scene:
    """A painted figure in which a few parts move; all others are drawn once.

    Args:
        figure: an `empty_figure` that was painted.
        moving: its parts that move, those in front last. They hide nothing that stands still
            behind other parts.
    """

    def __init__(self, figure: Figure, moving: Sequence[Artist]) -> None:
        self._canvas = _canvas_of(figure)
        self._moving = moving
        for part in moving:
            part.set_visible(False)
        self._canvas.draw()
        self._still = self._canvas.copy_from_bbox(figure.bbox)
        for part in moving:
            part.set_visible(True)

    def png(self) -> bytes:
        """The figure with its moving parts where they are now."""
        self._canvas.restore_region(self._still)
        for part in self._moving:
            part.draw(self._canvas.get_renderer())
        return _png(self._canvas)


def _canvas_of(figure: Figure) -> Any:
    """The figure's canvas; matplotlib gives its methods no types."""
    canvas = figure.canvas
    assert isinstance(canvas, FigureCanvasAgg)
    return canvas


def _png(canvas: Any) -> bytes:
    """What was drawn on a canvas."""
    target = io.BytesIO()
    image.imsave(
        target, canvas.buffer_rgba(), format="png", origin="upper",
        pil_kwargs={"compress_level": QUICKLY},
    )  # fmt: skip
    return target.getvalue()
