// Trying again, for every button that offers it.

import { call, Refusal } from "./api.js";
import { text } from "./text.js";
import { toast } from "./toast.js";

const AT_ONCE = 4;

/** Read many items again, a few at a time; the first refusal ends it. */
async function retryAll(ids) {
  const waiting = [...ids];
  const work = async () => {
    for (let id = waiting.shift(); id; id = waiting.shift()) await again(id, "fetched");
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
}

/** Read an item again from a step; a file has nothing to fetch, the server then begins where it can. */
function again(id, from) {
  return call("POST", `/resources/${id}/reprocess`, { from });
}

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-retry-all]");
  if (!button) return;
  const ids = button.dataset.retryAll.split(" ");
  button.disabled = true;
  try {
    await retryAll(ids);
    toast(text("retrying.many", { n: ids.length }));
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    toast(error.message);
  } finally {
    button.disabled = false;
  }
});

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-retry], [data-reprocess]");
  if (!button) return;
  button.disabled = true;
  try {
    const id = button.dataset.retry ?? button.dataset.reprocess;
    await again(id, button.dataset.from);
    toast(text(button.dataset.retry ? "retrying" : "reading.again"));
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    toast(error.message);
  } finally {
    button.disabled = false;
  }
});
