const MARKS = { done: "check_circle", next: "arrow_circle_right", todo: "radio_button_unchecked" };
const WORDS = { done: "done", next: "next step", todo: "not yet" };
function part(name, text, hidden) {
  const element = document.createElement("span");
  element.className = name;
  element.textContent = text;
  if (hidden) element.setAttribute("aria-hidden", "true");
  return element;
}
export default function ({ data, parentElement, setTriggerValue }) {
  const list = parentElement.querySelector("ol");
  list.replaceChildren(...data.map((stage) => {
    const item = document.createElement("li");
    item.className = stage.state;
    const button = document.createElement("button");
    button.type = "button";
    button.setAttribute("aria-label", `${stage.title}: ${stage.value}, ${stage.detail} (${WORDS[stage.state]})`);
    const top = part("top", "");
    top.append(part("icon", stage.icon, true), part("state", MARKS[stage.state], true));
    button.append(top, part("title", stage.title), part("value", stage.value), part("detail", stage.detail));
    button.onclick = () => setTriggerValue("page", stage.page);
    item.append(button);
    return item;
  }));
}
