// Rich text: what a message, a cell of a table and a task of a plan can hold.

import { h } from "./dom.js";
import { emoji } from "./emoji.js";
import { model } from "./model.js";
import { datePattern } from "./time.js";

function leaf(item) {
  const kinds = {
    text: () => item.text,
    link: () => h("a", { href: item.url, target: "_blank", rel: "noopener noreferrer" }, item.text ?? item.url),
    user: () => h("span", { class: "mention" }, `@${model.userName(item.user_id) ?? item.user_id}`),
    channel: () => h("span", { class: "mention" }, `#${model.channelName(item.channel_id) ?? item.channel_id}`),
    usergroup: () => h("span", { class: "mention" }, `@${model.groupHandle(item.usergroup_id) ?? item.usergroup_id}`),
    emoji: () => emoji(item.name),
    date: () => datePattern(item.timestamp, item.format, item.fallback ?? ""),
    broadcast: () => h("span", { class: "mention" }, `@${item.range}`),
  };
  const node = (kinds[item.type] ?? (() => ""))();
  const tags = { code: "code", bold: "strong", italic: "em", strike: "s" };
  return Object.entries(tags).reduce((inner, [style, tag]) => (item.style?.[style] ? h(tag, {}, inner) : inner), node);
}

export function rich(part) {
  const inner = (part.elements ?? []).map((item) => (part.type === "rich_text_list" ? h("li", {}, rich(item)) : leaf(item)));
  if (part.type === "rich_text_preformatted") return h("pre", {}, inner);
  if (part.type === "rich_text_quote") return h("blockquote", {}, inner);
  if (part.type === "rich_text_list") return h(part.style === "ordered" ? "ol" : "ul", {}, inner);
  return h("span", { class: "lines" }, inner);
}
