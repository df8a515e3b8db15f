"""A button that is heard while a cell runs.

A message to a widget waits for the cell that runs, wherever the kernel answers on the loop that
last wrote to that widget, as ipykernel 7.4 does. A channel that the page opens itself comes in by
a loop of its own (a subshell), in JupyterLab from 4.4 on with ipykernel 7. The button sends both:
what comes first counts.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

import anywidget
import comm
import traitlets

BUTTON = """
const PATIENCE = 1000; // milliseconds for a loop of its own to start

async function callKernel(kernel, target, press) {
  const line = kernel.createComm(target);
  const patience = new Promise((resolve) => setTimeout(resolve, PATIENCE));
  await Promise.race([line.subshellStarted, patience]);
  line.open({ press });
}

function render({ model, el }) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "amaas-stop jupyter-widgets jupyter-button";
  button.textContent = "Stop";
  el.append(button);

  const enable = () => { button.disabled = !model.get("enabled"); };
  button.addEventListener("click", () => {
    button.disabled = true;
    const press = `${Date.now()} ${Math.random()}`;
    const kernel = model.widget_manager?.kernel;
    if (kernel?.createComm) callKernel(kernel, model.get("_target"), press).catch(console.warn);
    model.send({ press });
  });
  model.on("change:enabled", enable);
  enable();
  return () => model.off("change:enabled", enable);
}
export default { render };
"""


class StopButton(anywidget.AnyWidget):
    """A button "Stop".

    Args:
        pressed: called once for each press, maybe in another thread than the cell that runs.

    Attributes:
        enabled: whether it can be pressed.
    """

    _esm = BUTTON
    enabled = traitlets.Bool(False).tag(sync=True)
    _target = traitlets.Unicode().tag(sync=True)

    def __init__(self, pressed: Callable[[], None]) -> None:
        self._pressed = pressed
        self._heard: set[str] = set()
        super().__init__(_target=f"amaas.stop.{uuid.uuid4().hex}")
        self.on_msg(lambda _, content, buffers: self._hear(content))
        comm.get_comm_manager().register_target(self._target, self._opened)

    def close(self) -> None:
        """Take the button off the page, and hear no more presses."""
        manager = comm.get_comm_manager()
        if self._target in manager.targets:
            manager.unregister_target(self._target, self._opened)
        super().close()

    def _opened(self, line: comm.base_comm.BaseComm, message: dict[str, Any]) -> None:
        line.close()
        self._hear(message["content"]["data"])

    def _hear(self, content: Any) -> None:
        """Count a press once; a message that is none is passed over."""
        press = content.get("press") if isinstance(content, dict) else None
        if isinstance(press, str) and press not in self._heard:
            self._heard.add(press)
            self._pressed()
