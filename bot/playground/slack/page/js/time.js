// Times as Slack words them, in the viewer's own zone.

const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
const clockSeconds = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", second: "2-digit" });
const longDay = new Intl.DateTimeFormat(undefined, { weekday: "long", month: "long", day: "numeric" });
const shortDay = new Intl.DateTimeFormat(undefined, { month: "short", day: "numeric", year: "numeric" });
const full = new Intl.DateTimeFormat(undefined, { dateStyle: "full", timeStyle: "medium" });
const DAY = 86_400_000;

export const dateOf = (ts) => new Date(Number(ts) * 1000);
export const timeOf = (ts) => clock.format(dateOf(ts));
export const fullTimeOf = (ts) => full.format(dateOf(ts));
export const dayKey = (ts) => dateOf(ts).toDateString();

function pretty(date, otherwise) {
  const days = Math.round((new Date(date.toDateString()) - new Date(new Date().toDateString())) / DAY);
  return { 0: "today", 1: "tomorrow", [-1]: "yesterday" }[days] ?? otherwise.format(date);
}

export function dayName(ts) {
  const name = pretty(dateOf(ts), longDay);
  return name[0].toUpperCase() + name.slice(1);
}

/** "3 minutes ago", as the reply bar says it. */
export function ago(ts) {
  const seconds = Math.max(0, (Date.now() - dateOf(ts)) / 1000);
  if (seconds < 60) return "just now";
  const [amount, unit] = seconds < 3600 ? [seconds / 60, "minute"] : seconds < 86_400 ? [seconds / 3600, "hour"] : [seconds / 86_400, "day"];
  const whole = Math.floor(amount);
  return `${whole} ${unit}${whole === 1 ? "" : "s"} ago`;
}

/** Word a date token's pattern: <!date^1700000000^{date_short_pretty} {time}|fallback>. */
export function datePattern(seconds, pattern, fallback) {
  const date = new Date(Number(seconds) * 1000);
  if (Number.isNaN(date.valueOf())) return fallback;
  const words = {
    time: () => clock.format(date),
    time_secs: () => clockSeconds.format(date),
    ago: () => ago(seconds),
    date_num: () => date.toISOString().slice(0, 10),
    date_long: () => longDay.format(date),
    date_long_pretty: () => pretty(date, longDay),
    date_pretty: () => pretty(date, shortDay),
    date_short_pretty: () => pretty(date, shortDay),
  };
  return pattern.replace(/\{(\w+)\}/g, (_, name) => (words[name] ?? (() => shortDay.format(date)))());
}
