// A plan and its tasks: a symbol and a word for the state of each, since a colour alone tells nobody who cannot see it.

import { h } from "./dom.js";
import { rich } from "./rich.js";

const STATES = {
  pending: { symbol: "○", word: "to do" },
  in_progress: { symbol: "◐", word: "in progress" },
  complete: { symbol: "✓", word: "done" },
  error: { symbol: "✕", word: "failed" },
};

function parts(block) {
  return (block?.elements ?? []).map((part) => rich(part));
}

function source({ url, text }) {
  return h("a", { href: url, target: "_blank", rel: "noopener noreferrer" }, text);
}

/** Show a task, in a plan or by itself. */
function task(block) {
  const { symbol, word } = STATES[block.status] ?? STATES.pending;
  return [
    h("span", { class: `task-state ${block.status}`, role: "img", "aria-label": word, title: word }, symbol),
    h("div", { class: "task-text" },
      h("span", { class: "task-title" }, block.title),
      block.details && h("div", { class: "task-details" }, ...parts(block.details)),
      block.output && h("div", { class: "task-output" }, ...parts(block.output)),
      block.sources?.length && h("div", { class: "task-sources" }, block.sources.map(source))),
  ];
}

export const taskCard = (block) => h("div", { class: "block-plan task" }, ...task(block));

export function plan(block) {
  return h("div", { class: "block-plan" },
    h("p", { class: "plan-title" }, block.title),
    h("ol", {}, (block.tasks ?? []).map((each) => h("li", { class: "task" }, ...task(each)))));
}
