// The reading list: what is read, put away or taken off leaves the list, and comes back with Undo.

import { call, part, Refusal } from "./api.js";
import { said } from "./later.js";
import { morph } from "./morph.js";
import { text } from "./text.js";
import { toast } from "./toast.js";

const page = document.getElementById("readings");

async function refresh() {
  morph(page, (await part(location.pathname + location.search)).getElementById("readings"));
}

async function attempt(action) {
  try {
    await action();
    await refresh();
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    toast(error.message);
  }
}

/** Put the focus on the title that now stands where `row` stood, so that a keyboard goes on from there. */
function focusAfter(index) {
  const rows = document.querySelectorAll("#items .item h3 a");
  (rows[Math.min(index, rows.length - 1)] ?? document.getElementById("main")).focus();
}

page.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-move], [data-off]");
  if (!button) return;
  const row = button.closest(".item");
  const index = [...row.parentElement.children].indexOf(row);
  const { id, state, progress } = row.dataset;
  const { move } = button.dataset;
  const path = `/resources/${id}/reading`;
  await attempt(async () => {
    if (move) await call("PUT", path, { state: move });
    else await call("DELETE", path);
    const undo = () => attempt(() => call("PUT", path, { state, progress: Number(progress) }));
    toast(move ? said(move) : text("later.off"), { label: text("reading.undo"), act: undo });
  });
  focusAfter(index);
});
