// The library's list: new items appear, steps move, without a reload.

import { takeAdditions } from "./add.js";
import { part } from "./api.js";
import "./items.js";
import { listen } from "./live.js";
import { morph } from "./morph.js";
import { text } from "./text.js";
import { announce, toast } from "./toast.js";

const SOON = 120; // ms in which changes are gathered
const AT_ONCE = 50; // items in one request
const LONGEST = 100; // items on the page; older ones are a page further
const FRESH = 5000; // ms for which the steps of a finished item stay

const list = document.getElementById("items");
const more = document.getElementById("more");
const show = new URLSearchParams(location.search).get("show") ?? "all";
const grows = list.dataset.grows === "yes";
const changed = new Set();
const unseen = new Set();
let reading = false;

const rowOf = (id) => document.getElementById(`item-${id}`);

function note(id) {
  changed.add(id);
  if (!reading) {
    reading = true;
    setTimeout(refresh, SOON);
  }
}

async function refresh() {
  const ids = [...changed].slice(0, AT_ONCE);
  ids.forEach((id) => changed.delete(id));
  try {
    const query = new URLSearchParams([["show", show], ...ids.map((id) => ["id", id])]);
    const fresh = await part(`/ui/items?${query}`);
    const rows = [...fresh.querySelectorAll(".item")];
    for (const row of rows.reverse()) place(row);
    const here = new Set(rows.map((row) => row.dataset.id));
    ids.filter((id) => !here.has(id)).forEach((id) => rowOf(id)?.remove());
    morph(document.getElementById("filters"), fresh.querySelector("#filters"));
    light();
  } catch (error) {
    console.warn("The list could not be refreshed:", error.message);
  }
  reading = changed.size > 0;
  if (reading) setTimeout(refresh, SOON);
}

function place(row) {
  const old = rowOf(row.dataset.id);
  if (!old) {
    document.getElementById("empty")?.remove();
    row.classList.add("fresh");
    list.prepend(row);
    while (list.children.length > LONGEST) list.lastElementChild.remove();
    return;
  }
  const before = old.dataset.phase;
  morph(old, row);
  const now = old.dataset.phase;
  if (before === now) return;
  const title = old.querySelector("h3").textContent;
  if (now === "ready") {
    old.classList.add("fresh");
    setTimeout(() => old.classList.remove("fresh"), FRESH);
    announce(text("ready", { title }), (n) => text("ready.many", { n }));
  } else if (now === "failed") {
    announce(text("failed", { title, error: old.querySelector(".trouble p")?.textContent ?? "" }), (n) => text("ready.many", { n }));
  }
}

function light() {
  document.body.toggleAttribute("data-busy", Number(document.getElementById("filters").dataset.working) > 0);
}

function offer() {
  more.hidden = unseen.size === 0;
  more.textContent = unseen.size ? text("more", { n: unseen.size }) : "";
}

more.addEventListener("click", () => location.assign("/ui/"));

listen(list.dataset.position, (name, data) => {
  const id = data.resource_id;
  if (!id) return;
  if (name === "resource.deleted") {
    rowOf(id)?.remove();
    unseen.delete(id);
    note(id); // the counts
  } else if (rowOf(id)) note(id);
  else if (["ingestion.started", "document.uploaded", "resource.created"].includes(name)) {
    if (grows) note(id);
    else if (show === "all") unseen.add(id);
  }
  offer();
});

takeAdditions(
  async (ids) => {
    if (ids.length > 1) toast(text("added", { n: ids.length }));
    if (!grows) location.assign("/ui/");
    ids.forEach(note);
  },
  (id) => {
    toast(text("known"), { href: `/ui/resources/${id}`, label: rowOf(id)?.querySelector("h3").textContent ?? "…" });
    rowOf(id)?.scrollIntoView({ block: "center", behavior: "smooth" });
  },
);
light();
