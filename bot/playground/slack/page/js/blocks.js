// Block Kit, as far as a deployment bot uses it.

import { h } from "./dom.js";
import { mrkdwn, plainText, textObject } from "./mrkdwn.js";
import { plan, taskCard } from "./plan.js";
import { rich } from "./rich.js";

function button(element, press) {
  return h("button", {
    type: "button",
    class: `block-button ${element.style ?? ""}`,
    "data-action": element.action_id,
    "aria-label": element.accessibility_label,
    onclick: (event) => press(element, event.currentTarget),
  }, plainText(element.text));
}

function element(item, press) {
  if (item.type === "button") return button(item, press);
  if (item.type === "image") return h("img", { src: item.image_url, alt: item.alt_text });
  return h("span", { class: "unsupported" }, `(${item.type} is not shown in the playground)`);
}

function section(block, press) {
  return h("div", { class: "block-section" },
    h("div", { class: "block-text" },
      block.text && h("div", {}, ...textObject(block.text)),
      block.fields && h("div", { class: "block-fields" }, block.fields.map((field) => h("div", {}, ...textObject(field))))),
    block.accessory && element(block.accessory, press));
}

function context(block, press) {
  return h("div", { class: "block-context" }, block.elements.map((item) =>
    item.type === "image" ? element(item, press) : h("span", {}, ...textObject(item))));
}

function cell(item) {
  return item.type === "rich_text" ? item.elements.map((part) => rich(part)) : [String(item.text ?? item.value ?? "")];
}

function table(block) {
  const align = (column) => block.column_settings?.[column]?.align ?? "left";
  const wraps = (column) => (block.column_settings?.[column]?.is_wrapped ? "wraps" : "");
  const row = (cells, tag) => h("tr", {}, cells.map((item, column) =>
    h(tag, { class: `align-${align(column)} ${wraps(column)}`, scope: tag === "th" ? "col" : null }, ...cell(item))));
  const [head, ...body] = block.rows;
  return h("div", { class: "block-table", role: "region", "aria-label": "Table", tabindex: 0 },
    h("table", {}, h("thead", {}, row(head, "th")), h("tbody", {}, body.map((cells) => row(cells, "td")))));
}

const KINDS = {
  section,
  context,
  table,
  plan,
  task_card: taskCard,
  header: (block) => h("h3", { class: "block-header" }, plainText(block.text)),
  divider: () => h("hr", { class: "block-divider" }),
  actions: (block, press) => h("div", { class: "block-actions" }, block.elements.map((item) => element(item, press))),
  rich_text: (block) => h("div", { class: "block-rich" }, block.elements.map((part) => rich(part))),
  markdown: (block) => h("div", { class: "lines" }, block.text),
  image: (block) => h("img", { class: "block-image", src: block.image_url, alt: block.alt_text }),
};

/** Show blocks; `press` is called with a button that was pressed, its node, and the id of its block. */
export function blocksOf(blocks, press) {
  const pressed = (block) => (item, node) => press(item, node, block.block_id);
  return blocks.map((block) => (KINDS[block.type] ?? (() => null))(block, pressed(block))).filter(Boolean);
}

/** Show the blocks of a message, or its text when there are none. */
export const body = (message, press) => (message.blocks?.length ? blocksOf(message.blocks, press) : mrkdwn(message.text));
