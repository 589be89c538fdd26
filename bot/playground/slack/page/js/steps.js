// "Try this first": the commands a newcomer starts with.

import { byId, h } from "./dom.js";
import { model } from "./model.js";

const CLOSED = "steps-closed";
const tried = new Set();
let drawn = "";

export function markTried(text) {
  tried.add(text);
}

function step(each, index, use) {
  const { title, command, explanation } = each;
  const done = tried.has(command);
  return h("li", {}, h("button", { type: "button", class: `step ${done ? "done" : ""}`, title: explanation, onclick: () => use(each) },
    h("span", { class: "step-number", "aria-hidden": "true" }, done ? "✓" : index + 1),
    h("span", { class: "step-title" }, title, done && h("span", { class: "unseen" }, " (done)")),
    h("code", {}, command),
    h("span", { class: "step-about" }, explanation)));
}

/** Draw the panel, folded if the person folded it before. */
export function drawSteps(use) {
  const root = byId("steps");
  // Other steps belong to another beginning: what was tried before it does not count.
  if (drawn !== JSON.stringify(model.steps)) tried.clear();
  drawn = JSON.stringify(model.steps);
  root.hidden = model.steps.length === 0;
  const closed = localStorage.getItem(CLOSED) === "1";
  const fold = () => {
    localStorage.setItem(CLOSED, closed ? "0" : "1");
    drawSteps(use);
    byId("steps-fold").focus();
  };
  root.classList.toggle("closed", closed);
  root.replaceChildren(
    h("div", { class: "steps-head" },
      h("h2", { id: "steps-title" }, "Try this first"),
      h("span", { class: "steps-how" }, "A click puts the command into the box at the bottom; Enter sends it."),
      h("button", { id: "steps-fold", type: "button", class: "link", "aria-expanded": String(!closed), "aria-controls": "steps-list", onclick: fold }, closed ? "Show" : "Hide")),
    h("ol", { id: "steps-list", hidden: closed }, model.steps.map((each, index) => step(each, index, use))));
}
