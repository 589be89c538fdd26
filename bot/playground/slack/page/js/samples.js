// Messages side by side: light, dark, and as wide as a phone.

import { body } from "./blocks.js";
import { byId, h } from "./dom.js";
import { model } from "./model.js";

const FRAMES = { light: "in a light window", dark: "in a dark window", phone: "on a phone" };

function frames(sample) {
  return Object.entries(FRAMES).map(([frame, label]) =>
    h("div", { class: `frame ${frame}`, role: "group", "aria-label": `${sample.title}, ${label}` }, h("div", { class: "body" }, ...body(sample, () => {}))));
}

async function show() {
  const [state, samples] = await Promise.all(["/do/state", "/do/samples"].map(async (path) => (await fetch(path)).json()));
  model.load(state);
  byId("samples").replaceChildren(...samples.map((sample) =>
    h("section", { class: "sample", "data-title": sample.title }, h("h2", {}, sample.title), h("div", { class: "frames" }, ...frames(sample)))));
}

show();
