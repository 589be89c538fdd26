// What the page knows of the workspace, and who looks at it.

const users = new Map();
const groups = new Map();
const channels = new Map();
const messages = new Map();

const key = (message) => `${message.channel}/${message.ts}`;
const byTs = (one, other) => (one.ts < other.ts ? -1 : 1);

export const model = {
  team: "", viewer: "", bot: "", command: "/convox", hints: [], steps: [], buttons: [], shortcuts: [], unread: new Map(), firstNew: new Map(),
  channel: null, threadTs: null, atHome: false, home: null,

  /** Put a whole state in place of what is known. */
  load(state) {
    [users, groups, channels, messages].forEach((map) => map.clear());
    state.users.forEach((user) => users.set(user.id, user));
    state.usergroups.forEach((group) => groups.set(group.id, group.handle));
    state.channels.forEach((channel) => channels.set(channel.id, channel));
    state.messages.forEach((message) => messages.set(key(message), message));
    Object.assign(model, {
      team: state.team, viewer: state.viewer, bot: state.bot, command: state.command, hints: state.hints, steps: state.first_steps, buttons: state.buttons, shortcuts: state.shortcuts,
      home: state.home,
    });
    if (!channels.has(model.channel)) model.channel = model.channels()[0]?.id ?? null;
    if (model.threadTs && !model.message(model.channel, model.threadTs)) model.threadTs = null;
  },

  /** Keep a new or changed message; say whether it was new. */
  put(message) {
    const isNew = !messages.has(key(message));
    messages.set(key(message), message);
    return isNew;
  },
  /** Remember that nobody has seen a message of a channel that is not shown. */
  miss({ channel, ts }) {
    model.unread.set(channel, (model.unread.get(channel) ?? 0) + 1);
    if (!model.firstNew.has(channel)) model.firstNew.set(channel, ts);
  },
  drop(message) {
    messages.delete(key(message));
  },

  user: (id) => users.get(id),
  userName: (id) => users.get(id)?.real_name,
  groupHandle: (id) => groups.get(id),
  channelName: (id) => channels.get(id)?.name,
  current: () => channels.get(model.channel),
  message: (channel, ts) => messages.get(`${channel}/${ts}`),
  people: () => [...users.values()].filter((user) => !user.is_bot && !user.deleted),
  channels: () => [...channels.values()].filter((channel) => !channel.is_im),
  directs: () => [...channels.values()].filter((channel) => channel.is_im && channel.members.includes(model.viewer)),

  /** What stands in the main view: no replies, unless they were sent to the channel as well. */
  timeline() {
    return [...messages.values()].filter((m) => m.channel === model.channel && (!isReply(m) || m.broadcast)).sort(byTs);
  },
  replies() {
    return [...messages.values()].filter((m) => m.channel === model.channel && isReply(m) && m.thread_ts === model.threadTs).sort(byTs);
  },
};

export const isReply = (message) => Boolean(message.thread_ts) && message.thread_ts !== message.ts;
