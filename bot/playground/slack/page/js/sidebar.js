// Channels on the left, and the people one can be.

import { byId, h } from "./dom.js";
import { avatar } from "./message.js";
import { model } from "./model.js";

function channelRow(channel, open) {
  const here = channel.id === model.channel && !model.atHome;
  const unread = model.unread.get(channel.id) ?? 0;
  const name = channel.is_im ? model.userName(channel.members.find((id) => id !== model.viewer)) : channel.name;
  return h("li", {}, h("button", {
    type: "button", class: `row ${unread ? "unread" : ""} ${channel.is_archived ? "archived" : ""}`,
    "aria-current": here && "page", onclick: () => open(channel.id),
  },
  h("span", { class: "hash", "aria-hidden": "true" }, channel.is_im ? "●" : channel.is_private ? "🔒" : "#"),
  h("span", { class: "name" }, name ?? channel.id),
  unread > 0 && h("span", { class: "count", "aria-label": `${unread} new` }, unread)));
}

function homeRow(open) {
  return h("li", {}, h("button", { type: "button", class: "row", "aria-current": model.atHome && "page", onclick: open },
    h("span", { class: "hash", "aria-hidden": "true" }, "⌂"), h("span", { class: "name" }, `${model.userName(model.bot)} Home`)));
}

function rank(user) {
  if (user.is_stranger) return "other company";
  return user.is_restricted ? "guest" : user.profile.title;
}

function personRow(user, be) {
  const me = user.id === model.viewer;
  return h("li", {}, h("button", {
    type: "button", class: "row person", "aria-pressed": String(me), title: `Act as ${user.real_name}`, onclick: () => be(user.id),
  },
  avatar(user, "small"),
  h("span", { class: "name" }, user.real_name),
  h("span", { class: "rank" }, me ? "you" : rank(user))));
}

/** Draw both lists anew, keeping the focus on the row that had it. */
export function drawSidebar({ open, home, be, act }) {
  byId("tools").hidden = model.buttons.length === 0;
  redraw(byId("tools"), model.buttons.map((button, index) => h("span", {}, h("button", { type: "button", onclick: () => act(button, index) }, button.label))));
  byId("team-name").textContent = model.team;
  redraw(byId("apps"), [homeRow(home)]);
  redraw(byId("channels"), model.channels().map((channel) => channelRow(channel, open)));
  redraw(byId("directs"), model.directs().map((channel) => channelRow(channel, open)));
  byId("directs-title").hidden = model.directs().length === 0;
  redraw(byId("people"), model.people().map((user) => personRow(user, be)));
}

function redraw(list, rows) {
  const focused = [...list.children].findIndex((row) => row.contains(document.activeElement));
  list.replaceChildren(...rows);
  if (focused >= 0) list.children[focused]?.querySelector("button")?.focus();
}
