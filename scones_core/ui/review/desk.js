// The review desk. Actions show at once and stay in the outbox until the server has processed them.

const DOUBLE = 180; // milliseconds: the same key again within this time is one press
const desks = new WeakMap();

/** The images still to decide: the server's, less what the outbox has decided, plus what it has taken back. */
function view(desk) {
  let items = desk.data.items.slice();
  const undone = desk.history.slice();
  for (const entry of desk.outbox.unsaved) {
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
  enter(desk, entry);
  render(desk);
}

/** Entries that the server has processed leave the outbox, or stay as drafts if refused; an undo brings images back. */
function confirm(desk) {
  const done = new Set(desk.data.done);
  for (const entry of desk.outbox.unsaved.filter((one) => done.has(one.key))) {
    const refused = desk.data.refused[entry.key];
    if (refused) desk.outbox.refuse(entry.key, refused);
    else desk.outbox.remove(entry.key);
    if (entry.action === "undo") desk.history.pop();
    else if (!refused && desk.known.has(entry.id)) desk.history.push(desk.known.get(entry.id));
    desk.waitingSince = performance.now();
  }
  desk.history.splice(0, Math.max(0, desk.history.length - 50));
}

function decide(desk, action, label = "") {
  const item = view(desk).items[0];
  if (!item) return;
  const note = desk.note.value.trim();
  desk.outbox.keepNote(item.id, "");
  desk.note.value = "";
  send(desk, { action, id: item.id, label, note, revision: item.revision });
}

/** True for the second of two presses of the same key or button that were one. */
function repeated(desk, what, time) {
  if (desk.last === what && time - desk.lastTime < DOUBLE) return true;
  desk.last = what;
  desk.lastTime = time;
  return false;
}

function act(desk, what, time) {
  if (repeated(desk, what, time)) return;
  if (what === "undo") send(desk, { action: "undo", id: view(desk).undone.at(-1)?.id ?? "" });
  else if (what === "skip") decide(desk, "skip");
  else decide(desk, "label", what);
}

function onKey(desk, event) {
  if (event.key === "Escape") escape(desk, event.composedPath()[0]);
  if (!hears(desk, event)) return;
  const key = event.key.toLowerCase();
  const digit = digitOf(event);
  if (digit !== null) {
    if (!event.repeat) onDigit(desk, digit, event.timeStamp);
  } else if (desk.commands[key]) {
    desk.prefix = "";
    if (!event.repeat) desk.commands[key](event.timeStamp);
  } else return;
  event.preventDefault();
  event.stopPropagation();
}

function escape(desk, target) {
  if (target === desk.note || target === desk.search || target === desk.newClass) target.blur();
  desk.search.value = "";
  desk.newClass.hidden = true;
  desk.prefix = "";
  render(desk);
}

/** One digit for up to nine classes; for more, 1 to 3 are the model's first three, and the others have two digits. */
function onDigit(desk, digit, time) {
  const item = view(desk).items[0];
  if (!item) return;
  const keys = [...item.top, ...item.choices];
  const pressed = desk.prefix + digit;
  const choice = keys.find((one) => one.key === pressed);
  const begins = !choice && keys.some((one) => one.key.length > pressed.length && one.key.startsWith(pressed));
  desk.prefix = begins ? pressed : "";
  if (choice) act(desk, choice.label, time);
  else render(desk);
}

function commandsOf(desk) {
  const keys = desk.data.commands;
  const answer = (what) => (time) => act(desk, what, time);
  return {
    [keys.skip]: answer("skip"),
    [keys.undo]: answer("undo"),
    [keys.unusable]: answer("/unusable"),
    [keys.unsure]: answer("/unsure"),
    [keys.confirm]: (time) => {
      const item = view(desk).items[0];
      if (item?.choices.some((choice) => choice.label === item.answer)) act(desk, item.answer, time);
    },
    n: () => desk.note.focus(),
    "/": () => desk.search.hidden || desk.search.focus(),
    p: () => desk.look.click(),
    b: () => desk.light.click(),
    k: () => desk.contrast.click(),
    z: () => desk.zoom.click(),
    h: () => desk.hide.click(),
    "?": () => (desk.help.open = !desk.help.open),
  };
}

function listen(desk) {
  desk.note.oninput = () => {
    const item = view(desk).items[0];
    if (item) desk.outbox.keepNote(item.id, desk.note.value);
  };
  desk.search.oninput = () => render(desk);
  desk.search.onkeydown = (event) => {
    const first = desk.choices.querySelector("button");
    if (event.key !== "Enter" || event.isComposing || !first || !desk.search.value.trim()) return;
    desk.search.value = "";
    desk.search.blur();
    first.onclick(event);
  };
  desk.propose.onclick = () => {
    desk.newClass.hidden = !desk.newClass.hidden;
    if (!desk.newClass.hidden) desk.newClass.focus();
  };
  desk.newClass.onkeydown = (event) => {
    const name = desk.newClass.value.trim();
    if (event.key !== "Enter" || event.isComposing || !name) return;
    desk.newClass.value = "";
    desk.newClass.hidden = true;
    decide(desk, "propose", name);
  };
  desk.picture.onpointermove = (event) => {
    const box = desk.picture.parentElement.getBoundingClientRect();
    const part = (at, start, length) => `${((100 * (at - start)) / length).toFixed(1)}%`;
    const [x, y] = [part(event.clientX, box.left, box.width), part(event.clientY, box.top, box.height)];
    desk.picture.style.transformOrigin = `${x} ${y}`;
  };
}

export default function ({ data, parentElement, setStateValue }) {
  const root = parentElement.querySelector(".desk");
  let desk = desks.get(root);
  if (!desk) {
    desk = { root, data, outbox: new Outbox(data.store), history: [], known: new Map(), prefix: "" };
    desk.waitingSince = performance.now();
    desks.set(root, desk);
    desk.setStateValue = setStateValue;
    build(desk);
    takeFocus();
    if (desk.outbox.unsaved.length) setTimeout(() => post(desk));
  }
  desk.data = data;
  desk.setStateValue = setStateValue;
  confirm(desk);
  render(desk);
  desk.stop?.(); // each rerun calls this function again, and does not always end what the call before has begun
  desk.stop = attend(desk, onKey, [[tick, 20_000], [showUnsaved, 1_000]]);
  return desk.stop;
}
