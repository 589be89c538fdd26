// Puts the parts of the page together.

import { Composer } from "./composer.js";
import { confirmed } from "./dialog.js";
import { ask, byId, h } from "./dom.js";
import { drawHome } from "./home.js";
import { MessageList } from "./list.js";
import { showModal } from "./modal.js";
import { avatar } from "./message.js";
import { isReply, model } from "./model.js";
import { drawSidebar } from "./sidebar.js";
import { drawSteps, markTried } from "./steps.js";
import { follow } from "./stream.js";
import { ago } from "./time.js";

const where = { openThread, press, choose };
const list = new MessageList(byId("messages"), where);
const threadList = new MessageList(byId("thread-messages"), { ...where, inThread: true });
const composer = new Composer(byId("composer"), { id: "composer", label: "Message", send, hints: () => model });
const threadComposer = new Composer(byId("thread-composer"), { id: "thread-composer", label: "Reply…", send: reply });

// Where what has come while one was elsewhere begins, in the channel that is shown.
let firstNew = null;

async function send(text) {
  list.toEnd();
  markTried(text);
  drawSteps(take);
  return attempt("/do/send", { text });
}

async function reply(text) {
  if (text.startsWith("/")) return `${text.split(" ")[0]} is not supported in threads. Sorry!`;
  threadList.toEnd();
  return attempt("/do/send", { text, thread_ts: model.threadTs });
}

/** Ask the workspace as the present person in the present channel; resolves to what to complain about. */
async function attempt(path, body) {
  try {
    const answer = await ask(path, { user: model.viewer, channel: model.channel, ...body });
    return answer.ok || answer.error === "operation_timeout" || answer.error === "dispatch_failed" ? "" : answer.error;
  } catch (error) {
    return `Not sent: ${error.message}`;
  }
}

async function press(message, element, button, block) {
  if (!(await confirmed(element.confirm))) return;
  button.classList.add("busy");
  button.setAttribute("aria-busy", "true");
  const complaint = await attempt("/do/click", { ts: message.ts, action_id: element.action_id, block_id: block });
  button.classList.remove("busy");
  button.removeAttribute("aria-busy");
  composer.complain(complaint);
}

/** Choose a shortcut in the menu of a message. */
async function choose(message, { callback_id: shortcut }) {
  composer.complain(await attempt("/do/shortcut", { ts: message.ts, callback_id: shortcut }));
}

/** What is done with a modal or the Home tab, carried to the application. */
const inView = {
  submit: (view, values) => ask("/do/submit", { user: model.viewer, view_id: view.id, values }),
  choose: (view, block, values) => ask("/do/choose", { user: model.viewer, view_id: view.id, block_id: block, values }),
  suggest: async (view, block, typed) => (await ask("/do/suggest", { user: model.viewer, view_id: view.id, block_id: block, typed })).options,
  close: (view) => ask("/do/close", { user: model.viewer, view_id: view.id }),
  async press(view, element, block, values, node) {
    if (!(await confirmed(element.confirm))) return;
    node?.setAttribute("aria-busy", "true");
    await ask("/do/press", { user: model.viewer, view_id: view.id, action_id: element.action_id, block_id: block, values });
    node?.removeAttribute("aria-busy");
  },
};

function openHome() {
  model.atHome = true;
  closeMenu();
  draw();
  ask("/do/home", { user: model.viewer });
}

/** Press a button that belongs to the playground, not to Slack. */
async function act({ label, question }, index) {
  const plain = (text) => ({ type: "plain_text", text });
  const confirm = question && { title: plain(label), text: plain(question), confirm: plain(label), deny: plain("Not now"), style: "danger" };
  if (await confirmed(confirm || null)) composer.complain(await attempt("/do/button", { index }));
}

function use(command) {
  composer.fill(command);
}

/** Take a first step: go where it belongs, and have its command ready to be sent. */
function take({ command, channel }) {
  if (channel && channel !== model.channel) openChannel(channel);
  use(command);
}

function openChannel(id) {
  firstNew = model.firstNew.get(id) ?? null;
  model.firstNew.delete(id);
  model.channel = id;
  model.atHome = false;
  model.threadTs = null;
  model.unread.delete(id);
  closeMenu();
  history.replaceState(null, "", `#${id}`);
  draw();
  composer.text.focus();
}

function closeMenu() {
  document.body.classList.remove("menu-open");
  byId("menu").setAttribute("aria-expanded", "false");
}

function openThread(ts) {
  model.threadTs = ts;
  draw();
  threadComposer.text.focus();
}

function closeThread() {
  const ts = model.threadTs;
  model.threadTs = null;
  draw();
  document.querySelector(`#messages [data-ts="${CSS.escape(ts)}"] .replies`)?.focus();
}

function be(user) {
  sessionStorage.setItem("viewer", user);
  document.body.classList.remove("menu-open");
  start(user);
}

function drawHead() {
  const channel = model.current();
  if (!channel) return;
  const name = channel.is_im ? model.userName(channel.members.find((id) => id !== model.viewer)) : channel.name;
  const title = `${channel.is_im ? "" : channel.is_private ? "🔒 " : "# "}${name}`;
  byId("channel-name").textContent = model.atHome ? `${model.userName(model.bot)} Home` : title;
  byId("channel-topic").textContent = model.atHome ? "Only you see this." : channel.topic?.value ?? "";
  byId("members").hidden = model.atHome;
  document.title = `${title} · convox-bot playground`;
  const faces = channel.members.slice(0, 4).map((id) => avatar(model.user(id), "small"));
  byId("members").replaceChildren(...faces, h("span", { class: "member-count", title: channel.members.map(model.userName).join(", ") }, `${channel.members.length} members`));
  composer.label(`Message ${title.replace("# ", "#")} as ${model.userName(model.viewer)}`);
  byId("messages").dataset.empty = channel.is_im ? "Nobody else can see what is said here." : `This is the very beginning of ${title}.`;
  drawNotice(channel);
}

function drawNotice(channel) {
  const absent = !channel.is_im && !channel.is_member;
  const notice = byId("notice");
  notice.hidden = !absent && !channel.is_archived;
  if (channel.is_archived) notice.replaceChildren("This channel is archived: nobody can post here.");
  else if (absent) {
    notice.replaceChildren(`${model.userName(model.bot)} is not in this channel and cannot post here. `,
      h("button", { type: "button", class: "link", onclick: () => use("/invite @convox") }, "/invite @convox"));
  }
}

function drawThread() {
  const parent = model.threadTs && model.message(model.channel, model.threadTs);
  byId("thread").hidden = !parent;
  byId("app").classList.toggle("with-thread", Boolean(parent));
  if (!parent) return;
  const replies = model.replies();
  const count = replies.length === 1 ? "1 reply" : `${replies.length} replies`;
  byId("thread-channel").textContent = byId("channel-name").textContent;
  threadList.show([parent, ...replies], { name: `${model.viewer}/${model.channel}/${parent.ts}`, extra: replies.length ? { [parent.ts]: count } : {} });
}

function draw() {
  drawSidebar({ open: openChannel, home: openHome, be, act });
  drawHead();
  drawHome((view, element, block, node) => inView.press(view, element, block, {}, node));
  list.show(model.timeline(), { name: `${model.viewer}/${model.channel}`, firstNew });
  drawThread();
}

function announce(message) {
  if (message.user === model.viewer) return;
  const here = message.channel === model.channel;
  const inMain = !isReply(message) || message.broadcast;
  const inThread = message.thread_ts === model.threadTs && isReply(message);
  if (here && (inMain || inThread)) byId("announcer").textContent = `${model.userName(message.user) ?? "Somebody"}: ${message.text}`;
  // What is for oneself alone answers what one has done: it is not to be looked for.
  const show = (shown) => (message.ephemeral ? shown.toEnd() : shown.came(message));
  if (here && inMain) show(list);
  if (here && inThread) show(threadList);
  if (!here && inMain) model.miss(message);
}

let drawing = 0;
function drawSoon() {
  cancelAnimationFrame(drawing);
  drawing = requestAnimationFrame(draw);
}

function onEvent({ type, message, view }) {
  if (type === "view" && view.type === "modal") return showModal(view, inView);
  if (type === "view") model.home = view;
  else if (type === "message_deleted") model.drop(message);
  else if (model.put(message)) announce(message);
  drawSoon();
}

function start(user) {
  follow(user, {
    onState(state) {
      model.load(state);
      drawSteps(take);
      draw();
      if (state.modal) showModal(state.modal, inView);
    },
    onEvent,
    onLive: (live) => { byId("offline").hidden = live; },
  });
}

byId("thread-close").addEventListener("click", closeThread);
byId("thread").addEventListener("keydown", (event) => { if (event.key === "Escape") closeThread(); });
byId("menu").addEventListener("click", () => {
  const open = document.body.classList.toggle("menu-open");
  byId("menu").setAttribute("aria-expanded", String(open));
});
// "3 minutes ago" grows old by itself.
setInterval(() => {
  for (const node of document.querySelectorAll("[data-when]")) node.textContent = `Last reply ${ago(node.dataset.when)}`;
}, 30_000);
// A permalink names a channel and, after a slash, a thread.
[model.channel, model.threadTs = null] = decodeURIComponent(location.hash.slice(1)).split("/");
start(new URLSearchParams(location.search).get("as") ?? sessionStorage.getItem("viewer") ?? "");
composer.text.focus();
