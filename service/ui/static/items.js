// Trying again, for every button that offers it.

import { call, Refusal } from "./api.js";
import { text } from "./text.js";
import { toast } from "./toast.js";

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-retry], [data-reprocess]");
  if (!button) return;
  button.disabled = true;
  try {
    const id = button.dataset.retry ?? button.dataset.reprocess;
    await call("POST", `/resources/${id}/reprocess`, { from: button.dataset.from });
    toast(text(button.dataset.retry ? "retrying" : "reading.again"));
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    toast(error.message);
  } finally {
    button.disabled = false;
  }
});
