// Keys: / searches, j and k go from item to item, x selects one, g and a letter go to a place, ? shows them all. Never while somebody types.

const FIELDS = "input, textarea, select, [contenteditable]";
const ITEMS = ".hit h2 a, #items .item h3 a";

const query = document.getElementById("query");
const sheet = document.getElementById("keys");
const WAITS = 1500; // ms for the letter after g
let last = null;
let went = -Infinity; // when g was pressed

/** Focus the next item, or the one before (`by` is 1 or -1); Enter then opens it as any link. */
export function move(by) {
  const links = [...document.querySelectorAll(ITEMS)];
  if (!links.length) return;
  const row = document.activeElement.closest(".hit, .item");
  const from = links.findIndex((link) => link === last || row?.contains(link));
  const to = from < 0 ? (by > 0 ? 0 : links.length - 1) : Math.min(links.length - 1, Math.max(0, from + by));
  last = links[to];
  last.focus({ preventScroll: true, focusVisible: true });
  last.closest(".hit, .item").scrollIntoView({ block: "nearest" });
}

const placeOf = (key) => document.querySelector(`.frame a[data-key="${key}"]`);

const actions = {
  "/": () => {
    query.focus();
    query.select();
  },
  "?": () => sheet.showModal(),
  g: () => (went = performance.now()),
  x: () => document.activeElement.closest(".item")?.querySelector("[data-pick-one]")?.click(),
  j: () => move(1),
  k: () => move(-1),
};

if (query) {
  document.addEventListener("focusin", (event) => {
    if (!event.target.closest(".hit, .item")) last = null;
  });
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    if (event.target.closest(FIELDS) || document.querySelector("dialog[open]")) return;
    const place = performance.now() - went < WAITS && /^[a-z]$/.test(event.key) ? placeOf(event.key) : null;
    went = -Infinity;
    const action = place ? () => place.click() : Object.hasOwn(actions, event.key) && actions[event.key];
    if (!action) return;
    event.preventDefault();
    action();
  });
  document.getElementById("show-keys").addEventListener("click", () => {
    document.getElementById("account").open = false;
    sheet.showModal();
  });
}
