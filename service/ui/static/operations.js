// The operations page: renews its part of the page, and does what its buttons say.

import { call, part, Refusal } from "./api.js";
import { hearAlso, listen } from "./live.js";
import { morph } from "./morph.js";
import { text } from "./text.js";
import { announce, toast } from "./toast.js";

const SOON = 400; // ms in which the first events are gathered
const here = document.getElementById("part");
const dialog = document.getElementById("ask");
let timer = 0;
let looking = false;

const chosen = () => [...here.querySelectorAll("input[name=id]:checked")].map((box) => box.value);
const typing = () => here.querySelector("#filter")?.contains(document.activeElement);

/** Somebody is about to do something with what stands there: it must not move away. */
const busy = () => looking || document.hidden || dialog.open || typing() || chosen().length > 0 || !getSelection().isCollapsed;

async function refresh() {
  looking = true;
  try {
    morph(here, (await part(location.href)).getElementById("part"));
    count();
  } finally {
    looking = false;
  }
}

async function renew() {
  if (busy()) return;
  try {
    await refresh();
  } catch (error) {
    console.info("The page could not be renewed:", error.message);
  }
}

function count() {
  const n = chosen().length;
  for (const button of here.querySelectorAll("[data-selected]")) button.disabled = n === 0;
  const line = document.getElementById("selected");
  if (line) line.textContent = n ? text("ops.selected", { n }) : "";
  const all = document.getElementById("all");
  if (!all) return;
  all.checked = n > 0 && n === here.querySelectorAll("input[name=id]").length;
  all.indeterminate = n > 0 && !all.checked;
}

function sure() {
  dialog.returnValue = "keep";
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => resolve(dialog.returnValue === "go"), { once: true });
  });
}

function said(answer) {
  if (answer?.refused) return text("ops.refused", { n: answer.retried, refused: answer.refused, detail: answer.examples[0].detail });
  if (answer?.retried !== undefined) return text("ops.retried", { n: answer.retried });
  if (answer?.discarded !== undefined) return text("ops.discarded", { n: answer.discarded });
  return text("ops.did");
}

async function act(button) {
  if ("ask" in button.dataset && !(await sure())) return;
  const [method, path] = button.dataset.do.split(" ");
  const body = "selected" in button.dataset ? { ids: chosen() } : button.dataset.body && JSON.parse(button.dataset.body);
  const label = button.getAttribute("aria-label") ?? button.textContent;
  button.disabled = true;
  try {
    const answer = await call(method, path, body || undefined);
    toast(said(answer));
    announce(`${label}: ${said(answer)}`, () => said(answer));
    if (button.dataset.then) return location.assign(button.dataset.then);
    for (const box of here.querySelectorAll("input[name=id]:checked")) box.checked = false;
    await refresh();
    if (!document.activeElement || document.activeElement === document.body) document.getElementById("main").focus();
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    toast(error.message);
  } finally {
    button.disabled = false;
    count();
  }
}

here.addEventListener("click", (event) => {
  const button = event.target.closest("[data-do]");
  if (button) act(button);
});

here.addEventListener("change", (event) => {
  if (event.target.id === "all") {
    for (const box of here.querySelectorAll("input[name=id]")) box.checked = event.target.checked;
  }
  count();
});

if (here.dataset.live === "stream") {
  hearAlso([...document.querySelectorAll("#filter [name=name] option")].map((option) => option.value).filter(Boolean));
  listen(null, () => (timer ||= setTimeout(() => ((timer = 0), renew()), SOON)), renew);
} else if (Number(here.dataset.live)) setInterval(renew, Number(here.dataset.live));
count();
