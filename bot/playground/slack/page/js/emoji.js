// The emoji that a deployment bot is likely to use; any other name is shown as it was written.

const EMOJI = {
  "+1": "👍", "-1": "👎", arrow_right: "➡️", arrow_up: "⬆️", arrows_counterclockwise: "🔄", back: "🔙", bell: "🔔",
  boom: "💥", bulb: "💡", clock1: "🕐", construction: "🚧", eyes: "👀", fire: "🔥", gear: "⚙️", hammer: "🔨",
  hourglass: "⌛", hourglass_flowing_sand: "⏳", information_source: "ℹ️", large_blue_circle: "🔵",
  large_green_circle: "🟢", large_yellow_circle: "🟡", leftwards_arrow_with_hook: "↩️", link: "🔗", lock: "🔒",
  mag: "🔍", memo: "📝", no_entry: "⛔", no_entry_sign: "🚫", octagonal_sign: "🛑", package: "📦", pencil2: "✏️",
  question: "❓", red_circle: "🔴", repeat: "🔁", rewind: "⏪", rocket: "🚀", rotating_light: "🚨", snowflake: "❄️",
  sparkles: "✨", tada: "🎉", thumbsdown: "👎", thumbsup: "👍", unlock: "🔓", warning: "⚠️", wave: "👋",
  white_check_mark: "✅", heavy_check_mark: "✔️", white_circle: "⚪", wrench: "🔧", x: "❌", zap: "⚡",
  exclamation: "❗", heavy_multiplication_x: "✖️", black_square_for_stop: "⏹️", stopwatch: "⏱️",
};

export const emoji = (name) => EMOJI[name] ?? `:${name}:`;
