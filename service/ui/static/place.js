// Where in the text somebody is: taken up again, remembered while reading, and told when the page closes.

import { call, Refusal } from "./api.js";
import { said } from "./later.js";
import { text } from "./text.js";
import { announce, toast } from "./toast.js";

const PAUSE = 3000; // ms between two reports while somebody scrolls
const STEP = 0.01; // of the text; less is no move
const START = 0.02;
const END = 0.98;

const page = document.getElementById("resource");
const path = `/resources/${page.dataset.id}/reading`;
const prose = () => page.querySelector(".prose");
let told = 0; // the place that the library knows, or where the text was opened
let touched = false; // by a reader: a link to a passage, too, moves the page
let timer = 0;

/** Return the place in the text, 0 where it begins at the top of the window, 1 where its end is in sight; null: it fits. */
function place() {
  const { top, height } = prose()?.getBoundingClientRect() ?? { height: 0 };
  const way = height - innerHeight;
  return way > 0 ? Math.min(1, Math.max(0, -top / way)) : null;
}

function goTo(at) {
  const { top, height } = prose().getBoundingClientRect();
  scrollTo({ top: scrollY + top + at * (height - innerHeight), behavior: "instant" });
}

/** Return the place where it is another than the library knows, and count it as told; null where it is not. */
function moved() {
  clearTimeout(timer);
  timer = 0;
  const at = touched ? place() : null;
  if (at === null || (Math.abs(at - told) < STEP && !(at === 1 && told < 1))) return null;
  told = at;
  return Math.round(at * 1e4) / 1e4;
}

async function tell() {
  const progress = moved();
  if (progress === null) return;
  try {
    show(await call("PUT", path, { progress }));
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    console.warn("The place in the text was not kept:", error.message);
  }
}

/** The page may never come back: the request outlives it. */
function tellAtLast() {
  const progress = moved();
  if (progress === null) return;
  fetch(path, {
    method: "PUT",
    keepalive: true,
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ progress }),
  }).catch((error) => console.warn("The place in the text was not kept:", error.message));
}

/** Show what the library knows now. */
function show({ state }) {
  const before = page.dataset.reading;
  page.dataset.reading = state ?? "";
  for (const button of page.querySelectorAll(".reading-end [data-state]")) button.ariaPressed = String(button.dataset.state === state);
  for (const button of page.querySelectorAll("[data-later]")) button.ariaPressed = String(Boolean(state) && state !== "archived");
  if (state === "read" && before !== "read") announce(text("reading.ended"), String);
}

function touch() {
  if (!touched) told = place() ?? 0;
  touched = true;
}

for (const sign of ["pointermove", "pointerdown", "touchmove", "wheel", "keydown"]) {
  addEventListener(sign, touch, { passive: true, capture: true, once: true });
}
addEventListener("scroll", () => (timer ||= setTimeout(tell, PAUSE)), { passive: true });
document.addEventListener("visibilitychange", () => document.visibilityState === "hidden" && tellAtLast());
addEventListener("pagehide", tellAtLast);

page.addEventListener("click", async (event) => {
  const button = event.target.closest(".reading-end [data-state]");
  if (!button) return;
  const set = button.ariaPressed !== "true";
  const state = set ? button.dataset.state : "unread";
  try {
    show(await call("PUT", path, { state }));
    toast(said(state));
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    toast(error.message);
  }
});

// A text is taken up where it was left, unless the address or the browser knows a place.
const [opened] = performance.getEntriesByType("navigation");
const kept = Number(page.dataset.progress);
if (page.dataset.reading === "reading" && kept > START && kept < END && !location.hash && place() !== null) {
  if (opened.type === "navigate") {
    goTo(kept);
    toast(text("reading.resumed", { percent: Math.round(kept * 100) }), { label: text("reading.top"), act: () => scrollTo({ top: 0 }) });
  }
}
