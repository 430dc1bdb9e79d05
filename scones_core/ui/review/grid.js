// The review grid. A page is confirmed by one key; images that are marked get another label, or are left for the desk.
// Texts are set as text, never as markup.

const grids = new WeakMap();
const LEFT = ""; // the mark of an image that is left for the desk
const CONTROLS = { x: "/unusable", q: "/unsure" };

/** Images to decide: the server's, less those of pages that the outbox has decided, with pages it has taken back. */
function waiting(grid) {
  let items = grid.data.items.slice();
  for (const entry of grid.outbox.unsaved) {
    const ids = new Set([...entry.answers.map(([id]) => id), ...entry.left]);
    const others = items.filter((item) => !ids.has(item.id));
    items = entry.action === "undo" ? [...known(grid, ids), ...others] : others;
  }
  return items;
}

function known(grid, ids) {
  return [...ids].map((id) => grid.known.get(id)).filter(Boolean);
}

function confirmPage(grid) {
  if (!grid.page.length) return;
  const answers = [];
  const left = [];
  for (const item of grid.page) {
    const mark = grid.marks.get(item.id);
    if (mark === LEFT) left.push(item.id);
    else answers.push([item.id, mark ?? grid.data.predicted, item.revision]);
  }
  grid.history.push({ answers, left, marks: new Map(grid.marks) });
  enter(grid, { action: "page", answers, left });
  turn(grid, new Map());
}

function undoPage(grid) {
  const page = grid.history.pop();
  if (!page) return;
  enter(grid, { action: "undo", answers: page.answers, left: page.left });
  turn(grid, page.marks);
}

/** Show the first images that wait. */
function turn(grid, marks) {
  grid.marks = marks;
  grid.page = waiting(grid).slice(0, grid.data.size);
  grid.cursor = 0;
  draw(grid);
}

/** What a click says of an image: the other class of two; of more, that it is left for the desk. */
function wrong(grid) {
  const others = grid.data.choices.filter((one) => one.label !== grid.data.predicted && one.label !== "/other");
  return others.length === 1 ? others[0].label : LEFT;
}

function mark(grid, place, label) {
  const item = grid.page[place];
  if (!item) return;
  if (label === undefined && grid.marks.has(item.id)) grid.marks.delete(item.id);
  else if (label === grid.data.predicted) grid.marks.delete(item.id);
  else grid.marks.set(item.id, label ?? wrong(grid));
  grid.cursor = place;
  show(grid);
}

function onKey(grid, event) {
  if (!hears(grid, event)) return;
  const target = event.composedPath()[0];
  const columns = getComputedStyle(grid.tiles).gridTemplateColumns.split(" ").length;
  const steps = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: columns, ArrowUp: -columns };
  const digit = digitOf(event);
  const choice = grid.data.choices.find((one) => one.key === digit);
  const key = event.key.toLowerCase();
  if (event.key in steps) {
    grid.cursor = Math.min(grid.page.length - 1, Math.max(0, grid.cursor + steps[event.key]));
    show(grid);
  } else if (key === " " && target.tagName !== "BUTTON") mark(grid, grid.cursor);
  else if (choice && !event.repeat) mark(grid, grid.cursor, choice.label);
  else if (key in CONTROLS) mark(grid, grid.cursor, CONTROLS[key]);
  else if (key === "enter" && target.tagName !== "BUTTON") event.repeat || confirmPage(grid);
  else if (key === "u") event.repeat || undoPage(grid);
  else return;
  event.preventDefault();
  event.stopPropagation();
}

function element(tag, attributes, ...children) {
  const made = Object.assign(document.createElement(tag), attributes);
  made.append(...children);
  return made;
}

function build(grid) {
  grid.title = element("div", { className: "title" });
  grid.title.setAttribute("role", "status");
  grid.tiles = element("div", { className: "tiles" });
  grid.tiles.setAttribute("role", "group");
  grid.tiles.setAttribute("aria-label", "Images of the page");
  grid.confirm = pageButton("Confirm page", "Enter", () => confirmPage(grid));
  grid.undo = pageButton("Undo page", "U", () => undoPage(grid));
  grid.unsaved = element("span", { className: "unsaved" });
  grid.unsaved.setAttribute("role", "status");
  const row = element("div", { className: "row" }, grid.confirm, grid.undo, grid.unsaved);
  const hints =
    "Click, or arrows and Space: wrong. A digit: that class. X: unusable. Q: unsure. Enter: confirm the page. U: undo it.";
  grid.root.replaceChildren(grid.title, grid.tiles, row, element("div", { className: "hints", textContent: hints }));
}

function pageButton(text, key, does) {
  const made = element("button", { type: "button", className: "plain", textContent: text });
  const cap = element("kbd", { textContent: key });
  cap.setAttribute("aria-hidden", "true");
  made.append(cap);
  made.setAttribute("aria-label", text);
  made.onclick = does;
  return made;
}

/** The page's tiles. */
function draw(grid) {
  for (const item of waiting(grid)) grid.known.set(item.id, item);
  const tiles = grid.page.map((item, place) => {
    const picture = item.source ? element("img", { src: item.source, alt: "", draggable: false }) : "no picture";
    const tile = element("button", { type: "button", className: "tile" }, picture, element("span", { dir: "auto" }));
    tile.onclick = () => mark(grid, place);
    tile.onmousedown = (event) => {
      event.preventDefault(); // Enter then confirms the page, instead of pressing the tile again
      takeFocus();
    };
    tile.dataset.id = item.id;
    return tile;
  });
  grid.tiles.replaceChildren(...tiles);
  for (const item of waiting(grid).slice(grid.data.size, 2 * grid.data.size)) new Image().src = item.source;
  show(grid);
}

/** Marks, cursor and counts. */
function show(grid) {
  const texts = new Map(grid.data.choices.map((choice) => [choice.label, choice.text]));
  [...grid.tiles.children].forEach((tile, place) => {
    const item = grid.page[place];
    const label = grid.marks.get(item.id);
    const said = label === undefined ? "" : label === LEFT ? "for the desk" : (texts.get(label) ?? label.replace("/", ""));
    tile.lastChild.textContent = said;
    tile.classList.toggle("marked", label !== undefined);
    tile.classList.toggle("cursor", place === grid.cursor);
    tile.tabIndex = place === grid.cursor ? 0 : -1;
    tile.setAttribute("aria-label", `Image ${place + 1}: ${said || grid.data.text}`);
    tile.setAttribute("aria-pressed", label !== undefined);
  });
  const [shown, wrongs] = [grid.page.length, [...grid.page].filter((item) => grid.marks.has(item.id)).length];
  grid.title.textContent = shown
    ? `${shown} images predicted ${grid.data.text}, ${wrongs} marked as wrong`
    : grid.outbox.unsaved.length
      ? "Saving…"
      : `No image predicted ${grid.data.text} is left.`;
  grid.confirm.disabled = !shown;
  grid.undo.disabled = !grid.history.length;
  const unsaved = grid.outbox.unsaved.length;
  grid.unsaved.textContent = unsaved ? `${unsaved} page${unsaved === 1 ? "" : "s"} not saved yet…` : "";
  Object.assign(grid.root.dataset, { unsaved, shown, first: grid.page[0]?.id ?? "" });
}

function confirmed(grid) {
  const done = new Set(grid.data.done);
  for (const entry of grid.outbox.unsaved.filter((one) => done.has(one.key))) {
    grid.outbox.remove(entry.key);
    grid.waitingSince = performance.now();
  }
}

export default function ({ data, parentElement, setStateValue }) {
  const root = parentElement.querySelector(".grid");
  let grid = grids.get(root);
  const first = !grid;
  if (first) {
    grid = { root, data, outbox: new Outbox(data.store), history: [], known: new Map(), marks: new Map(), page: [] };
    Object.assign(grid, { cursor: 0, setStateValue, waitingSince: performance.now() });
    grids.set(root, grid);
    build(grid);
    takeFocus();
    if (grid.outbox.unsaved.length) setTimeout(() => post(grid));
  }
  Object.assign(grid, { data, setStateValue });
  confirmed(grid);
  // The page on screen stays as it is while it is being looked at, unless its images are no longer this reviewer's.
  const ids = new Set(waiting(grid).map((item) => item.id));
  const whole = grid.page.length && grid.page.every((item) => ids.has(item.id));
  if (whole) {
    for (const item of waiting(grid)) grid.known.set(item.id, item);
    show(grid);
  } else turn(grid, grid.marks);
  grid.stop?.();
  grid.stop = attend(grid, onKey, []);
  return grid.stop;
}
