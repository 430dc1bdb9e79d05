// The outbox: what the reviewer did and the server has not confirmed. It is kept in the browser's storage, one entry per
// key, so that a reload, a closed tab, a lost line or a server that restarts loses nothing. The server records a key once.

const LATE = 4_000; // milliseconds without confirmation, after which entries are sent again
const DEAD = 12_000; // … after which the page is loaded anew, if the server answers

class Outbox {
  /** store: names the home and the reviewer whose entries these are. */
  constructor(store) {
    this.prefix = `scones-outbox:${store}:`;
    this.entries = this.#stored().sort((a, b) => a.number - b.number);
    this.notes = new Map(Object.entries(read(`scones-notes:${store}`) ?? {}));
    this.notesKey = `scones-notes:${store}`;
    this.sent = 0; // when the entries were last sent, performance.now()
  }

  get unsaved() {
    return this.entries.filter((entry) => !entry.refused);
  }

  get refused() {
    return this.entries.filter((entry) => entry.refused);
  }

  add(entry) {
    const last = this.entries.at(-1)?.number ?? 0;
    const made = { ...entry, key: newKey(), number: Math.max(last + 1, Date.now()) };
    this.entries.push(made);
    write(this.prefix + made.key, made);
  }

  remove(key) {
    this.entries = this.entries.filter((entry) => entry.key !== key);
    write(this.prefix + key, null);
  }

  refuse(key, reason) {
    const entry = this.entries.find((one) => one.key === key);
    if (!entry) return;
    entry.refused = reason;
    write(this.prefix + key, entry);
  }

  /** A note being written, which outlives the reservation of its image. */
  keepNote(id, text) {
    if (text) this.notes.set(id, text);
    else this.notes.delete(id);
    write(this.notesKey, Object.fromEntries(this.notes));
  }

  #stored() {
    try {
      const keys = Object.keys(localStorage).filter((key) => key.startsWith(this.prefix));
      return keys.map(read).filter((entry) => entry?.key && Number.isInteger(entry.number));
    } catch {
      return []; // storage is switched off: entries then live as long as the page
    }
  }
}

function read(key) {
  try {
    return JSON.parse(localStorage.getItem(key));
  } catch {
    return null;
  }
}

function write(key, value) {
  try {
    if (value === null) localStorage.removeItem(key);
    else localStorage.setItem(key, JSON.stringify(value));
  } catch {
    // storage is full or switched off: the entry lives as long as the page
  }
}

/** crypto.randomUUID exists on secure pages only. */
function newKey() {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Send entries that are late again; if that does not help, load the page anew: this one's session is gone. */
async function watch(desk) {
  const waiting = desk.outbox.unsaved;
  if (!waiting.length) return;
  const now = performance.now();
  if (now - desk.outbox.sent > LATE) post(desk);
  if (now - desk.waitingSince < DEAD || !(await answers())) return;
  desk.reloading = true;
  location.reload();
}

function post(desk) {
  desk.outbox.sent = performance.now();
  desk.setStateValue("outbox", desk.outbox.unsaved);
}

async function answers() {
  try {
    return (await fetch(new URL("_stcore/health", document.baseURI), { cache: "no-store" })).ok;
  } catch {
    return false;
  }
}

/** Add an entry and send what is unsaved. */
function enter(desk, entry) {
  if (!desk.outbox.unsaved.length) desk.waitingSince = performance.now();
  desk.outbox.add(entry);
  post(desk);
}

/** Hear keys, send what is late, and warn before unsaved entries are left; returns what ends that.
 * timers: [function of the desk, milliseconds between its calls], beside these. */
function attend(desk, onKey, timers) {
  const ending = new AbortController();
  window.sconesReview = desk.root; // a component that the page is about to remove hears no keys
  const how = { capture: true, signal: ending.signal };
  document.addEventListener("keydown", (event) => onKey(desk, event), how);
  document.addEventListener("click", () => setTimeout(takeFocus, 300), how); // a drop-down closes after its choice
  const leaving = (event) => {
    if (desk.outbox.unsaved.length && !desk.reloading) event.preventDefault();
  };
  window.addEventListener("beforeunload", leaving, how);
  const running = [[watch, 1_000], ...timers].map(([does, every]) => setInterval(() => does(desk), every));
  return () => {
    ending.abort();
    running.forEach(clearInterval);
  };
}

/** Whether a key is for this component: not for a field, another component or the browser. */
function hears(desk, event) {
  const typing = "input, textarea, select, [contenteditable=true], [role=combobox], [role=slider]";
  if (window.sconesReview !== desk.root || !desk.data.keys || event.composedPath()[0].closest?.(typing)) return false;
  return !(event.ctrlKey || event.metaKey || event.altKey);
}

/** The digit of a key, by its place on keyboards whose digit row has other characters. */
function digitOf(event) {
  if (/^\d$/.test(event.key)) return event.key;
  const place = event.shiftKey ? null : /^(?:Digit|Numpad)(\d)$/.exec(event.code);
  return place ? place[1] : null;
}

/** Keys go to the component again once a drop-down or a button of the page has had its say. */
function takeFocus() {
  const active = document.activeElement;
  const chosen = active?.closest?.("[role=combobox], [data-baseweb=select]") && active.getAttribute("aria-expanded") !== "true";
  if (chosen || active?.matches?.("[role=radio], input[type=radio], [data-testid=stButtonGroup] button")) active.blur();
}
