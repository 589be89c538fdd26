// One message: who, when, what, and what can be done about it.

import { body } from "./blocks.js";
import { h } from "./dom.js";
import { emoji } from "./emoji.js";
import { isReply, model } from "./model.js";
import { ago, fullTimeOf, timeOf } from "./time.js";

/** A rounded square with the first letter; the colour is the person's own. */
export function avatar(user, size = "") {
  const bot = user?.is_bot;
  return h("span", { class: `avatar ${size} ${bot ? "bot" : ""}`, color: `#${user?.color ?? "888888"}`, "aria-hidden": "true" },
    (user?.real_name ?? "?")[0]);
}

function byline(message, user) {
  return h("div", { class: "byline" },
    h("span", { class: "author" }, user?.real_name ?? message.user),
    user?.is_bot && h("span", { class: "badge" }, "APP"),
    h("time", { class: "when", title: fullTimeOf(message.ts) }, timeOf(message.ts)));
}

function replyBar(message, openThread) {
  if (!message.reply_count || isReply(message)) return null;
  const count = `${message.reply_count} ${message.reply_count === 1 ? "reply" : "replies"}`;
  const faces = message.reply_users.slice(0, 3).map((id) => avatar(model.user(id), "tiny"));
  return h("button", { type: "button", class: "replies", "data-action": "replies", onclick: () => openThread(message.ts) },
    ...faces, h("span", { class: "reply-count" }, count), h("span", { class: "reply-when", "data-when": message.latest_reply }, `Last reply ${ago(message.latest_reply)}`));
}

function reactions(message) {
  return message.reactions?.length && h("div", { class: "reactions" },
    message.reactions.map((each) => h("span", { class: "reaction", title: `:${each.name}:` }, `${emoji(each.name)} ${each.count}`)));
}

function files(message) {
  return (message.files ?? []).map((file) =>
    h("details", { class: "file", open: true }, h("summary", {}, `${file.title} · ${file.size} bytes`), fileContent(file)));
}

/** A picture as Slack shows one, with its words for whoever cannot see it; anything else is text. */
function fileContent(file) {
  if (file.mimetype === "image/png") return h("img", { src: file.content, alt: file.alt_txt ?? file.title });
  return h("pre", {}, file.content ?? "");
}

function context(message, { inThread, openThread }) {
  if (message.ephemeral) return h("div", { class: "only-you" }, h("span", { "aria-hidden": "true" }, "👁 "), "Only visible to you");
  if (!message.broadcast) return null;
  if (inThread) return h("div", { class: "told" }, "Also sent to the channel");
  const parent = model.message(message.channel, message.thread_ts);
  const line = (parent?.text ?? "a thread").split("\n")[0].slice(0, 60);
  return h("div", { class: "told" }, "replied to a thread: ",
    h("button", { type: "button", class: "link", onclick: () => openThread(message.thread_ts) }, line));
}

/** The entries that an application has put into the menu of a message, which Slack shows behind three dots. */
function shortcuts(message, choose) {
  return model.shortcuts.map((each) => h("button", { type: "button", class: "tool shortcut", title: `${each.name}: a shortcut of Convox`, onclick: () => choose(message, each) }, each.name));
}

function tools(message, { inThread, openThread, choose }) {
  if (inThread || message.ephemeral) return null;
  const ts = message.thread_ts ?? message.ts;
  return h("div", { class: "tools" },
    ...shortcuts(message, choose),
    h("button", { type: "button", class: "tool", "aria-label": "Reply in thread", title: "Reply in thread", onclick: () => openThread(ts) }, "💬"));
}

/** Show a message; `compact` leaves out the author, who has just spoken. */
export function messageElement(message, { compact, inThread, openThread, press, choose }) {
  const user = model.user(message.user);
  const kind = `message ${compact ? "compact" : ""} ${message.ephemeral ? "ephemeral" : ""} ${message.broadcast && !inThread ? "broadcast" : ""}`;
  const where = { inThread, openThread, choose };
  return h("article", { class: kind, "data-ts": message.ts, "aria-label": `${user?.real_name ?? message.user}, ${timeOf(message.ts)}` },
    compact ? h("time", { class: "gutter", title: fullTimeOf(message.ts) }, timeOf(message.ts).replace(/ [AP]M$/, "")) : avatar(user),
    h("div", { class: "content" },
      context(message, where),
      !compact && byline(message, user),
      h("div", { class: "body" }, ...body(message, (item, target, block) => press(message, item, target, block)),
        message.edited && h("span", { class: "edited", title: fullTimeOf(message.edited.ts) }, "(edited)")),
      ...files(message),
      reactions(message),
      replyBar(message, openThread)),
    tools(message, where));
}
