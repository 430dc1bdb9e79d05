// What the review desk shows. Texts are set as text, never as markup.

function make(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name in made && name !== "list") made[name] = value;
    else made.setAttribute(name, value);
  }
  made.append(...children);
  return made;
}

function showChoices(desk, item) {
  const wanted = desk.search.value.trim().toLocaleLowerCase();
  const fits = (choice) => !wanted || choice.text.toLocaleLowerCase().includes(wanted);
  const shown = item.choices.filter(fits);
  const labels = JSON.stringify([item.top, shown]);
  if (desk.labels === labels) return;
  desk.labels = labels;
  desk.form.classList.toggle("many", item.choices.length > 10);
  desk.choices.replaceChildren(...shown.map((c) => button(desk, c.text, c.key, c.label, "choice")));
  desk.top.replaceChildren(...item.top.map((c) => button(desk, c.text, c.key, c.label, "choice")));
}

function button(desk, text, key, what, kind) {
  const made = make("button", { type: "button", className: kind }, make("span", { textContent: text, dir: "auto" }));
  if (key) made.append(make("kbd", { textContent: key.toUpperCase(), ariaHidden: "true" }));
  made.setAttribute("aria-label", text);
  made.title = text;
  if (key) made.setAttribute("aria-keyshortcuts", [...key].join(" "));
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

function helpOf(desk) {
  const { skip, undo, unusable, unsure, confirm: right } = desk.data.commands;
  const keys = [
    ["1–9", "label; with more than nine classes, 1–3 are the model's first three and the others have two digits"],
    [right, "the model is right"], ["0", "none of these"], [unusable, "no usable picture"],
    [unsure, "unsure, for an adjudicator"], [skip, "skip"], [undo, "undo"], ["n", "note"], ["/", "search classes"],
    ["p", "pixels"], ["b", "brighten"], ["k", "contrast"], ["z", "zoom"], ["h", "hide the model's answer"],
    ["?", "these keys"],
  ];
  const rows = keys.map(([key, what]) => make("div", {}, make("kbd", { textContent: key.toUpperCase() }), ` ${what}`));
  return make("details", { className: "hints" }, make("summary", { textContent: "Keys (?)" }), ...rows);
}

function field(desk, className, label, placeholder) {
  const made = make("input", { className, type: "text", placeholder, maxLength: 500, dir: "auto" });
  made.setAttribute("aria-label", label);
  return made;
}

function build(desk) {
  const { skip, undo, unusable, unsure } = desk.data.commands;
  desk.commands = commandsOf(desk);
  desk.picture = make("img", { className: "picture", draggable: false });
  desk.unreadable = make("div", { className: "picture unreadable", textContent: "This image cannot be shown." });
  desk.lease = make("div", { className: "lease" });
  desk.why = make("div", { className: "why" });
  desk.headline = make("div", { className: "headline", role: "status", dir: "auto" });
  desk.bars = make("div", { className: "bars" });
  desk.top = make("div", { className: "choices top", role: "group", ariaLabel: "The model's first three" });
  desk.choices = make("div", { className: "choices", role: "group", ariaLabel: "Label" });
  desk.search = field(desk, "note search", "Search classes", "Type to find a class ( / )");
  desk.note = field(desk, "note", "Note", "Note (optional)");
  desk.newClass = field(desk, "note", "New class", "Name of a class that is missing; Enter proposes it");
  desk.newClass.hidden = true;
  desk.propose = make("button", { type: "button", className: "plain", textContent: "Propose a class" });
  desk.buttons = [
    button(desk, "Unusable", unusable, "/unusable", "plain"),
    button(desk, "Unsure", unsure, "/unsure", "plain"),
    button(desk, "Skip", skip, "skip", "plain"),
  ];
  desk.undo = button(desk, "Undo", undo, "undo", "plain");
  desk.look = toggle(desk, "Show pixels", "p", "pixels");
  desk.light = toggle(desk, "Brighten", "b", "bright");
  desk.contrast = toggle(desk, "Contrast", "k", "strong");
  desk.zoom = toggle(desk, "Zoom", "z", "near");
  desk.hide = toggle(desk, "Hide answer", "h", "blind");
  desk.help = helpOf(desk);
  desk.empty = make("div", { className: "empty", role: "status" });
  desk.unsaved = make("div", { className: "unsaved", role: "status" });
  desk.drafts = make("div", { className: "drafts", role: "status" });
  listen(desk);
  const row = make("div", { className: "row" }, ...desk.buttons, desk.undo, desk.propose);
  const typed = make("div", { className: "row" }, desk.search, desk.note);
  const fields = [desk.choices, row, typed, desk.newClass, desk.unsaved, desk.help];
  desk.form = make("div", { className: "form" }, desk.why, desk.headline, desk.bars, desk.top, ...fields);
  const tools = make("div", { className: "tools" }, desk.zoom, desk.contrast, desk.light, desk.look, desk.hide);
  const stage = make("div", { className: "stage" }, desk.picture, desk.unreadable);
  desk.frame = make("figure", {}, stage, tools, desk.lease);
  desk.root.replaceChildren(desk.drafts, desk.frame, desk.empty, desk.form);
}

function render(desk) {
  const { items, undone } = view(desk);
  const item = items[0];
  for (const one of items) desk.known.set(one.id, one);
  for (const part of [desk.frame, desk.headline, desk.bars, desk.top, desk.choices, desk.note]) part.hidden = !item;
  for (const part of [...desk.buttons, desk.propose]) part.hidden = !item;
  desk.search.hidden = !item || item.choices.length <= 10;
  desk.why.hidden = !item?.why;
  desk.why.textContent = item?.why ?? "";
  desk.empty.hidden = Boolean(item);
  desk.empty.textContent = emptyText(desk);
  desk.undo.disabled = !item && !undone.length;
  desk.root.dataset.item = item?.id ?? "";
  showUnsaved(desk);
  showDrafts(desk, items);
  if (!item) return;
  showPicture(desk, item, items[1]);
  const name = make("strong", { textContent: item.prediction, dir: "auto" });
  desk.headline.replaceChildren("The model says ", name, ` with ${percent(item.confidence)} confidence`);
  desk.headline.hidden = desk.bars.hidden = Boolean(desk.blind);
  desk.top.hidden = Boolean(desk.blind) || !item.top.length;
  desk.hide.setAttribute("aria-pressed", Boolean(desk.blind));
  desk.bars.replaceChildren(...item.probabilities.map(bar));
  showChoices(desk, item);
  for (const one of desk.root.querySelectorAll(".choice kbd")) {
    one.classList.toggle("begun", Boolean(desk.prefix) && one.textContent.startsWith(desk.prefix));
  }
  if (desk.noteOf !== item.id) {
    desk.noteOf = item.id;
    desk.note.value = desk.outbox.notes.get(item.id) ?? "";
  }
  showLease(desk, item);
}

function showPicture(desk, item, next) {
  const pixels = desk.pixels && item.pixels;
  const source = pixels ? item.pixels : item.full || item.smooth;
  desk.picture.hidden = !source;
  desk.unreadable.hidden = Boolean(source);
  if (source && desk.picture.getAttribute("src") !== source) desk.picture.src = source;
  desk.picture.classList.toggle("pixels", Boolean(pixels));
  desk.picture.alt = "Captured image to review";
  desk.look.hidden = !item.pixels;
  const looks = { look: "pixels", light: "bright", contrast: "strong", zoom: "near" };
  for (const [name, state] of Object.entries(looks)) {
    desk[name].setAttribute("aria-pressed", Boolean(desk[state]));
    if (name !== "look") desk.picture.classList.toggle(state, Boolean(desk[state]));
  }
  if (next) new Image().src = desk.pixels && next.pixels ? next.pixels : next.smooth;
}

function emptyText(desk) {
  if (desk.outbox.unsaved.length) return "Saving…";
  const [first] = desk.data.held;
  if (!first) return "Nothing left to review.";
  const names = [...new Set(desk.data.held.map((one) => one.reviewer))].join(", ");
  return `All remaining images are reserved by ${names}. The first is free at ${clock(first.until)}, and comes by itself.`;
}

function showUnsaved(desk) {
  const waiting = desk.outbox.unsaved.length;
  desk.root.dataset.unsaved = waiting;
  desk.unsaved.hidden = !waiting;
  if (!waiting) return;
  const late = performance.now() - desk.waitingSince > LATE;
  desk.unsaved.classList.toggle("late", late);
  const what = `${waiting} decision${waiting === 1 ? "" : "s"} not saved yet`;
  desk.unsaved.textContent = late ? `${what}: kept in this browser, and sent again when the server answers.` : `${what}…`;
}

/** Decisions that were refused, and notes whose image is no longer reserved: kept until sent again or discarded. */
function showDrafts(desk, items) {
  const rows = desk.outbox.refused.map((entry) => {
    const what = entry.label.replace(/^\//, "") || entry.action;
    const again = () => {
      desk.outbox.remove(entry.key);
      send(desk, { action: entry.action, id: entry.id, label: entry.label, note: entry.note });
    };
    const text = `Not recorded: ${what}${entry.note ? `, “${entry.note}”` : ""}. ${entry.refused}`;
    return draft(desk, text, () => desk.outbox.remove(entry.key), again);
  });
  const shown = new Set(items.map((item) => item.id));
  const lost = [...desk.outbox.notes].filter(([id]) => !shown.has(id) && desk.data.loaded);
  const notes = lost.map(([id, text]) => {
    const said = `The reservation of an image ran out; your note on it is kept: “${text}”.`;
    return draft(desk, said, () => desk.outbox.keepNote(id, ""));
  });
  desk.drafts.hidden = !rows.length && !notes.length;
  desk.drafts.replaceChildren(...rows, ...notes);
}

function draft(desk, text, discard, again) {
  const link = (label, does) => {
    const made = make("button", { type: "button", className: "link", textContent: label });
    made.onclick = () => {
      does();
      render(desk);
    };
    return made;
  };
  const links = again ? [link("Record it anyway", again), " ", link("Discard", discard)] : [link("Discard", discard)];
  return make("div", { className: "draft" }, make("span", { textContent: text, dir: "auto" }), " ", ...links);
}

function bar([name, value]) {
  const fill = make("div", { className: "fill", style: `width:${(100 * value).toFixed(1)}%` });
  const track = make("div", { className: "track", role: "img", ariaLabel: `${name} ${percent(value)}` }, fill);
  const label = make("span", { textContent: name, title: name, dir: "auto" });
  return make("div", { className: "bar" }, label, track, make("span", { textContent: percent(value) }));
}

function percent(value) {
  return `${(100 * value).toFixed(1)}%`;
}

function clock(time) {
  return new Date(time).toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit", timeZoneName: "short" });
}

function showLease(desk, item) {
  const left = item.expires - Date.now();
  desk.lease.textContent = left > 0 ? `Reserved for you until ${clock(item.expires)}` : "Reservation expired: ";
  if (left > 0) return;
  const renew = make("button", { type: "button", className: "link", textContent: "reserve again" });
  renew.onclick = () => send(desk, { action: "renew", id: "" });
  desk.lease.append(renew);
}

function tick(desk) {
  const item = view(desk).items[0];
  if (item) showLease(desk, item);
  else if (!desk.outbox.unsaved.length && desk.data.held.length) desk.setStateValue("wake", Date.now());
}
