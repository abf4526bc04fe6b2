// Keys: / searches, j and k go from item to item, ? shows them all. Never while somebody types.

const FIELDS = "input, textarea, select, [contenteditable]";
const ITEMS = ".hit h2 a, #items .item h3 a";

const query = document.getElementById("query");
const sheet = document.getElementById("keys");
let last = null;

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

const actions = {
  "/": () => {
    query.focus();
    query.select();
  },
  "?": () => sheet.showModal(),
  j: () => move(1),
  k: () => move(-1),
};

if (query) {
  document.addEventListener("focusin", (event) => {
    if (!event.target.closest(".hit, .item")) last = null;
  });
  document.addEventListener("keydown", (event) => {
    const action = Object.hasOwn(actions, event.key) && actions[event.key];
    if (!action || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    if (event.target.closest(FIELDS) || document.querySelector("dialog[open]")) return;
    event.preventDefault();
    action();
  });
  document.getElementById("show-keys").addEventListener("click", () => {
    document.getElementById("account").open = false;
    sheet.showModal();
  });
}
