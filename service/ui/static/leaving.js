// Deleting with an undo: nothing is sent until the time for it has passed, or at once when the page is left.

import { call, Refusal } from "./api.js";
import { text } from "./text.js";
import { toast } from "./toast.js";

const UNDO = 10_000; // ms

const leaving = new Set(); // ids that are hidden, and not deleted yet
const hiding = new CSSStyleSheet(); // rows that are drawn again meanwhile stay hidden
document.adoptedStyleSheets.push(hiding);

function hide() {
  hiding.replaceSync([...leaving].map((id) => `#item-${id} { display: none; }`).join("\n"));
  dispatchEvent(new Event("pharos:shown"));
}

/** Hide items now and delete them in 10 seconds, unless somebody wants them back. */
export function deleteSoon(ids) {
  for (const id of ids) leaving.add(id);
  hide();
  const back = () => {
    clearTimeout(timer);
    removeEventListener("pagehide", leave);
    for (const id of ids) leaving.delete(id);
    hide();
    toast(text("undone"));
  };
  const close = toast(text("deleting", { n: ids.length }), { label: text("undo"), act: back, lasts: UNDO });
  const leave = () => {
    clearTimeout(timer);
    for (const id of ids) fetch(`/resources/${id}`, { method: "DELETE", keepalive: true });
  };
  const timer = setTimeout(async () => {
    removeEventListener("pagehide", leave);
    close();
    await remove(ids);
  }, UNDO);
  addEventListener("pagehide", leave, { once: true });
}

async function remove(ids) {
  const kept = [];
  for (const id of ids) {
    try {
      await call("DELETE", `/resources/${id}`);
      document.getElementById(`item-${id}`)?.remove();
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      if (error.status !== 404) kept.push(error);
    }
    leaving.delete(id);
  }
  hide();
  if (kept.length) toast(text("kept.some", { n: kept.length, why: kept[0].message }));
  else toast(text("deleted.many", { n: ids.length }), { href: "/ui/trash", label: text("see") });
}
