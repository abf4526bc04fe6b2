// The sample set: into an empty library, and out of it again.

import { call, Refusal } from "./api.js";
import { text } from "./text.js";
import { toast, toastNext } from "./toast.js";

async function attempt(button, action) {
  button.disabled = true;
  try {
    await action();
  } catch (error) {
    button.disabled = false;
    if (!(error instanceof Refusal)) throw error;
    toast(error.message);
  }
}

document.getElementById("sample-add")?.addEventListener("click", (event) =>
  attempt(event.currentTarget, async () => {
    const { batch_id: batch } = await call("POST", "/sample");
    toastNext(text("sample.added"));
    location.assign(`/ui/?batch=${batch}`);
  }),
);

document.getElementById("sample-remove")?.addEventListener("click", (event) => {
  if (!confirm(text("sample.really"))) return;
  attempt(event.currentTarget, async () => {
    await call("DELETE", "/sample");
    toastNext(text("sample.gone"));
    location.assign("/ui/");
  });
});
