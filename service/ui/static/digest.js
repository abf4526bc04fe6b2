// Notifications by e-mail: where to, how often, and a test.

import { call, part, Refusal } from "./api.js";
import { morph } from "./morph.js";
import { text } from "./text.js";
import { toast } from "./toast.js";

const state = document.getElementById("digest-state");
const address = document.getElementById("digest-address");
const when = document.getElementById("digest-when");
const refusal = document.getElementById("digest-refusal");

async function attempt(action) {
  refusal.textContent = "";
  try {
    const said = await action();
    morph(state, (await part(location.pathname)).getElementById("digest-state"));
    local();
    toast(said);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    refusal.textContent = error.message;
  }
}

/** Write moments as the clock here has them. */
function local() {
  for (const time of document.querySelectorAll("time[data-at]")) {
    time.textContent = new Date(time.dateTime).toLocaleString(undefined, { dateStyle: "medium", timeStyle: "short" });
  }
}

address?.addEventListener("submit", (event) => {
  event.preventDefault();
  attempt(async () => {
    const asked = await call("POST", "/notifications/digest/address", { address: address.elements.address.value.trim() });
    address.reset();
    return text("digest.asked", { address: asked.address });
  });
});

when?.elements.frequency.addEventListener("change", (event) => {
  when.querySelector("[data-weekly]").hidden = event.target.value !== "weekly";
});

when?.addEventListener("submit", (event) => {
  event.preventDefault();
  const { frequency, weekday, hour, timezone } = when.elements;
  attempt(async () => {
    await call("PUT", "/notifications/digest", {
      frequency: frequency.value,
      weekday: Number(weekday.value),
      hour: Number(hour.value),
      timezone: timezone.value.trim(),
    });
    return text("digest.saved");
  });
});

state?.addEventListener("click", (event) => {
  const button = event.target.closest("[data-digest]");
  if (button?.dataset.digest === "test") {
    attempt(async () => text("digest.tested", await call("POST", "/notifications/digest/test")));
  } else if (button?.dataset.digest === "forget") {
    attempt(async () => {
      await call("DELETE", "/notifications/digest/address");
      when.elements.frequency.value = "off";
      document.getElementById("digest-title").scrollIntoView({ block: "nearest" });
      address.elements.address.focus();
      return text("digest.forgotten");
    });
  }
});

if (when?.elements.frequency.value === "off") {
  when.elements.timezone.value = Intl.DateTimeFormat().resolvedOptions().timeZone;
}
local();
