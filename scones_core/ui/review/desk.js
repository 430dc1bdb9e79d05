// The review desk. Actions show at once and stay in an outbox until the server has processed them.
// Texts are set as text, never as markup.

const DOUBLE = 300; // milliseconds: the same key again within this time is one press
const desks = new WeakMap();

function make(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name in made && name !== "list") made[name] = value;
    else made.setAttribute(name, value);
  }
  made.append(...children);
  return made;
}

/** The images still to decide: the server's, less what the outbox has decided, plus what it has taken back. */
function view(desk) {
  let items = desk.data.items.slice();
  const undone = desk.history.slice();
  for (const entry of desk.outbox) {
    if (entry.action === "undo") {
      const back = undone.pop();
      if (back) items.unshift(back);
    } else {
      const gone = items.find((item) => item.id === entry.id);
      if (gone) undone.push(gone);
      items = items.filter((item) => item.id !== entry.id);
    }
  }
  return { items, undone };
}

function send(desk, entry) {
  desk.number += 1;
  desk.outbox.push({ number: desk.number, ...entry });
  desk.setStateValue("outbox", desk.outbox);
  render(desk);
}

/** Entries that the server has carried out leave the outbox; their images are what an undo brings back. */
function confirm(desk) {
  for (const entry of desk.outbox.filter((one) => one.number <= desk.data.done)) {
    if (entry.action === "undo") desk.history.pop();
    else if (desk.known.has(entry.id)) desk.history.push(desk.known.get(entry.id));
  }
  desk.history.splice(0, Math.max(0, desk.history.length - 50));
  desk.outbox = desk.outbox.filter((entry) => entry.number > desk.data.done);
}

function decide(desk, action, label = "") {
  const item = view(desk).items[0];
  if (!item) return;
  const note = desk.note.value.trim();
  desk.note.value = "";
  send(desk, { action, id: item.id, label, note });
}

/** True for the second of two presses of the same key or button that were one. */
function repeated(desk, what, time) {
  const twice = desk.last === what && time - desk.lastTime < DOUBLE;
  desk.last = what;
  desk.lastTime = time;
  return twice;
}

function act(desk, what, time) {
  if (repeated(desk, what, time)) return;
  if (what === "undo") send(desk, { action: "undo" });
  else if (what === "skip") decide(desk, "skip");
  else decide(desk, "label", what);
}

function onKey(desk, event) {
  const target = event.composedPath()[0];
  const typing = target.closest?.("input, textarea, select, [contenteditable=true], [role=combobox], [role=slider]");
  if (event.key === "Escape" && target === desk.note) desk.note.blur();
  if (!desk.data.keys || typing || event.ctrlKey || event.metaKey || event.altKey) return;
  const choice = choicesOf(desk).find((one) => one.key && one.key === event.key);
  const known = { [desk.data.undo]: "undo", [desk.data.skip]: "skip" }[event.key.toLowerCase()] ?? choice?.label;
  if (event.key.toLowerCase() === "n") desk.note.focus();
  else if (event.key.toLowerCase() === "p") desk.look.click();
  else if (event.key.toLowerCase() === "b") desk.light.click();
  else if (known !== undefined) {
    if (!event.repeat) act(desk, known, event.timeStamp);
  } else return;
  event.preventDefault();
  event.stopPropagation();
}

/** What can be chosen for the image on screen: the classes of the model that answered. */
function choicesOf(desk) {
  return view(desk).items[0]?.choices ?? [];
}

function showChoices(desk, choices) {
  const labels = JSON.stringify(choices);
  if (desk.labels === labels) return;
  desk.labels = labels;
  desk.choices.replaceChildren(...choices.map((c) => button(desk, c.text, c.key, c.label, "choice")));
}

function button(desk, text, key, what, kind) {
  const made = make("button", { type: "button", className: kind }, make("span", { textContent: text }));
  if (key) made.append(make("kbd", { textContent: key.toUpperCase(), ariaHidden: "true" }));
  made.setAttribute("aria-label", text);
  if (key) made.setAttribute("aria-keyshortcuts", key);
  made.onclick = (event) => act(desk, what, event.timeStamp);
  return made;
}

/** A button that changes how images look, for all of them until it is pressed again. */
function toggle(desk, text, key, name) {
  const made = make("button", { type: "button", className: "look", textContent: text });
  made.append(make("kbd", { textContent: key.toUpperCase(), ariaHidden: "true" }));
  made.setAttribute("aria-label", text);
  made.setAttribute("aria-keyshortcuts", key);
  made.onclick = () => {
    desk[name] = !desk[name];
    render(desk);
  };
  return made;
}

function hints(desk) {
  const keys = [["1–9", "label"], ["0", "none"], [desk.data.skip, "skip"], [desk.data.undo, "undo"], ["n", "note"]];
  const parts = keys.flatMap(([key, what]) => [make("kbd", { textContent: key.toUpperCase() }), ` ${what}  `]);
  return make("div", { className: "hints", ariaHidden: "true" }, ...parts);
}

function build(desk) {
  const root = desk.root;
  desk.picture = make("img", { className: "picture", draggable: false });
  desk.unreadable = make("div", { className: "picture unreadable", textContent: "This image cannot be shown." });
  desk.lease = make("div", { className: "lease" });
  desk.why = make("div", { className: "why" });
  desk.headline = make("div", { className: "headline", role: "status" });
  desk.bars = make("div", { className: "bars" });
  desk.choices = make("div", { className: "choices", role: "group", ariaLabel: "Label" });
  desk.note = make("input", { className: "note", type: "text", placeholder: "Note (optional)", maxLength: 500 });
  desk.note.setAttribute("aria-label", "Note");
  desk.skip = button(desk, "Skip", desk.data.skip, "skip", "plain");
  desk.undo = button(desk, "Undo", desk.data.undo, "undo", "plain");
  desk.look = toggle(desk, "Show pixels", "p", "pixels");
  desk.light = toggle(desk, "Brighten", "b", "bright");
  desk.empty = make("div", { className: "empty", role: "status" });
  desk.form = make(
    "div",
    { className: "form" },
    desk.why,
    desk.headline,
    desk.bars,
    desk.choices,
    desk.note,
    make("div", { className: "row" }, desk.skip, desk.undo),
    hints(desk),
  );
  const tools = make("div", { className: "tools" }, desk.light, desk.look);
  desk.frame = make("figure", {}, desk.picture, desk.unreadable, tools, desk.lease);
  root.replaceChildren(desk.frame, desk.empty, desk.form);
}

function render(desk) {
  const { items, undone } = view(desk);
  const item = items[0];
  for (const one of items) desk.known.set(one.id, one);
  desk.frame.hidden = desk.headline.hidden = desk.bars.hidden = desk.choices.hidden = desk.note.hidden = !item;
  desk.skip.hidden = !item;
  desk.why.hidden = !item?.why;
  desk.why.textContent = item?.why ?? "";
  desk.empty.hidden = Boolean(item);
  desk.empty.textContent = desk.outbox.length ? "Saving…" : "Nothing left to review.";
  desk.undo.disabled = !item && !undone.length;
  desk.root.dataset.item = item?.id ?? "";
  desk.root.dataset.unsaved = desk.outbox.length;
  if (!item) return;
  const pixels = desk.pixels && item.pixels;
  const source = pixels ? item.pixels : item.smooth;
  desk.picture.hidden = !source;
  desk.unreadable.hidden = Boolean(source);
  if (source && desk.picture.getAttribute("src") !== source) desk.picture.src = source;
  desk.picture.classList.toggle("pixels", Boolean(pixels));
  desk.picture.alt = "Captured image to review";
  desk.look.hidden = !item.pixels;
  desk.look.setAttribute("aria-pressed", desk.pixels);
  desk.light.setAttribute("aria-pressed", desk.bright);
  desk.picture.classList.toggle("bright", desk.bright);
  desk.headline.replaceChildren("The model says ", make("strong", { textContent: item.prediction }));
  desk.headline.append(` with ${percent(item.confidence)} confidence`);
  desk.bars.replaceChildren(...item.probabilities.map(bar));
  showChoices(desk, item.choices);
  showLease(desk, item);
  const next = items[1];
  if (next) new Image().src = desk.pixels && next.pixels ? next.pixels : next.smooth;
}

function bar([name, value]) {
  const fill = make("div", { className: "fill", style: `width:${(100 * value).toFixed(1)}%` });
  const track = make("div", { className: "track", role: "img", ariaLabel: `${name} ${percent(value)}` }, fill);
  return make("div", { className: "bar" }, make("span", { textContent: name }), track, percent(value));
}

function percent(value) {
  return `${(100 * value).toFixed(1)} %`;
}

function showLease(desk, item) {
  const left = item.expires - Date.now();
  const time = new Date(item.expires).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
  desk.lease.textContent = left > 0 ? `Reserved for you until ${time}` : "Reservation expired: ";
  if (left > 0) return;
  const renew = make("button", { type: "button", className: "link", textContent: "reserve again" });
  renew.onclick = () => send(desk, { action: "renew" });
  desk.lease.append(renew);
}

export default function ({ data, parentElement, setStateValue }) {
  const root = parentElement.querySelector(".desk");
  let desk = desks.get(root);
  if (!desk) {
    desk = { root, data, number: data.done, outbox: [], history: [], known: new Map(), pixels: false, bright: false };
    desks.set(root, desk);
    desk.setStateValue = setStateValue;
    build(desk);
  }
  desk.data = data;
  desk.setStateValue = setStateValue;
  confirm(desk);
  render(desk);
  const listener = (event) => onKey(desk, event);
  document.addEventListener("keydown", listener, true);
  const clock = setInterval(() => {
    const item = view(desk).items[0];
    if (item) showLease(desk, item);
  }, 20_000);
  return () => {
    document.removeEventListener("keydown", listener, true);
    clearInterval(clock);
  };
}
