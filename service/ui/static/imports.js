// Imports: a file goes in, and the list tells how far it is.

import { call, checked, part, Refusal } from "./api.js";
import { listen } from "./live.js";
import { morph } from "./morph.js";
import { text } from "./text.js";
import { announce, toast } from "./toast.js";

const SOON = 300; // ms in which the first news are gathered
const LARGEST = 50 * 2 ** 20; // bytes
const list = document.getElementById("imports");
const form = document.getElementById("import");
const refused = document.getElementById("refused");
let timer = 0;

async function refresh() {
  clearTimeout(timer);
  timer = 0;
  const open = [...list.querySelectorAll("details[open]")].map((one) => one.id);
  const fresh = (await part(location.href)).getElementById("imports");
  for (const id of open) fresh.querySelector(`#${CSS.escape(id)}`)?.setAttribute("open", "");
  morph(list, fresh);
  return fresh.dataset.position;
}

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const [file] = form.elements.file.files;
  refused.textContent = file.size > LARGEST ? text("imports.too.large", { name: file.name }) : "";
  if (refused.textContent) return;
  const button = form.querySelector("[type=submit]");
  button.disabled = true;
  try {
    await checked(await fetch("/import", { method: "POST", body: new FormData(form) }));
    form.reset();
    toast(text("imports.started"));
    await refresh();
  } catch (error) {
    refused.textContent = error instanceof Refusal ? error.message : text("away");
  } finally {
    button.disabled = false;
  }
});

list.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-post], [data-forget]");
  if (!button) return;
  const path = `/imports/${button.closest("[data-id]").dataset.id}`;
  try {
    if (button.dataset.post) await call("POST", `${path}/${button.dataset.post}`);
    else await call("DELETE", path);
    await refresh();
    if (!document.contains(button)) document.getElementById("main").focus();
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    toast(error.message);
  }
});

listen(
  list.dataset.position,
  (name) => {
    if (!name.startsWith("import.")) return;
    if (name === "import.completed" || name === "import.failed") announce(text("imports.done"));
    timer ||= setTimeout(refresh, SOON);
  },
  refresh,
);
