// The confirm dialog of a button.

import { byId, h } from "./dom.js";
import { plainText, textObject } from "./mrkdwn.js";

/** Ask before a press; resolves to whether the person went on. */
export function confirmed(confirm) {
  if (!confirm) return Promise.resolve(true);
  const dialog = byId("confirm");
  return new Promise((resolve) => {
    const answer = (value) => () => dialog.close(value);
    dialog.replaceChildren(h("form", { method: "dialog" },
      h("h2", { id: "confirm-title" }, plainText(confirm.title)),
      h("div", { class: "confirm-text" }, ...textObject(confirm.text)),
      h("div", { class: "confirm-buttons" },
        h("button", { type: "button", class: "block-button", onclick: answer("no"), autofocus: true }, plainText(confirm.deny)),
        h("button", { type: "button", class: `block-button ${confirm.style ?? "primary"}`, onclick: answer("yes") }, plainText(confirm.confirm)))));
    dialog.returnValue = "";
    dialog.addEventListener("close", () => resolve(dialog.returnValue === "yes"), { once: true });
    dialog.showModal();
  });
}
