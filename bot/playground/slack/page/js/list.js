// A list of messages that changes only where a message changed, and stays at its end while nobody scrolls up.

import { h } from "./dom.js";
import { messageElement } from "./message.js";
import { model } from "./model.js";
import { dayKey, dayName } from "./time.js";

const TOGETHER_SECONDS = 300;
const NEAR = 80;

function follows(message, before) {
  return before && !message.broadcast && !before.broadcast && before.user === message.user && before.ephemeral === message.ephemeral
    && dayKey(before.ts) === dayKey(message.ts) && message.ts - before.ts < TOGETHER_SECONDS;
}

/** Say how many, and where they are. */
const arrived = (count) => `${count} new ${count === 1 ? "message" : "messages"} ↓`;

const isAtEnd = (root) => root.scrollHeight - root.scrollTop - root.clientHeight < NEAR;

/** Remember which button of which message has the focus; a changed message is a new element. */
function focusIn(root) {
  const active = document.activeElement;
  const { action } = active?.dataset ?? {};
  const ts = active?.closest("[data-ts]")?.dataset.ts;
  if (!root.contains(active) || !ts || !action) return null;
  const same = `[data-ts="${CSS.escape(ts)}"] [data-action="${CSS.escape(action)}"]`;
  return () => {
    if (!active.isConnected) (root.querySelector(same) ?? root).focus({ preventScroll: true });
  };
}

export class MessageList {
  constructor(root, { inThread = false, openThread, press, choose }) {
    this.root = root;
    this.options = { inThread, openThread, press, choose };
    this.shown = new Map();
    this.atEnd = true;
    // What has come below what is in sight, and where it begins.
    this.below = new Set();
    this.firstNew = null;
    this.more = h("button", { type: "button", class: "more-below", hidden: true, onclick: () => this.toEnd() });
    root.after(this.more);
    root.addEventListener("scroll", () => {
      this.atEnd = isAtEnd(root);
      if (this.atEnd) this.#seen();
    });
    new ResizeObserver(() => { if (this.atEnd) root.scrollTop = root.scrollHeight; }).observe(root);
  }

  /** Go to the newest, and stay there until somebody scrolls up. */
  toEnd() {
    this.atEnd = true;
    this.firstNew = null;
    this.root.scrollTop = this.root.scrollHeight;
    this.#seen();
  }

  #seen() {
    this.below.clear();
    this.#tellBelow();
  }

  #tellBelow() {
    this.more.hidden = this.below.size === 0;
    this.more.textContent = arrived(this.below.size);
  }

  /** Tell of a message that has come: who reads further up is not moved, and told of it. */
  came({ ts }) {
    if (this.atEnd) return;
    this.below.add(ts);
    this.firstNew ??= ts;
    this.#tellBelow();
  }

  /** Begin another conversation; `firstNew` is the message before which new ones begin, if any. */
  #turnTo(name, firstNew) {
    this.shown.clear();
    this.name = name;
    this.atEnd = true;
    this.firstNew = firstNew;
    this.#seen();
  }

  /** Show these messages; elements of unchanged ones stay where they are, with focus and selection. */
  show(messages, { name, extra = {}, firstNew = null }) {
    const root = this.root;
    if (this.name !== name) this.#turnTo(name, firstNew);
    const focused = focusIn(root);
    const wanted = this.#elements(messages, extra);
    [...root.childNodes].filter((node) => !wanted.includes(node)).forEach((node) => node.remove());
    wanted.forEach((node, index) => {
      if (root.childNodes[index] !== node) root.insertBefore(node, root.childNodes[index] ?? null);
    });
    if (this.atEnd) root.scrollTop = root.scrollHeight;
    focused?.();
  }

  #elements(messages, extra) {
    const wanted = [];
    const fresh = new Map();
    messages.forEach((message, index) => {
      const before = messages[index - 1];
      if (!this.options.inThread && (!before || dayKey(before.ts) !== dayKey(message.ts))) {
        wanted.push(this.#kept(fresh, `day ${dayKey(message.ts)}`, "", () => h("div", { class: "day" }, h("span", {}, dayName(message.ts)))));
      }
      const isNew = message.ts === this.firstNew;
      if (isNew) wanted.push(this.#kept(fresh, "new", "", () => h("div", { class: "new-rule", role: "separator", "aria-label": "New messages" }, h("span", {}, "New"))));
      const compact = Boolean(follows(message, before) && !extra[before.ts] && !isNew);
      // What was sent to the channel as well names its thread by the first line of the card, which changes.
      const thread = message.broadcast && model.message(message.channel, message.thread_ts)?.text;
      const signature = JSON.stringify([message, compact, thread]);
      wanted.push(this.#kept(fresh, message.ts, signature, () => messageElement(message, { ...this.options, compact })));
      if (extra[message.ts]) wanted.push(this.#kept(fresh, `extra ${message.ts}`, extra[message.ts], () => h("div", { class: "reply-rule" }, h("span", {}, extra[message.ts]))));
    });
    this.shown = fresh;
    return wanted;
  }

  #kept(fresh, key, signature, make) {
    const old = this.shown.get(key);
    const entry = old?.signature === signature ? old : { signature, node: make() };
    fresh.set(key, entry);
    return entry.node;
  }
}
