// Adding links and files: the field, the file picker, dropping and pasting anywhere.

import { call, Refusal, sendForm } from "./api.js";
import { text } from "./text.js";
import { toast } from "./toast.js";

const MOST = 1000; // links in one request
const LARGEST = 100 * 2 ** 20; // bytes of a file
const AT_ONCE = 2; // uploads
const KEPT = "pharos-refused-"; // and a batch: what the server did not take, for when the page is loaded again

const form = document.getElementById("add");
const field = document.getElementById("links");
const isPrivate = document.getElementById("private");
const refusals = document.getElementById("refusals");
const uploads = document.getElementById("uploads");
const queue = document.getElementById("queued");
const overlay = document.getElementById("drop");

let queued = 0; // files that wait for an upload to end

/** Take what a person adds; `added(ids, batch)` is called with the ids of new items, `known(id)` for one that was there. */
export function takeAdditions(added, known) {
  const batch = new URLSearchParams(location.search).get("batch");
  for (const { error, url } of JSON.parse(sessionStorage.getItem(KEPT + batch) ?? "[]")) refuse(error, url);

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const button = form.querySelector("[type=submit]");
    refusals.replaceChildren();
    button.setAttribute("aria-busy", "true");
    try {
      await addLinks(links(field.value), added, known);
      field.focus();
    } finally {
      button.removeAttribute("aria-busy");
    }
  });

  field.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
      event.preventDefault();
      form.requestSubmit();
    }
  });

  if (!CSS.supports("field-sizing", "content")) {
    field.addEventListener("input", () => (field.rows = Math.min(8, field.value.split("\n").length)));
  }

  document.getElementById("files").addEventListener("change", (event) => {
    addFiles([...event.target.files], added, known);
    event.target.value = "";
  });

  takeDrops(added, known);
}

/** Find the links in a text: addresses by their scheme, or words that look like a host. */
function links(words) {
  const found = words.split(/[\s<>"]+/).map((word) => {
    if (/^https?:\/\//i.test(word)) return word.replace(/[,;]+$/, "");
    if (/^[\w-]+(\.[\w-]+)*\.[a-z]{2,}(:\d+)?([/?#]\S*)?$/i.test(word)) return `https://${word}`;
    return null;
  });
  return [...new Set(found.filter(Boolean))];
}

async function addLinks(urls, added, known) {
  if (!urls.length) return suggestSearch(field.value.trim());
  if (urls.length > MOST) return refuse(text("too.many", { n: urls.length }));
  try {
    if (urls.length === 1) {
      const answer = await call("POST", "/ingest", { url: urls[0], private: isPrivate.checked });
      if (answer.duplicate) known(answer.id);
      else added([answer.id]);
    } else {
      const { items, batch_id: batch } = await call("POST", "/ingest", { urls, private: isPrivate.checked });
      const fresh = items.filter((item) => item.id && !item.duplicate).map((item) => item.id);
      const there = items.filter((item) => item.duplicate);
      const refused = items.filter((item) => item.error);
      for (const { error, url } of refused) refuse(error, url);
      if (refused.length) sessionStorage.setItem(KEPT + batch, JSON.stringify(refused));
      if (fresh.length) added(fresh, batch);
      if (there.length === 1) known(there[0].id);
      else if (there.length) toast(text("known.some", { n: there.length }));
    }
    field.value = "";
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    refuse(error.message, urls.length === 1 ? urls[0] : undefined);
  }
}

function suggestSearch(words) {
  if (!words) return;
  const line = refuse(text("not.a.link"));
  const href = `/ui/search?${new URLSearchParams({ query: words })}`;
  line.append(" ", Object.assign(document.createElement("a"), { href, textContent: text("search.instead") }));
}

function refuse(reason, what) {
  const line = document.createElement("li");
  if (what) line.append(Object.assign(document.createElement("b"), { textContent: what }));
  line.append(reason);
  refusals.append(line);
  return line;
}

async function addFiles(files, added, known) {
  refusals.replaceChildren();
  const waiting = files.filter((file) => {
    if (file.size > LARGEST) refuse(text("too.large", { name: file.name }));
    return file.size <= LARGEST;
  });
  const batch = waiting.length > 1 ? newId() : null;
  wait(waiting.length);
  const work = async () => {
    for (let next = waiting.shift(); next; next = waiting.shift()) {
      wait(-1);
      await upload(next, line(next.name), batch, added, known);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
}

/** Make a random UUID; `crypto.randomUUID` is only there over HTTPS and on one's own machine. */
function newId() {
  const hex = [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4}).(.{3}).(.{3})(.{12})$/, "$1-$2-4$3-8$4-$5");
}

/** Tell of `more` files, or of fewer, that have not begun; a row for each of a thousand would be slow to lay out. */
function wait(more) {
  queued += more;
  queue.hidden = queued === 0;
  queue.textContent = text("queued", { n: queued });
}

function line(name) {
  const row = document.getElementById("upload-template").content.firstElementChild.cloneNode(true);
  row.querySelector("h3").textContent = name;
  row.querySelector("progress").setAttribute("aria-label", `${text("uploading")} ${name}`);
  uploads.append(row);
  return row;
}

async function upload(file, row, batch, added, known) {
  const data = new FormData();
  data.append("private", String(isPrivate.checked));
  if (batch) data.append("batch_id", batch);
  data.append("file", file);
  try {
    const { items: [item] } = await sendForm("/documents", data, (share) => (row.querySelector("progress").value = share * 100));
    if (item.duplicate) known(item.resource_id);
    else await added([item.resource_id], batch);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    refuse(error.message, file.name);
  } finally {
    row.remove();
  }
}

function takeDrops(added, known) {
  let inside = 0;
  const wanted = (event) => [...event.dataTransfer.types].some((type) => type === "Files" || type === "text/uri-list");
  const show = (visible) => (overlay.hidden = !visible);

  addEventListener("dragenter", (event) => wanted(event) && show(++inside > 0));
  addEventListener("dragleave", (event) => wanted(event) && show(--inside > 0));
  addEventListener("dragover", (event) => wanted(event) && event.preventDefault());
  addEventListener("drop", (event) => {
    if (!wanted(event)) return;
    event.preventDefault();
    show((inside = 0));
    if (take(event.dataTransfer)) form.requestSubmit();
  });
  addEventListener("paste", (event) => {
    if (event.clipboardData.files.length) event.preventDefault();
    else if (event.target.closest?.("input, textarea")) return;
    if (take(event.clipboardData)) field.focus(); // a person looks at it first
  });

  /** Take files at once; put links into the field, and return whether there are any. */
  function take(given) {
    const folders = [...given.items].map((item) => item.webkitGetAsEntry?.()).filter((entry) => entry?.isDirectory);
    const names = new Set(folders.map((folder) => folder.name));
    const files = [...given.files].filter((file) => !names.has(file.name));
    if (files.length || names.size) {
      addFiles(files, added, known);
      for (const name of names) refuse(text("folder", { name }));
      return false;
    }
    const words = given.getData("text/uri-list") || given.getData("text/plain");
    if (!links(words).length) return false;
    field.value = words.trim();
    return true;
  }
}
