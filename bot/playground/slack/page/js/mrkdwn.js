// Slack's mrkdwn, as DOM nodes.

import { h } from "./dom.js";
import { emoji } from "./emoji.js";
import { model } from "./model.js";
import { datePattern } from "./time.js";

const ENTITIES = { "&amp;": "&", "&lt;": "<", "&gt;": ">" };
export const decode = (text) => text.replace(/&(?:amp|lt|gt);/g, (entity) => ENTITIES[entity]);

// Code, a token in angle brackets, then styles: a style's mark stands at a word's edge and never spans lines.
const INLINE = new RegExp(
  [
    "`(?<code>[^`\\n]+)`",
    "<(?<token>[^<>\\n]+)>",
    "(?<![\\w*])\\*(?<bold>[^\\s*](?:[^*\\n]*[^\\s*])?)\\*(?![\\w*])",
    "(?<![\\w_])_(?<italic>[^\\s_](?:[^_\\n]*[^\\s_])?)_(?![\\w_])",
    "(?<![\\w~])~(?<strike>[^\\s~](?:[^~\\n]*[^\\s~])?)~(?![\\w~])",
    "(?<![\\w:]):(?<emoji>[a-z0-9_+-]+):",
  ].join("|"),
  "g",
);
const TOKEN = /<([^<>\n]+)>/g;

/** Split a text by a pattern; matches become nodes, what is between them goes through `plain`. */
function pieces(text, pattern, matched, plain) {
  const nodes = [];
  let last = 0;
  for (const match of text.matchAll(pattern)) {
    if (match.index > last) nodes.push(plain(text.slice(last, match.index)));
    nodes.push(matched(match));
    last = match.index + match[0].length;
  }
  if (last < text.length) nodes.push(plain(text.slice(last)));
  return nodes;
}

function mention(label, title) {
  return h("span", { class: "mention", title }, label);
}

function link(url, label) {
  if (!/^(https?|mailto):/i.test(url)) return document.createTextNode(label);
  return h("a", { href: url, target: "_blank", rel: "noopener noreferrer" }, label);
}

function special(body, label) {
  if (body.startsWith("date^")) {
    const [, seconds, pattern, url] = body.split("^");
    const text = h("time", { title: label ?? "" }, datePattern(seconds, pattern ?? "{date}", label ?? body));
    return url ? link(url, text.textContent) : text;
  }
  if (body.startsWith("subteam^")) return mention(`@${model.groupHandle(body.slice(8)) ?? label ?? body}`);
  return mention(`@${label ?? body}`);
}

/** Word one <…>: a person, a channel, something special, or a link. */
function token(raw) {
  const [body, label] = raw.split(/\|(.*)/s).map((part) => (part === undefined ? undefined : decode(part)));
  if (body.startsWith("@")) return mention(`@${model.userName(body.slice(1)) ?? label ?? body.slice(1)}`);
  if (body.startsWith("#")) return mention(`#${model.channelName(body.slice(1)) ?? (label || body.slice(1))}`);
  if (body.startsWith("!")) return special(body.slice(1), label);
  return link(body, label || body.replace(/^mailto:/, ""));
}

function inline(text) {
  return pieces(text, INLINE, ({ groups }) => {
    if (groups.code !== undefined) return h("code", {}, ...literal(groups.code));
    if (groups.token !== undefined) return token(groups.token);
    if (groups.bold !== undefined) return h("strong", {}, ...inline(groups.bold));
    if (groups.italic !== undefined) return h("em", {}, ...inline(groups.italic));
    if (groups.strike !== undefined) return h("s", {}, ...inline(groups.strike));
    return document.createTextNode(emoji(groups.emoji));
  }, (plain) => document.createTextNode(decode(plain)));
}

/** In code only tokens and entities mean something. */
function literal(text) {
  return pieces(text, TOKEN, (match) => token(match[1]), (plain) => document.createTextNode(decode(plain)));
}

/** Return the rows of a block of code, each an element, so that a wrapped one can be told from the next. */
function rows(text) {
  return text.split("\n").flatMap((row, index) => [index > 0 && "\n", h("span", { class: "pre-row" }, ...literal(row))]);
}

function lines(text) {
  const nodes = [];
  for (const part of text.split(/((?:^|(?<=\n))(?:&gt;|>) ?.*(?:\n(?:&gt;|>) ?.*)*)/)) {
    if (!part) continue;
    if (/^(&gt;|>)/.test(part)) nodes.push(h("blockquote", {}, ...inline(part.replace(/^(&gt;|>) ?/gm, ""))));
    else nodes.push(...inline(part.replace(/^\n/, nodes.length ? "" : "\n")));
  }
  return nodes;
}

/** Turn mrkdwn into nodes. */
export function mrkdwn(text) {
  return pieces(text ?? "", /```\n?([\s\S]*?)\n?```\n?/g, (match) => h("pre", {}, ...rows(match[1])), (plain) =>
    h("span", { class: "lines" }, ...lines(plain.replace(/\n$/, ""))));
}

/** Turn plain_text into nodes: emoji if it asks for them, nothing else. */
export function plainText(object) {
  const text = object?.text ?? "";
  return object?.emoji === false ? text : text.replace(/:([a-z0-9_+-]+):/g, (_, name) => emoji(name));
}

export const textObject = (object) => (object?.type === "mrkdwn" ? mrkdwn(object.text) : [plainText(object)]);
