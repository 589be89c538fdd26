// A menu whose options the application answers: a combobox that asks again while one types.

import { h } from "./dom.js";
import { plainText } from "./mrkdwn.js";

const WAIT_MS = 150;

/** Make the menu; `suggest` resolves to the options that fit what was typed. */
export function menuField(element, id, suggest) {
  const label = (item) => item.text.text;
  const hidden = h("input", { type: "hidden", name: element.action_id, value: element.initial_option && JSON.stringify(element.initial_option) });
  const list = h("ul", { class: "options", id: `${id}-list`, role: "listbox", hidden: true });
  let before = element.initial_option ? label(element.initial_option) : "";
  const text = h("input", {
    type: "text", id, role: "combobox", autocomplete: "off", "aria-autocomplete": "list", "aria-expanded": "false", "aria-controls": `${id}-list`,
    placeholder: element.placeholder?.text ?? "Choose", value: before,
  });
  let asked = 0;
  let timer = 0;
  const show = (open) => { list.hidden = !open; text.setAttribute("aria-expanded", String(open)); };
  const rows = () => [...list.querySelectorAll("[role=option]")];
  const choose = (item) => {
    hidden.value = JSON.stringify({ text: item.text, value: item.value });
    before = text.value = label(item);
    show(false);
    hidden.dispatchEvent(new Event("change", { bubbles: true }));
  };
  const row = (item) => h("li", {
    role: "option", tabindex: -1, "aria-selected": "false", "data-value": item.value,
    // Before the text loses its focus, which would close the list.
    onmousedown: (event) => { event.preventDefault(); choose(item); },
  }, h("span", {}, plainText(item.text)), item.description && h("span", { class: "option-about" }, plainText(item.description)));
  const ask = async (typed) => {
    const mine = ++asked;
    const options = await suggest(typed);
    if (mine !== asked || document.activeElement !== text) return;
    list.replaceChildren(...(options.length ? options.map(row) : [h("li", { class: "none" }, "No results")]));
    list.choices = options;
    mark(0);
    show(true);
  };
  const mark = (at) => rows().forEach((each, index) => {
    each.setAttribute("aria-selected", String(index === at));
    if (index === at) each.scrollIntoView({ block: "nearest" });
  });
  const unfold = () => { text.select(); if ((element.min_query_length ?? 3) === 0) ask(""); };
  // Not when the focus comes back to it because the view was drawn anew.
  text.addEventListener("click", unfold);
  text.addEventListener("change", (event) => event.stopPropagation());
  text.addEventListener("input", () => {
    clearTimeout(timer);
    if (text.value.length >= (element.min_query_length ?? 3)) timer = setTimeout(() => ask(text.value), WAIT_MS);
  });
  text.addEventListener("blur", () => { show(false); text.value = before; });
  text.addEventListener("keydown", (event) => {
    const at = rows().findIndex((each) => each.getAttribute("aria-selected") === "true");
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      if (list.hidden) return unfold();
      const many = rows().length;
      mark((at + (event.key === "ArrowDown" ? 1 : many - 1)) % Math.max(many, 1));
    } else if (event.key === "Enter" && !list.hidden && rows()[at]) {
      event.preventDefault();
      choose(list.choices[at]);
    } else if (event.key === "Escape" && !list.hidden) {
      event.stopPropagation();
      event.preventDefault();
      show(false);
    }
  });
  return h("div", { class: "menu-field" }, hidden, text, list);
}
