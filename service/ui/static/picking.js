// Choosing many items of a list, and doing one thing to all of them.

import { call } from "./api.js";
import "./later.js";
import { deleteSoon } from "./leaving.js";
import { text } from "./text.js";
import { announce, attempt, toast } from "./toast.js";

const AT_ONCE = 4;

const list = document.getElementById("items");
const all = document.getElementById("pick-all");
const bar = document.getElementById("pick-bar");
const dialog = document.getElementById("pick-dialog");
let asking = null; // "tag" or "collect", while the dialog is open
let last = null; // the box that was used last: Shift chooses from there

const boxes = () => [...(list?.querySelectorAll("[data-pick-one]") ?? [])].filter((box) => box.checkVisibility());
const chosen = () => boxes().filter((box) => box.checked).map((box) => box.dataset.pickOne);

function show() {
  const count = chosen().length;
  bar.hidden = count === 0;
  document.getElementById("pick-count").textContent = text("picked", { n: count });
  all.checked = count > 0 && count === boxes().length;
  all.indeterminate = count > 0 && !all.checked;
}

function clear() {
  for (const box of boxes()) box.checked = false;
  show();
}

/** Call `work` for each id, a few at a time; the first refusal ends it. */
async function each(ids, work) {
  const waiting = [...ids];
  const next = async () => {
    for (let id = waiting.shift(); id; id = waiting.shift()) await work(id);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, next));
}

async function names(kind) {
  if (kind === "tag") return (await call("GET", "/tags?limit=100")).items.map(({ tag }) => tag);
  return (await own()).map(({ name }) => name);
}

async function own() {
  return (await call("GET", "/collections?own=true&limit=100")).items;
}

async function openDialog(kind) {
  asking = kind;
  const words = (what) => document.getElementById("pick-words").content.querySelector(`[data-${what}=${kind}]`).textContent;
  dialog.querySelector("h2").textContent = words("title");
  dialog.querySelector("label span").textContent = words("label");
  dialog.querySelector(".primary").textContent = words("title");
  const options = (await names(kind)).map((value) => Object.assign(document.createElement("option"), { value }));
  document.getElementById("pick-names").replaceChildren(...options);
  dialog.querySelector("input").value = "";
  dialog.returnValue = "cancel";
  dialog.showModal();
  dialog.querySelector("input").focus();
}

const work = {
  tag: () => openDialog("tag"),
  collect: () => openDialog("collect"),
  async later(ids) {
    const { count } = await call("POST", "/reading", { resource_ids: ids });
    for (const id of ids) document.querySelector(`[data-later="${id}"]`).ariaPressed = "true";
    toast(text("later.many", { n: count }), { href: "/ui/reading", label: text("later.see") });
    clear();
  },
  async again(ids) {
    const from = new Map(boxes().map((box) => [box.dataset.pickOne, box.dataset.from]));
    await each(ids, (id) => call("POST", `/resources/${id}/reprocess`, { from: from.get(id) }));
    toast(text("retrying.many", { n: ids.length }));
    clear();
  },
  csv: (ids) => download("csv", ids),
  json: (ids) => download("json", ids),
  async out(ids) {
    const { collection } = bar.dataset;
    await each(ids, (id) => call("DELETE", `/collections/${collection}/resources/${id}`));
    for (const id of ids) document.getElementById(`item-${id}`)?.remove();
    toast(text("taken.out", { n: ids.length }));
    show();
  },
  delete(ids) {
    clear();
    deleteSoon(ids);
    announce(text("deleting", { n: ids.length }), String);
    show();
  },
  clear,
};

function download(format, ids) {
  const asked = new URLSearchParams([["format", format], ...ids.map((id) => ["id", id])]);
  const link = Object.assign(document.createElement("a"), { href: `/export?${asked}`, download: `pharos.${format}` });
  link.click();
}

async function carryOut(kind, name, ids) {
  if (kind === "tag") {
    await call("POST", "/resources/tags", { ids, add: [name] });
    toast(text("tagged", { n: ids.length }));
  } else {
    const found = (await own()).find((one) => one.name === name) ?? (await call("POST", "/collections", { name }));
    await call("POST", `/collections/${found.id}/resources`, { resource_ids: ids });
    toast(text("collected", { n: ids.length, name }), { href: `/ui/collections/${found.id}`, label: text("see") });
  }
  clear();
}

if (bar && all) {
  document.body.dataset.picking = "";
  list.addEventListener("click", (event) => {
    const box = event.target.closest("[data-pick-one]");
    if (!box) return;
    const row = boxes();
    if (event.shiftKey && row.includes(last)) {
      const [from, to] = [row.indexOf(last), row.indexOf(box)].sort((a, b) => a - b);
      for (const other of row.slice(from, to + 1)) other.checked = box.checked;
    }
    last = box;
    show();
  });
  all.addEventListener("change", () => {
    for (const box of boxes()) box.checked = all.checked;
    show();
  });
  bar.addEventListener("click", (event) => {
    const kind = event.target.closest("[data-pick]")?.dataset.pick;
    if (kind) attempt(() => work[kind](chosen()));
  });
  dialog.querySelector("[data-close]").addEventListener("click", () => dialog.close("cancel")); // Enter means the other one
  dialog.addEventListener("close", () => {
    const name = dialog.querySelector("input").value.trim();
    if (dialog.returnValue === "done" && name) attempt(() => carryOut(asking, name, chosen()));
  });
  new MutationObserver(show).observe(list, { childList: true });
  addEventListener("pharos:shown", show);
  show();
}
