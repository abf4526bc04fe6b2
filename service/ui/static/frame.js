// What every page has: the theme, keys, menus, and times that go on.

import "./bell.js";
import "./hints.js";
import "./keys.js";
import "./suggest.js";
import "./toast.js";
import { text } from "./text.js";

const root = document.documentElement;
const dark = matchMedia("(prefers-color-scheme: dark)");

document.getElementById("theme")?.addEventListener("click", () => {
  const system = dark.matches ? "dark" : "light";
  const next = (root.dataset.theme ?? system) === "dark" ? "light" : "dark";
  if (next === system) delete root.dataset.theme;
  else root.dataset.theme = next;
  const age = next === system ? 0 : 31_536_000; // what the system prefers need not be remembered
  document.cookie = `pharos_theme=${next}; path=/; max-age=${age}; samesite=lax`;
});

for (const menu of document.querySelectorAll("details.menu")) {
  document.addEventListener("pointerdown", (event) => menu.contains(event.target) || (menu.open = false));
  menu.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !menu.open) return;
    menu.open = false;
    menu.querySelector("summary").focus();
  });
}

const places = document.getElementById("places-button");
places?.addEventListener("click", () => showPlaces(places.ariaExpanded !== "true"));
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || places?.ariaExpanded !== "true") return;
  showPlaces(false);
  places.focus();
});

function showPlaces(shown) {
  places.ariaExpanded = String(shown);
}

const UNITS = [["year", 31_557_600], ["month", 2_629_800], ["day", 86_400], ["hour", 3_600], ["minute", 60]];
const relative = new Intl.RelativeTimeFormat(root.lang, { numeric: "auto" });

function ago(seconds) {
  const [unit, length] = UNITS.find(([, length]) => seconds >= length) ?? [];
  return unit ? relative.format(-Math.floor(seconds / length), unit) : text("now");
}

setInterval(() => {
  for (const time of document.querySelectorAll("time[data-ago]")) {
    const words = ago((Date.now() - new Date(time.dateTime)) / 1000);
    if (time.textContent !== words) time.textContent = words;
  }
}, 20_000);
