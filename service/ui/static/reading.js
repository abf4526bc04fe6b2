// Tells the library how long the resource was looked at, so that it can recommend others; the reader alone sees it.

const SHORTEST = 5; // seconds; a glance says nothing
const LONGEST = 86_400; // seconds; the most that is taken
const IDLE = 300_000; // ms without any sign of a reader, after which nobody is looking

const { id } = document.getElementById("resource").dataset;
let seen = 0; // ms of this visit
let since = null; // when the page came into sight; null: it is not
let last = 0; // when somebody last moved

function begin() {
  since ??= performance.now();
  last = performance.now();
}

/** Count what passed in sight, up to a while after the last move. */
function count() {
  if (since === null) return;
  seen += Math.max(0, Math.min(performance.now(), last + IDLE) - since);
  since = null;
}

function move() {
  if (document.visibilityState !== "visible") return;
  if (performance.now() - last > IDLE) count();
  begin();
}

/** Send what was seen, once for each time that the page goes out of sight; it may never come back. */
function tell() {
  count();
  const seconds = Math.min(Math.round(seen / 1000), LONGEST);
  if (seconds < SHORTEST) return;
  seen = 0;
  fetch("/interactions", {
    method: "POST",
    keepalive: true, // it outlives the page
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ resource_id: id, interaction_type: "view", dwell_seconds: seconds }),
  }).catch((error) => console.warn("The visit was not recorded:", error.message));
}

document.addEventListener("visibilitychange", () => (document.visibilityState === "visible" ? begin() : tell()));
addEventListener("pagehide", tell);
addEventListener("pageshow", (event) => event.persisted && begin());
for (const sign of ["pointermove", "pointerdown", "keydown", "scroll"]) addEventListener(sign, move, { passive: true });
if (document.visibilityState === "visible") begin();
