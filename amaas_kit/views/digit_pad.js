// The page's half of the digit pad: strokes go to Python, which answers with an image of 8 x 8
// numbers, ten probabilities and a sentence.

const STEP = 0.04; // how far an arrow key moves the pen, as a share of the paper
const FINE_STEP = 0.01; // with Shift
const NEAR = 0.004; // points closer together than this add nothing
const SEND_EVERY = 100; // milliseconds between two messages while a line is being drawn
const PEN = 0.055; // width of the line on the page, as a share of the paper

const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

const KEYS = "or with arrow keys, Space and Delete";

const element = (kind, className, parent, text) => {
  const made = document.createElement(kind);
  made.className = className;
  if (text) made.textContent = text;
  parent.append(made);
  return made;
};

const clamp = (share) => Math.min(1, Math.max(0, share));

function paper(model, parent) {
  const canvas = element("canvas", "amaas-paper", parent);
  canvas.tabIndex = 0;
  canvas.setAttribute("role", "application");
  canvas.setAttribute(
    "aria-label",
    "Paper to draw a digit on. Arrow keys move the pen, Space puts it down or lifts it, Delete clears."
  );
  const penSays = element("div", "amaas-pen", parent, KEYS);
  penSays.setAttribute("aria-live", "polite");

  let strokes = structuredClone(model.get("strokes"));
  let drawing = null; // the pointer that draws now
  let pen = { x: 0.5, y: 0.2, down: false, used: false };
  let timer = null;
  const held = new Set();

  const send = () => {
    clearTimeout(timer);
    timer = null;
    model.set("strokes", structuredClone(strokes));
    model.save_changes();
  };
  const sendSoon = () => {
    timer ??= setTimeout(send, SEND_EVERY);
  };

  const redraw = () => {
    const side = canvas.clientWidth;
    if (!side) return;
    const scale = window.devicePixelRatio || 1;
    canvas.width = canvas.height = Math.round(side * scale);
    const ink = canvas.getContext("2d");
    ink.scale(canvas.width, canvas.width);
    ink.fillStyle = "white";
    ink.fillRect(0, 0, 1, 1);
    ink.strokeStyle = "black";
    ink.lineWidth = PEN;
    ink.lineCap = ink.lineJoin = "round";
    for (const points of strokes) {
      ink.beginPath();
      points.forEach(([x, y], i) => (i ? ink.lineTo(x, y) : ink.moveTo(x, y)));
      // A line from a point to the same point leaves no ink in every browser.
      if (points.length === 1) ink.lineTo(points[0][0] + 0.0001, points[0][1]);
      ink.stroke();
    }
    if (pen.used && document.activeElement === canvas) {
      ink.strokeStyle = "#D55E00";
      ink.lineWidth = 0.012;
      ink.beginPath();
      ink.arc(pen.x, pen.y, pen.down ? 0.02 : 0.035, 0, 2 * Math.PI);
      ink.stroke();
    }
  };

  const add = (x, y) => {
    const points = strokes.at(-1);
    const [lastX, lastY] = points.at(-1);
    if (Math.hypot(x - lastX, y - lastY) >= NEAR) points.push([x, y]);
  };

  const place = (event) => {
    const box = canvas.getBoundingClientRect();
    return [
      clamp((event.clientX - box.left) / box.width),
      clamp((event.clientY - box.top) / box.height),
    ];
  };

  const liftPen = () => {
    pen.down = false;
    penSays.textContent = pen.used ? "Pen up" : KEYS;
  };

  const clear = () => {
    strokes = [];
    drawing = null;
    liftPen();
    redraw();
    send();
  };

  canvas.addEventListener("pointerdown", (event) => {
    if (event.button !== 0 || drawing !== null) return;
    event.preventDefault();
    canvas.focus({ preventScroll: true });
    canvas.setPointerCapture(event.pointerId);
    drawing = event.pointerId;
    pen.used = false;
    liftPen();
    strokes.push([place(event)]);
    redraw();
    sendSoon();
  });

  canvas.addEventListener("pointermove", (event) => {
    if (event.pointerId !== drawing) return;
    const events = event.getCoalescedEvents?.() ?? [];
    for (const one of events.length ? events : [event]) add(...place(one));
    redraw();
    sendSoon();
  });

  const stopDrawing = (event) => {
    if (event.pointerId !== drawing) return;
    drawing = null;
    send();
  };
  canvas.addEventListener("pointerup", stopDrawing);
  canvas.addEventListener("pointercancel", stopDrawing);

  const movePen = (fine) => {
    const step = fine ? FINE_STEP : STEP;
    for (const key of held) {
      pen.x = clamp(pen.x + ARROWS[key][0] * step);
      pen.y = clamp(pen.y + ARROWS[key][1] * step);
    }
    if (!pen.down) return;
    add(pen.x, pen.y);
    sendSoon();
  };

  const putDownOrLift = () => {
    if (pen.down) return liftPen();
    pen.down = true;
    penSays.textContent = "Pen down";
    strokes.push([[pen.x, pen.y]]);
    sendSoon();
  };

  canvas.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key in ARROWS) {
      held.add(event.key);
      pen.used = true;
      movePen(event.shiftKey);
    } else if (event.key === " ") {
      pen.used = true;
      putDownOrLift();
    } else if (["Delete", "Backspace", "c", "C"].includes(event.key)) {
      clear();
    } else {
      return;
    }
    event.preventDefault();
    event.stopPropagation();
    redraw();
  });
  canvas.addEventListener("keyup", (event) => held.delete(event.key));
  canvas.addEventListener("blur", () => {
    held.clear();
    liftPen();
    redraw();
  });
  canvas.addEventListener("focus", redraw);

  const follow = () => {
    const told = model.get("strokes");
    if (drawing !== null || timer !== null || JSON.stringify(told) === JSON.stringify(strokes)) {
      return;
    }
    strokes = structuredClone(told);
    liftPen();
    redraw();
  };
  model.on("change:strokes", follow);
  const sized = new ResizeObserver(redraw);
  sized.observe(canvas);

  return {
    clear,
    remove: () => {
      clearTimeout(timer);
      sized.disconnect();
      model.off("change:strokes", follow);
    },
  };
}

function seen(model, parent) {
  const canvas = element("canvas", "amaas-seen", parent);
  canvas.width = canvas.height = 8;
  canvas.setAttribute("role", "img");
  const show = () => {
    const shares = model.get("_seen");
    canvas.setAttribute(
      "aria-label",
      shares.length ? "The 8 x 8 image that the model is asked about" : "No image yet"
    );
    const dots = canvas.getContext("2d").createImageData(8, 8);
    for (let i = 0; i < 64; i += 1) {
      const grey = Math.round(255 * (1 - (shares[i] ?? 0)));
      dots.data.set([grey, grey, grey, 255], 4 * i);
    }
    canvas.getContext("2d").putImageData(dots, 0, 0);
  };
  return show;
}

function bars(model, parent) {
  const list = element("div", "amaas-bars", parent);
  list.setAttribute("role", "img");
  const rows = Array.from({ length: 10 }, (_, digit) => {
    const row = element("div", "amaas-bar", list);
    element("span", "amaas-digit", row, String(digit));
    const track = element("span", "amaas-track", row);
    const fill = element("span", "amaas-fill", track);
    const number = element("span", "amaas-number", row);
    return { row, fill, number };
  });
  return () => {
    const shares = model.get("_shares");
    const best = shares.indexOf(Math.max(...shares));
    rows.forEach(({ row, fill, number }, digit) => {
      const share = shares[digit] ?? 0;
      fill.style.width = `${100 * share}%`;
      number.textContent = shares.length ? share.toFixed(2) : "";
      row.classList.toggle("amaas-best", digit === best);
    });
    const said = shares.map((share, digit) => `${digit}: ${share.toFixed(2)}`).join(", ");
    list.setAttribute("aria-label", said ? `Probabilities, ${said}` : "No probabilities yet");
  };
}

function render({ model, el }) {
  el.setAttribute("data-lm-suppress-shortcuts", "true");
  el.setAttribute("data-jupyter-suppress-shortcuts", "true");
  const columns = element("div", "amaas-columns", el);

  const left = element("div", "amaas-column", columns);
  element("div", "amaas-heading", left, "Draw a digit");
  const sheet = paper(model, left);
  const button = element("button", "amaas-clear jupyter-widgets jupyter-button", left, "Clear");
  button.type = "button";
  button.addEventListener("click", sheet.clear);

  const middle = element("div", "amaas-column", columns);
  element("div", "amaas-heading", middle, "What the model sees");
  const showSeen = seen(model, middle);

  const right = element("div", "amaas-column", columns);
  element("div", "amaas-heading", right, "What it answers");
  const showBars = bars(model, right);

  const says = element("div", "amaas-says", el);
  says.setAttribute("role", "status");
  says.setAttribute("aria-live", "polite");

  const show = () => {
    showSeen();
    showBars();
    if (says.textContent !== model.get("sentence")) says.textContent = model.get("sentence");
  };
  model.on("change:_seen change:_shares change:sentence", show);
  show();
  return () => {
    sheet.remove();
    model.off("change:_seen change:_shares change:sentence", show);
  };
}

export default { render };
