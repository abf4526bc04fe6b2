// Webhooks: adds one, shows its secret once, tests, switches, deletes, sends again.

import { call, part, Refusal } from "./api.js";
import { morph } from "./morph.js";
import { text } from "./text.js";
import { announce, toast } from "./toast.js";

const AGAIN = 500; // ms between looks while something is being sent
const LONGEST = 15_000; // ms

const list = document.getElementById("hooks");
const form = document.getElementById("hook-form");

async function refresh() {
  morph(list, (await part(location.pathname + location.search)).getElementById("hooks"));
}

/** Look until a delivery was attempted, or it takes too long. */
async function follow(id) {
  const until = Date.now() + LONGEST;
  while (Date.now() < until) {
    const sent = await call("GET", `/deliveries/${id}`);
    if (sent.attempted_at && (sent.status !== "waiting" || sent.error)) break;
    await new Promise((done) => setTimeout(done, AGAIN));
  }
  await refresh();
}

async function attempt(action) {
  try {
    await action();
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    toast(error.message);
  }
}

async function send(path, field, webhook) {
  const id = (await call("POST", path))[field];
  announce(text("webhook.asked"));
  if (webhook && new URLSearchParams(location.search).get("id") !== webhook) {
    location.href = `/ui/webhooks?id=${webhook}`;
    return;
  }
  await refresh();
  await follow(id);
}

list.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (!button) return;
  const { id } = button.closest("[data-id]")?.dataset ?? {};
  attempt(async () => {
    if ("test" in button.dataset) await send(`/webhooks/${id}/test`, "delivery_id", id);
    else if ("retry" in button.dataset) {
      await send(`/deliveries/${button.closest("[data-delivery]").dataset.delivery}/retry`, "id");
    } else if ("enable" in button.dataset) {
      await call("PUT", `/webhooks/${id}`, { enabled: button.dataset.enable === "true" });
      await refresh();
      document.querySelector(`#hook-${CSS.escape(id)} button`).focus();
    } else if ("delete" in button.dataset && confirm(text("webhook.really"))) {
      await call("DELETE", `/webhooks/${id}`);
      if (new URLSearchParams(location.search).get("id") === id) history.replaceState(null, "", "/ui/webhooks");
      await refresh();
      document.getElementById("main").focus();
      toast(text("webhook.gone"));
    }
  });
});

form?.addEventListener("submit", async (event) => {
  event.preventDefault();
  const refusal = document.getElementById("hook-refusal");
  refusal.textContent = "";
  try {
    const events = form.elements.events.value.split(/[\s,]+/).filter(Boolean);
    const made = await call("POST", "/webhooks", { url: form.elements.url.value, events });
    const panel = document.getElementById("hook-secret");
    document.getElementById("hook-secret-text").value = made.secret;
    panel.hidden = false;
    form.reset();
    await refresh();
    document.getElementById("hook-secret-text").select();
    announce(text("webhook.made"));
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    refusal.textContent = error.message;
  }
});

for (const row of list.querySelectorAll('[data-delivery][data-status="waiting"]')) attempt(() => follow(row.dataset.delivery));
