// The modals an application opens: inputs, their errors, and what the acknowledgement asks for.

import { blocksOf } from "./blocks.js";
import { byId, h } from "./dom.js";
import { menuField } from "./menu.js";
import { plainText } from "./mrkdwn.js";

const option = (item) => ({ text: item.text, value: item.value });
let shown = null; // the view that is on screen

function textField(element, id) {
  const props = { id, name: element.action_id, placeholder: element.placeholder?.text, maxlength: element.max_length };
  if (!element.multiline) return h("input", { type: "text", ...props, value: element.initial_value });
  return h("textarea", props, element.initial_value ?? "");
}

function selectField(element, id) {
  const groups = element.options ? [{ options: element.options }] : (element.option_groups ?? []);
  const options = groups.flatMap((group) => group.options);
  const chosen = element.initial_option?.value;
  return h("select", { id, name: element.action_id },
    !chosen && h("option", { value: "" }, element.placeholder?.text ?? "Choose"),
    options.map((item) => h("option", { value: item.value, selected: item.value === chosen }, plainText(item.text))));
}

function boxes(element) {
  const type = element.type === "checkboxes" ? "checkbox" : "radio";
  const chosen = [...(element.initial_options ?? []), element.initial_option].map((item) => item?.value);
  return h("div", {}, element.options.map((item) => h("label", { class: "option" },
    h("input", { type, name: element.action_id, value: item.value, checked: chosen.includes(item.value) }),
    h("span", {}, plainText(item.text), item.description && h("span", { class: "option-about" }, plainText(item.description))))));
}

function field(block, acts) {
  const id = `field-${block.block_id}`;
  const { element } = block;
  const many = element.type === "checkboxes" || element.type === "radio_buttons";
  const control = many ? boxes(element)
    : element.type === "external_select" ? menuField(element, id, (typed) => acts.suggest(block.block_id, typed))
      : element.type.endsWith("select") ? selectField(element, id) : textField(element, id);
  const label = [plainText(block.label), block.optional && h("span", { class: "when" }, " (optional)")];
  return h(many ? "fieldset" : "div", {
    class: "field", "data-block": block.block_id, onchange: () => block.dispatch_action && acts.choose(block.block_id),
  },
  many ? h("legend", {}, label) : h("label", { for: id }, label),
  control,
  block.hint && h("p", { class: "hint" }, plainText(block.hint)),
  h("p", { class: "wrong", role: "alert", hidden: true }));
}

/** Read one input as Slack words its state. */
function valueOf(block, root) {
  const { element } = block;
  const controls = [...root.querySelectorAll(`[name="${CSS.escape(element.action_id)}"]`)];
  const all = [...(element.options ?? []), ...(element.option_groups ?? []).flatMap((group) => group.options)];
  const picked = (value) => all.filter((item) => item.value === value).map(option)[0] ?? null;
  if (element.type === "checkboxes") return { type: element.type, selected_options: controls.filter((c) => c.checked).map((c) => picked(c.value)) };
  if (element.type === "radio_buttons") return { type: element.type, selected_option: picked(controls.find((c) => c.checked)?.value) };
  if (element.type === "external_select") return { type: element.type, selected_option: controls[0].value ? JSON.parse(controls[0].value) : null };
  if (element.type.endsWith("select")) return { type: element.type, selected_option: picked(controls[0].value) };
  return { type: element.type, value: controls[0].value || null };
}

const inputsOf = (view) => view.blocks.filter((block) => block.type === "input");
const place = (id) => byId("modal").querySelector(`[data-block="${CSS.escape(id)}"]`);
const valuesOf = (view) => Object.fromEntries(inputsOf(view).map((block) => [block.block_id, { [block.element.action_id]: valueOf(block, place(block.block_id)) }]));

function complain(dialog, errors) {
  for (const node of dialog.querySelectorAll("[data-block]")) {
    const wrong = node.querySelector(".wrong");
    if (!wrong) continue;
    wrong.textContent = errors[node.dataset.block] ?? "";
    wrong.hidden = !errors[node.dataset.block];
  }
}

/** Return {block_id: error} for required inputs that are empty. */
function missing(view, values) {
  const empty = ({ block_id: id, element, optional }) => {
    const { value, selected_option: one, selected_options: many } = values[id][element.action_id];
    return !optional && !value && !one && !many?.length;
  };
  return Object.fromEntries(inputsOf(view).filter(empty).map((block) => [block.block_id, "Please complete this required field."]));
}

/** What an updated view shows in an input that was there before: what the person has entered, as in Slack. */
function kept(view, before) {
  if (!before || before.id !== view.id) return view;
  const values = valuesOf(before);
  const blocks = view.blocks.map((block) => {
    const value = block.type === "input" && values[block.block_id]?.[block.element.action_id];
    if (!value) return block;
    const element = { ...block.element };
    if (value.value !== undefined) element.initial_value = value.value ?? "";
    if (value.selected_option !== undefined) element.initial_option = value.selected_option ?? undefined;
    if (value.selected_options) element.initial_options = value.selected_options;
    return { ...block, element };
  });
  return { ...view, blocks };
}

/** Show a modal; `acts` carries to the application what is done with it. */
export function showModal(view, acts) {
  if (view.type !== "modal") return;
  const dialog = byId("modal");
  const current = kept(view, dialog.open ? shown : null);
  const focused = document.activeElement?.id;
  shown = current;
  const mine = {
    suggest: (block, typed) => acts.suggest(view, block, typed),
    choose: (block) => acts.choose(view, block, valuesOf(current)),
  };
  const send = async (event) => {
    event.preventDefault();
    const inputs = inputsOf(current);
    const values = valuesOf(current);
    const gaps = missing(current, values);
    if (Object.keys(gaps).length) return complain(dialog, gaps);
    const { ok, error, ack } = await acts.submit(view, values);
    if (!ok) complain(dialog, { [inputs[0]?.block_id]: `We had some trouble connecting (${error}). Try again?` });
    else if (ack.response_action === "errors") complain(dialog, ack.errors);
    else if (ack.response_action !== "update" && ack.response_action !== "push") hide();
  };
  const away = () => { hide(); acts.close(view); };
  dialog.oncancel = () => acts.close(view);
  const press = (element, _button, block) => acts.press(view, element, block, valuesOf(current));
  dialog.replaceChildren(h("form", { onsubmit: send, novalidate: true },
    h("h2", { id: "modal-title" }, plainText(view.title)),
    current.blocks.map((block) => (block.type === "input" ? field(block, mine) : blocksOf([block], press))).flat(),
    h("div", { class: "confirm-buttons" },
      h("button", { type: "button", class: "block-button", onclick: away }, view.close ? plainText(view.close) : "Cancel"),
      view.submit && h("button", { type: "submit", class: "block-button primary" }, plainText(view.submit)))));
  if (!dialog.open) dialog.showModal();
  else if (focused) byId(focused)?.focus();
}

function hide() {
  shown = null;
  byId("modal").close();
}
