// The page of documents: uploads with their progress, rows that move by themselves, subjects, many at once.

import { call, part, Refusal, sendForm } from "./api.js";
import "./items.js";
import { listen } from "./live.js";
import { morph } from "./morph.js";
import { text } from "./text.js";
import { announce, toast } from "./toast.js";

const FILES = 10; // at once
const LARGEST = 100 * 2 ** 20; // bytes of a file
const AT_ONCE = 2; // uploads
const SOON = 120; // ms in which the first changes are gathered
const PAUSE = 400; // ms between two looks while changes keep coming
const ROWS = 50; // in one look

const list = document.getElementById("papers");
const refusals = document.getElementById("refusals");
const sending = document.getElementById("sending");
const into = document.getElementById("into");
const isPrivate = document.getElementById("private");
const overlay = document.getElementById("drop");
const changed = new Set();
let looking = false;

const rowOf = (resource) => document.getElementById(`paper-${resource}`);

// Uploads

function refuse(reason, what) {
  const line = document.createElement("li");
  if (what) line.append(Object.assign(document.createElement("b"), { textContent: what }));
  line.append(reason);
  refusals.append(line);
}

async function upload(files) {
  refusals.replaceChildren();
  if (files.length > FILES) return refuse(text("documents.too.many", { n: files.length }));
  const waiting = files.filter((file) => {
    if (file.size > LARGEST) refuse(text("too.large", { name: file.name }));
    return file.size <= LARGEST;
  }).map((file) => [file, lineOf(file)]);
  const work = async () => {
    for (let next = waiting.shift(); next; next = waiting.shift()) await send(...next);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  await refresh();
}

function lineOf(file) {
  const line = document.getElementById("sending-template").content.firstElementChild.cloneNode(true);
  line.querySelector("span").textContent = file.name;
  line.querySelector("progress").setAttribute("aria-label", `${text("uploading")} ${file.name}`);
  sending.append(line);
  return line;
}

async function send(file, line) {
  const data = new FormData();
  data.append("private", String(isPrivate.checked));
  if (into.value.trim()) data.append("subject", into.value.trim());
  data.append("file", file);
  try {
    const { items: [item] } = await sendForm("/documents", data, (share) => (line.querySelector("progress").value = share * 100));
    if (item.duplicate) {
      const link = { href: `/ui/resources/${item.resource_id}`, label: item.filename };
      toast(text("documents.known", { name: file.name }), link);
    }
    note(item.resource_id);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    refuse(error.message, file.name);
  } finally {
    line.remove();
  }
}

document.getElementById("upload").addEventListener("submit", (event) => event.preventDefault());
document.getElementById("files").addEventListener("change", (event) => {
  upload([...event.target.files]);
  event.target.value = "";
});

let inside = 0;
const wanted = (event) => [...event.dataTransfer.types].includes("Files");
addEventListener("dragenter", (event) => wanted(event) && (overlay.hidden = !(++inside > 0)));
addEventListener("dragleave", (event) => wanted(event) && (overlay.hidden = !(--inside > 0)));
addEventListener("dragover", (event) => wanted(event) && event.preventDefault());
addEventListener("drop", (event) => {
  if (!wanted(event)) return;
  event.preventDefault();
  inside = 0;
  overlay.hidden = true;
  const folders = [...event.dataTransfer.items].map((item) => item.webkitGetAsEntry?.()).filter((one) => one?.isDirectory);
  const names = new Set(folders.map((folder) => folder.name));
  const files = [...event.dataTransfer.files].filter((file) => !names.has(file.name));
  if (files.length) upload(files);
  for (const name of names) refuse(text("folder", { name }));
});

// Rows that move

function note(resource) {
  changed.add(resource);
  if (looking) return;
  looking = true;
  setTimeout(look, SOON);
}

async function look() {
  const ids = [...changed].slice(0, ROWS);
  ids.forEach((id) => changed.delete(id));
  try {
    const fresh = await part(`/ui/documents/rows?${new URLSearchParams(ids.map((id) => ["id", id]))}`);
    for (const row of fresh.querySelectorAll(".paper")) place(row);
    const found = new Set([...fresh.querySelectorAll(".paper")].map((row) => row.dataset.resource));
    ids.filter((id) => !found.has(id)).forEach((id) => rowOf(id)?.remove());
    count();
  } catch (error) {
    console.warn("The list could not be refreshed:", error.message);
  }
  looking = changed.size > 0;
  if (looking) setTimeout(look, PAUSE);
}

function place(row) {
  const old = rowOf(row.dataset.resource);
  if (!old) return; // whether it belongs here, and where, the server says: `refresh`
  const before = old.dataset.status;
  morph(old, row);
  if (before === old.dataset.status) return;
  const title = old.querySelector("h2").textContent;
  const error = old.querySelector(".paper-error")?.textContent;
  if (old.dataset.status === "ready") announce(text("documents.ready", { title }), (n) => text("finished.many", { n }));
  else if (error) announce(text("documents.failed", { title, error }), (n) => text("finished.many", { n }));
  if (["ready", "failed"].includes(old.dataset.status)) recount();
}

/** Make the page what a fresh copy of it shows; returns the position in the log that it stands for. */
async function refresh() {
  const fresh = await part(location.href);
  const kept = new Set(chosen().map((box) => box.value));
  morph(document.querySelector("#subjects ul"), fresh.querySelector("#subjects ul"));
  morph(document.getElementById("drawers"), fresh.querySelector("#drawers"));
  document.getElementById("empty")?.remove();
  const rows = [...fresh.querySelectorAll(".paper")].map((row) => {
    const old = rowOf(row.dataset.resource);
    if (old) morph(old, row);
    return old ?? row;
  });
  list.replaceChildren(...rows);
  for (const box of list.querySelectorAll(".choose")) box.checked = kept.has(box.value);
  const empty = fresh.querySelector("#empty");
  if (empty) list.after(empty);
  count();
  return fresh.querySelector("#papers").dataset.position;
}

let recounting = 0;
function recount() {
  clearTimeout(recounting);
  recounting = setTimeout(async () => {
    const fresh = await part(location.href);
    morph(document.querySelector("#subjects ul"), fresh.querySelector("#subjects ul"));
  }, PAUSE);
}

let renewing = 0;
function hear(name, { resource_id: id }) {
  if (!id) return;
  if (name === "resource.deleted") {
    if (!rowOf(id)) return;
    rowOf(id).remove();
    count();
    recount();
  } else if (rowOf(id)) note(id);
  else if (name === "document.uploaded" && list.dataset.first === "yes") {
    clearTimeout(renewing);
    renewing = setTimeout(refresh, PAUSE);
  }
}

listen(list.dataset.position, hear, refresh);

// Many at once

const boxes = () => [...list.querySelectorAll(".choose")];
const chosen = () => boxes().filter((box) => box.checked);
const all = document.getElementById("choose-all");

function count() {
  const number = chosen().length;
  document.getElementById("chosen").hidden = number === 0;
  document.getElementById("chosen-count").textContent = text("documents.chosen", { n: number });
  all.checked = number > 0 && number === boxes().length;
  all.indeterminate = number > 0 && !all.checked;
}

list.addEventListener("change", count);
all.addEventListener("change", () => {
  for (const box of boxes()) box.checked = all.checked;
  count();
});

async function trying(work) {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    toast(error.message);
    return null;
  }
}

function ask(rows) {
  const dialog = document.getElementById("ask");
  const names = rows.map((row) => {
    const line = document.createElement("li");
    line.textContent = row.querySelector("h2").textContent;
    return line;
  });
  document.getElementById("ask-names").replaceChildren(...names);
  dialog.returnValue = "keep";
  dialog.showModal();
  return new Promise((resolve) => dialog.addEventListener("close", () => resolve(dialog.returnValue === "delete"), { once: true }));
}

list.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-delete]");
  if (!button) return;
  const row = button.closest(".paper");
  if (!(await ask([row]))) return;
  await trying(async () => {
    await call("DELETE", `/documents/${row.dataset.id}`);
    const next = row.nextElementSibling ?? row.previousElementSibling;
    row.remove();
    toast(text("deleted"), { href: "/ui/trash", label: text("see") });
    (next?.querySelector("h2 a") ?? document.getElementById("files")).focus();
    await refresh();
  });
});

document.getElementById("delete-chosen").addEventListener("click", async () => {
  const rows = chosen().map((box) => box.closest(".paper"));
  if (!(await ask(rows))) return;
  await trying(async () => {
    await call("POST", "/documents/delete", { document_ids: rows.map((row) => row.dataset.id) });
    toast(text("documents.deleting", { n: rows.length }));
  });
});

document.getElementById("move").addEventListener("change", async (event) => {
  const subject = event.target.value;
  event.target.value = "";
  if (!subject) return;
  await trying(async () => {
    for (const box of chosen()) {
      await call("PUT", `/documents/${box.value}`, { subject: subject === "none" ? null : subject });
      box.checked = false;
    }
  });
  await refresh();
});

// Subjects

document.getElementById("new-subject").addEventListener("submit", async (event) => {
  event.preventDefault();
  const made = await trying(() => call("POST", "/subjects", { name: event.target.elements.name.value }));
  if (made) location.assign(`/ui/documents?subject=${made.id}`);
});

const edit = document.getElementById("edit-subject");
edit?.addEventListener("submit", async (event) => {
  event.preventDefault();
  const { name, colour } = edit.elements;
  const path = `/subjects/${edit.dataset.id}`;
  if (await trying(() => call("PUT", path, { name: name.value, colour: colour.value }))) location.reload();
});
document.getElementById("drop-subject")?.addEventListener("click", async () => {
  await trying(async () => {
    await call("DELETE", `/subjects/${edit.dataset.id}`);
    location.assign("/ui/documents");
  });
});

// The sieve

const sieve = document.getElementById("sieve");
sieve.addEventListener("change", (event) => event.target.matches("select") && sieve.requestSubmit());
