// Where people type: Enter sends, the arrows choose a suggestion or recall what was sent.

import { h } from "./dom.js";
import { suggestions } from "./suggest.js";

export class Composer {
  constructor(root, { id, label, send, hints = () => ({ command: "", hints: [] }) }) {
    this.id = id;
    this.send = send;
    this.hints = hints;
    this.sent = [];
    this.recalled = 0;
    this.chosen = -1;
    this.rows = [];
    this.#build(root, label);
  }

  #build(root, label) {
    this.list = h("ul", { id: `${this.id}-list`, class: "suggestions", role: "listbox", "aria-label": "Suggestions", hidden: true });
    this.error = h("p", { class: "composer-error", role: "alert", hidden: true });
    this.text = h("textarea", {
      id: `${this.id}-text`, rows: 1, "aria-label": label, placeholder: label, autocomplete: "off", spellcheck: "false",
      role: "combobox", "aria-expanded": "false", "aria-controls": `${this.id}-list`, "aria-autocomplete": "list",
      oninput: () => this.#changed(), onkeydown: (event) => this.#key(event), onblur: () => this.#close(),
    });
    this.button = h("button", { type: "button", class: "send", "aria-label": "Send", onclick: () => this.submit() }, "➤");
    root.replaceChildren(this.list, this.error, h("div", { class: "composer" }, this.text, this.button));
  }

  label(text) {
    this.text.placeholder = text;
    this.text.setAttribute("aria-label", text);
  }

  /** Put a text in, ready to be sent or changed. */
  fill(text) {
    this.text.value = text;
    this.text.focus();
    this.text.setSelectionRange(text.length, text.length);
    this.#changed();
    this.#close();
  }

  async submit() {
    const text = this.text.value.trim();
    if (!text) return;
    this.sent.push(text);
    this.recalled = this.sent.length;
    this.text.value = "";
    this.#changed();
    this.complain(await this.send(text));
  }

  complain(error) {
    this.error.textContent = error ?? "";
    this.error.hidden = !error;
  }

  #changed() {
    this.text.style.height = "auto";
    this.text.style.height = `${Math.min(this.text.scrollHeight, 180)}px`;
    this.button.classList.toggle("ready", this.text.value.trim() !== "");
    this.complain("");
    const { command, hints } = this.hints();
    this.rows = suggestions(this.text.value, command, hints);
    this.chosen = -1;
    this.#draw();
  }

  #draw() {
    this.list.hidden = this.rows.length === 0;
    this.text.setAttribute("aria-expanded", String(!this.list.hidden));
    const active = this.rows[this.chosen] ? `${this.id}-option-${this.chosen}` : "";
    this.text.setAttribute("aria-activedescendant", active);
    const whose = h("li", { class: "suggestions-head", role: "presentation" }, `Hints of the playground: Slack itself suggests ${this.hints().command}, and no words after it`);
    this.list.replaceChildren(whose, ...this.rows.map((row, index) =>
      h("li", {
        id: `${this.id}-option-${index}`, role: "option", "aria-selected": String(index === this.chosen),
        onmousedown: (event) => { event.preventDefault(); this.#take(row); },
      }, h("span", { class: "usage" }, row.label), h("span", { class: "about" }, row.description))));
    this.list.children[this.chosen + 1]?.scrollIntoView({ block: "nearest" });
  }

  #close() {
    this.rows = [];
    this.#draw();
  }

  #take(row) {
    this.text.value = row.text;
    this.#changed();
    if (!row.text.endsWith(" ")) this.#close();
  }

  #key(event) {
    if (event.isComposing) return;
    const open = this.rows.length > 0;
    const row = this.rows[this.chosen];
    if (event.key === "Enter" && !event.shiftKey) this.#stop(event, () => (row ? this.#take(row) : this.submit()));
    else if (event.key === "Tab" && !event.shiftKey && open) this.#stop(event, () => this.#take(row ?? this.rows[0]));
    else if (event.key === "Escape" && open) this.#stop(event, () => this.#close());
    else if (event.key === "ArrowDown" && open) this.#stop(event, () => this.#choose(1));
    else if (event.key === "ArrowUp" && open && this.text.value) this.#stop(event, () => this.#choose(-1));
    else if (event.key === "ArrowUp" && (!this.text.value || this.text.value === this.sent[this.recalled])) this.#stop(event, () => this.#recall());
  }

  #stop(event, act) {
    event.preventDefault();
    event.stopPropagation();
    act();
  }

  #choose(step) {
    const count = this.rows.length;
    this.chosen = this.chosen < 0 && step < 0 ? count - 1 : (this.chosen + step + count) % count;
    this.#draw();
  }

  #recall() {
    if (!this.recalled) return;
    this.recalled -= 1;
    this.fill(this.sent[this.recalled]);
  }
}
