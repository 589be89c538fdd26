// "Try this first": the commands a newcomer starts with.

import { byId, h } from "./dom.js";
import { model } from "./model.js";

const CLOSED = "steps-closed";
const TRIED = "steps-tried";

/** Return the commands that were tried; other steps belong to another beginning, before which nothing was. */
function tried() {
  const { steps, commands } = JSON.parse(localStorage.getItem(TRIED) ?? "{}");
  return new Set(steps === JSON.stringify(model.steps) ? commands : []);
}

/** Remember that a command was tried, so that its tick lasts as long as the playground. */
export function markTried(text) {
  if (!model.steps.some(({ command }) => command === text)) return;
  localStorage.setItem(TRIED, JSON.stringify({ steps: JSON.stringify(model.steps), commands: [...tried().add(text)] }));
}

function step(each, index, use, done) {
  const { title, command, explanation } = each;
  return h("li", {}, h("button", { type: "button", class: `step ${done ? "done" : ""}`, title: explanation, onclick: () => use(each) },
    h("span", { class: "step-number", "aria-hidden": "true" }, done ? "✓" : index + 1),
    h("span", { class: "step-title" }, title, done && h("span", { class: "unseen" }, " (done)")),
    h("code", {}, command),
    h("span", { class: "step-about" }, explanation)));
}

/** Draw the panel, folded if the person folded it before. */
export function drawSteps(use) {
  const root = byId("steps");
  root.hidden = model.steps.length === 0;
  const closed = localStorage.getItem(CLOSED) === "1";
  const fold = () => {
    localStorage.setItem(CLOSED, closed ? "0" : "1");
    drawSteps(use);
    byId("steps-fold").focus();
  };
  root.classList.toggle("closed", closed);
  const done = tried();
  root.replaceChildren(
    h("div", { class: "steps-head" },
      h("h2", { id: "steps-title" }, "Try this first"),
      h("span", { class: "steps-how" }, "A click puts the command into the box at the bottom; Enter sends it."),
      h("button", { id: "steps-fold", type: "button", class: "link", "aria-expanded": String(!closed), "aria-controls": "steps-list", onclick: fold }, closed ? "Show" : "Hide")),
    h("ol", { id: "steps-list", hidden: closed }, model.steps.map((each, index) => step(each, index, use, done.has(each.command)))));
}
