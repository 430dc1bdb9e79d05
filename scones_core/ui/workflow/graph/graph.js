// Draws the graph that graph.py has laid out. Texts are set as text, never as markup.

const SVG = "http://www.w3.org/2000/svg";
const MARKS = {
  succeeded: "M-3.6 .2 L-1 2.8 L3.8 -2.6",
  failed: "M-2.8 -2.8 L2.8 2.8 M2.8 -2.8 L-2.8 2.8",
  caught: "M0 -3.8 V.8 M0 3.3 V3.6",
  aborted: "M-3 0 H3",
  "fanned out": "M-3.2 -2.6 H3.2 M-3.2 0 H3.2 M-3.2 2.6 H3.2",
  running: "M0 -3.4 V0 L2.4 1.6",
};

function element(name, attributes, ...children) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

function text(content, x, y, kind) {
  const made = element("text", { x, y, class: kind });
  made.textContent = content;
  return made;
}

function edge({ path, kind, taken, label, label_at: at }) {
  const marker = taken ? "url(#arrow-taken)" : "url(#arrow)";
  const group = element("g", { class: `edge ${kind} ${taken ? "taken" : ""}` });
  group.append(element("path", { d: path, "marker-end": marker }));
  if (at) group.append(text(label, at[0], at[1] + 4, "label"));
  return group;
}

function mark(node) {
  const group = element("g", { class: "mark", transform: `translate(${node.x + node.width - 16} ${node.y + 16})` });
  group.append(element("circle", { r: 7.5 }), element("path", { d: MARKS[node.status] }));
  return group;
}

function state(node, select) {
  const group = element("g", {
    class: `state ${node.status.replace(" ", "-")} ${node.inner ? "inner" : ""}`,
    role: "button",
    tabindex: 0,
    "aria-label": node.label,
    "aria-pressed": node.selected,
    "data-state": node.name,
  });
  const { x, y, width, height } = node;
  group.append(element("rect", { x, y, width, height, rx: 9 }));
  group.append(text(node.type, x + 14, y + 20, "type"));
  const top = node.inner ? y + 20 : y + 37;
  const left = node.inner ? x + 22 + node.type.length * 5.6 : x + 14;
  node.lines.forEach((line, index) => group.append(text(line, left, top + index * 18, "name")));
  if (MARKS[node.status]) group.append(mark(node));
  group.onclick = () => select(node.name);
  group.onkeydown = (event) => {
    if (event.key !== "Enter" && event.key !== " ") return;
    event.preventDefault();
    select(node.name);
  };
  return group;
}

function terminal({ x, y, width, height, lines, taken }) {
  const group = element("g", { class: `terminal ${taken ? "taken" : ""}`, "aria-hidden": true });
  group.append(element("rect", { x, y, width, height, rx: height / 2 }));
  group.append(text(lines[0], x + width / 2, y + height / 2 + 4.5, "label"));
  return group;
}

function arrow(id) {
  const shape = { id, viewBox: "0 0 8 8", refX: 7, refY: 4, markerWidth: 7, markerHeight: 7, orient: "auto" };
  return element("marker", shape, element("path", { d: "M0 0.5 L8 4 L0 7.5 Z" }));
}

export default function ({ data, parentElement, setTriggerValue }) {
  const select = (name) => {
    for (const other of parentElement.querySelectorAll(".state")) {
      other.setAttribute("aria-pressed", other.dataset.state === name);
    }
    setTriggerValue("picked", name);
  };
  const { width, height, nodes, edges, label } = data;
  const drawing = element("svg", {
    viewBox: `-2 -2 ${width + 4} ${height + 4}`,
    style: `max-width:${width * 1.15}px; min-width:${Math.min(width, 620) * 0.5}px`,
    role: "group",
    "aria-label": label,
  });
  drawing.append(element("defs", {}, arrow("arrow"), arrow("arrow-taken")));
  drawing.append(...nodes.filter((node) => node.inner).map((node) => state(node, select)));
  drawing.append(...edges.map(edge));
  drawing.append(...nodes.filter((node) => !node.inner && !node.terminal).map((node) => state(node, select)));
  drawing.append(...nodes.filter((node) => node.terminal).map(terminal));
  const focused = parentElement.activeElement?.dataset?.state;
  parentElement.querySelector(".graph").replaceChildren(drawing);
  if (focused) parentElement.querySelector(`[data-state="${CSS.escape(focused)}"]`)?.focus();
}
