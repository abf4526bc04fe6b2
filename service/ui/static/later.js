// The bookmark of an item: on the reading list, or off it.

import { call, Refusal } from "./api.js";
import { text } from "./text.js";
import { toast } from "./toast.js";

const SAID = { read: text("reading.read"), unread: text("reading.unread"), archived: text("reading.archived") };

/** Say that an item was moved to a state. */
export const said = (state) => SAID[state];

const LIST = { href: "/ui/reading" };

/** Show an item's bookmark as set or not, wherever it stands. */
function show(id, set) {
  for (const one of document.querySelectorAll(`[data-later="${CSS.escape(id)}"]`)) one.ariaPressed = String(set);
}

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-later]");
  if (!button) return;
  const id = button.dataset.later;
  const set = button.ariaPressed !== "true";
  show(id, set); // at once; a refusal takes it back
  try {
    if (set) await call("PUT", `/resources/${id}/reading`, { state: "unread" });
    else await call("DELETE", `/resources/${id}/reading`);
    document.getElementById(`item-${id}`)?.querySelector(".so-far")?.remove();
    toast(text(set ? "later.on" : "later.off"), set ? { ...LIST, label: text("later.see") } : undefined);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    show(id, !set);
    toast(error.message);
  }
});
