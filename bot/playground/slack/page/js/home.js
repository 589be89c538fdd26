// The application's Home tab, as one person sees it.

import { blocksOf } from "./blocks.js";
import { byId, h } from "./dom.js";
import { model } from "./model.js";

/** Draw the Home tab if it is open; `press` carries its buttons to the application. */
export function drawHome(press) {
  const open = model.atHome;
  byId("home").hidden = !open;
  for (const id of ["messages", "composer"]) byId(id).hidden = open;
  if (!open) return;
  byId("notice").hidden = true;
  byId("steps").hidden = true;
  const view = model.home;
  const focused = document.activeElement?.closest("#home [data-key]")?.dataset.key;
  byId("home").replaceChildren(...(view
    ? blocksOf(view.blocks, (element, button, block) => press(view, element, block, button))
    : [h("p", { class: "hint" }, "This is the Home tab. The application has not shown anything here yet.")]));
  if (focused) byId("home").querySelector(`[data-key="${CSS.escape(focused)}"]`)?.focus();
}
