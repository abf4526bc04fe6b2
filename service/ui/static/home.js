// The library's list: new items appear, steps move, without a reload.

import { takeAdditions } from "./add.js";
import { part } from "./api.js";
import "./items.js";
import { listen } from "./live.js";
import { morph } from "./morph.js";
import { text } from "./text.js";
import { announce, toast } from "./toast.js";

const SOON = 120; // ms in which the first changes are gathered
const PAUSE = 400; // ms between two looks while changes keep coming, and three times as long as a look takes
const AT_ONCE = 50; // items in one look
const PAGE = 25; // items that the server shows on a page; after more new ones the whole page is read again
const LONGEST = 100; // items that a page may grow to
const FRESH = 5000; // ms for which the steps of a finished item stay
const ARRIVALS = ["ingestion.started", "document.uploaded", "resource.created"];

const list = document.getElementById("items");
const more = document.getElementById("more");
const asked = () => new URLSearchParams(location.search);
const show = () => asked().get("show") ?? "all";
const batch = () => asked().get("batch");
const grows = () => list.dataset.grows === "yes";
const changed = new Set();
const unseen = new Set();
let looking = false;
let shownAt = location.search;

const rowOf = (id) => document.getElementById(`item-${id}`);

function note(id) {
  if (id) changed.add(id);
  if (looking) return;
  looking = true;
  setTimeout(look, SOON);
}

async function look() {
  const began = performance.now();
  const ids = [...changed];
  const there = ids.filter(rowOf).slice(0, AT_ONCE);
  const arriving = ids.filter((id) => !rowOf(id));
  try {
    if (arriving.length > PAGE) {
      changed.clear();
      replace(await part(location.href));
    } else {
      const ids = [...there, ...arriving];
      ids.forEach((id) => changed.delete(id));
      const wanted = [["show", show()], ...(batch() ? [["batch", batch()]] : []), ...ids.map((id) => ["id", id])];
      const where = location.search;
      const fresh = await part(`/ui/items?${new URLSearchParams(wanted)}`);
      if (where === location.search) update(ids, fresh);
    }
  } catch (error) {
    console.warn("The list could not be refreshed:", error.message);
  }
  looking = changed.size > 0;
  if (looking) setTimeout(look, Math.max(PAUSE, 3 * (performance.now() - began)));
}

function update(asked, fresh) {
  const rows = [...fresh.querySelectorAll(".item")];
  rows.forEach(place);
  const found = new Set(rows.map((row) => row.dataset.id));
  asked.filter((id) => !found.has(id)).forEach((id) => rowOf(id)?.remove());
  recount(fresh);
}

/** Make the list what a fresh copy of this page shows; returns the position in the log that it stands for. */
function replace(fresh) {
  const rows = [...fresh.querySelectorAll("#items .item")];
  const found = new Set(rows.map((row) => row.id));
  [...list.children].filter((row) => !found.has(row.id)).forEach((row) => row.remove());
  rows.forEach(place);
  recount(fresh);
  return fresh.querySelector("#items").dataset.position;
}

function recount(fresh) {
  const before = document.getElementById("batch-counts")?.textContent;
  morph(document.getElementById("filters"), fresh.querySelector("#filters"));
  morph(document.getElementById("batch"), fresh.querySelector("#batch"));
  const after = document.getElementById("batch-counts")?.textContent;
  if (after && after !== before) announce(soFar(), soFar);
  light();
}

function soFar() {
  const count = (name) => document.querySelector(`#batch-counts [data-count=${name}] dd`)?.textContent ?? "0";
  return text("batch.so.far", { done: count("done"), waiting: count("waiting"), failed: count("failed") });
}

/** Show what was added together, under an address that can be loaded again. */
async function showBatch(id) {
  history.pushState(null, "", `/ui/?batch=${id}`);
  const fresh = await part(location.href);
  list.dataset.grows = "no";
  document.querySelectorAll("#empty, .none, .pager").forEach((one) => one.remove());
  list.after(...fresh.querySelectorAll(".none, .pager"));
  shownAt = location.search;
  replace(fresh);
}

function place(row) {
  const old = rowOf(row.dataset.id);
  if (old) return change(old, row);
  const next = [...list.children].find((other) => other.dataset.created <= row.dataset.created);
  if (!next && list.children.length >= PAGE) return; // it belongs on a page further
  document.getElementById("empty")?.remove();
  row.classList.add("fresh");
  list.insertBefore(row, next ?? null);
  while (list.children.length > LONGEST) list.lastElementChild.remove();
}

function change(old, row) {
  const before = old.dataset.phase;
  morph(old, row);
  const now = old.dataset.phase;
  if (before === now) return;
  const title = old.querySelector("h3").textContent;
  if (now === "ready") {
    old.classList.add("fresh");
    setTimeout(() => old.classList.remove("fresh"), FRESH);
    announce(text("ready", { title }), (n) => text("finished.many", { n }));
  } else if (now === "failed") {
    const error = old.querySelector(".trouble p")?.textContent ?? "";
    announce(text("failed", { title, error }), (n) => text("finished.many", { n }));
  }
}

function light() {
  document.body.toggleAttribute("data-busy", Number(document.getElementById("filters").dataset.working) > 0);
}

function hear(name, { resource_id: id }) {
  if (!id) return;
  const arrives = ARRIVALS.includes(name);
  if (name === "resource.deleted") {
    rowOf(id)?.remove();
    unseen.delete(id);
    note();
  } else if (rowOf(id) || (arrives && grows())) note(id);
  else if (arrives && show() === "all" && !batch()) unseen.add(id);
  else note(); // the counts
  more.hidden = unseen.size === 0;
  more.textContent = text("more", { n: unseen.size });
}

listen(list.dataset.position, hear, async () => replace(await part(location.href)));

addEventListener("popstate", () => location.search !== shownAt && location.reload()); // not for a fragment
more.addEventListener("click", () => location.assign("/ui/"));

takeAdditions(
  async (ids, together) => {
    if (ids.length > 1) toast(text("added", { n: ids.length }));
    if (together && together === batch()) ids.forEach(note);
    else if (together) await showBatch(together);
    else if (grows()) ids.forEach(note);
    else location.assign("/ui/");
  },
  (id) => {
    const row = rowOf(id);
    toast(text("known"), { href: `/ui/resources/${id}`, label: row?.querySelector("h3").textContent ?? text("see") });
    row?.scrollIntoView({ block: "center", behavior: "smooth" });
  },
);
light();
