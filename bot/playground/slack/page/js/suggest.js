// What could follow in the composer: a pure function from the text to suggestions.

const isPlaceholder = (word) => /[A-Z…[\]<>="]/.test(word);

/** Return the words of a usage up to its first placeholder. */
function fixed(usage) {
  const words = usage.split(" ");
  const end = words.findIndex(isPlaceholder);
  return end < 0 ? { text: words.join(" "), open: false } : { text: words.slice(0, end).join(" "), open: true };
}

/** Return up to ten {label, description, text} for what stands in the composer. */
export function suggestions(typed, command, hints) {
  if (!typed.startsWith("/") || typed.includes("\n")) return [];
  const rows = hints.map(({ usage, description }) => {
    const bare = usage.startsWith(command) ? usage.slice(command.length).trim() : usage;
    const { text, open } = fixed(bare);
    return { label: `${command} ${bare}`, description, text: `${command} ${text}${open && text ? " " : ""}` };
  });
  rows.push({ label: "/invite @convox", description: "let the bot into this channel", text: "/invite @convox" });
  const lower = typed.toLowerCase();
  return rows.filter(({ text }) => starts(text.toLowerCase(), lower)).slice(0, 10);
}

/** A row fits while the person types it, and after it while its placeholders are being filled in. */
function starts(text, typed) {
  return text.startsWith(typed) || (text.endsWith(" ") && typed.startsWith(text));
}
