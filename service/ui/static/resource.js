// One resource: shows what changes while it is read, reads it again, deletes it.

import { call, part, Refusal } from "./api.js";
import "./items.js";
import { listen } from "./live.js";
import { morph } from "./morph.js";
import { text } from "./text.js";
import { announce, toast, toastNext } from "./toast.js";

const SOON = 200; // ms in which changes are gathered
const TRASH = { href: "/ui/trash", label: text("see") };

const page = document.getElementById("resource");
const { id } = page.dataset;
let timer = 0;

/** Make the page what it is now; returns the position in the log that it stands for. */
export async function refresh() {
  const fresh = (await part(location.pathname)).querySelector("#resource");
  const before = page.dataset.phase;
  morph(page, fresh);
  showSimilar();
  dispatchEvent(new Event("pharos:shown"));
  if (before !== "ready" && page.dataset.phase === "ready") announce(text("ready", { title: page.dataset.title }), String);
  return page.dataset.position;
}

async function soon() {
  timer = 0;
  try {
    await refresh();
  } catch (error) {
    console.warn("The page could not be refreshed:", error.message);
  }
}

function hear(name, data) {
  if (data.resource_id !== id) return;
  if (name === "resource.deleted") {
    toastNext(text("deleted"), TRASH);
    location.replace("/ui/");
  } else {
    timer ||= setTimeout(soon, SOON);
  }
}

let similar = [];

function showSimilar() {
  const section = document.getElementById("similar");
  if (!section) return;
  section.hidden = similar.length === 0;
  section.querySelector("ul").replaceChildren(...similar.map((other) => {
    const line = document.createElement("li");
    line.append(Object.assign(document.createElement("a"), { href: `/ui/resources/${other.id}`, textContent: other.title }));
    return line;
  }));
}

async function findSimilar() {
  const answer = await fetch(`/resources/${id}/similar?limit=5`);
  const { items = [] } = answer.ok ? await answer.json() : {};
  similar = items.filter((other) => other.id !== id).slice(0, 5);
  showSimilar();
}

if (document.getElementById("similar")) findSimilar().catch((error) => console.warn("Nothing similar:", error.message));

// Tags: the page shows what the server made of a change.

async function retag(change) {
  try {
    await call("POST", `/resources/${id}/tags`, change);
    await refresh();
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    toast(error.message);
  }
}

page.addEventListener("submit", async (event) => {
  if (event.target.id !== "tag-form") return;
  event.preventDefault();
  const field = event.target.elements.tag;
  const tag = field.value.trim();
  field.value = "";
  if (tag) await retag({ add: [tag] });
});

page.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-untag]");
  if (!button) return;
  await retag({ remove: [button.dataset.untag] });
  document.getElementById("tag")?.focus();
});

page.addEventListener("focusin", async (event) => {
  if (event.target.id !== "tag") return;
  const answer = await fetch("/tags?limit=100");
  const { items = [] } = answer.ok ? await answer.json() : {};
  const options = items.map(({ tag }) => Object.assign(document.createElement("option"), { value: tag }));
  document.getElementById("known-tags").replaceChildren(...options);
});

// The category: what was found by itself, unless a person says otherwise.

const classification = `/resources/${id}/classification`;

/** What a person said, as it is said again; undefined where nobody said anything. */
function said({ predictions, none }) {
  const label = predictions.find((one) => !one.is_predicted);
  return none ? { none } : label && { category_id: label.category_id };
}

/** Do it, show what came of it, and offer to undo it: to say again what a person said before, or to say nothing. */
async function sort(change, words) {
  try {
    const before = said(await call("GET", classification));
    await change();
    await refresh();
    const undone = () => (before ? call("PUT", classification, before) : call("DELETE", classification));
    toast(words(), { label: text("categories.undo"), act: () => sort(undone, () => text("categories.again")) });
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    toast(error.message);
  }
}

const sortInto = (category) => {
  let name = "";
  const change = async () => {
    const { predictions } = await call("PUT", classification, category);
    name = predictions.find((one) => !one.is_predicted).category;
  };
  return sort(change, () => text("categories.said", { name }));
};

page.addEventListener("submit", async (event) => {
  if (event.target.id !== "category-form") return;
  event.preventDefault();
  const path = event.target.elements.category.value.trim();
  event.target.elements.category.value = "";
  if (path) await sortInto({ path });
});

page.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-right], [data-none], [data-unsorted]");
  if (!button) return;
  if (button.dataset.right) await sortInto({ category_id: button.dataset.right });
  else if ("none" in button.dataset) await sort(() => call("PUT", classification, { none: true }), () => text("categories.rejected"));
  else await sort(() => call("DELETE", classification), () => text("categories.alone"));
  document.getElementById("category")?.focus();
});

page.addEventListener("focusin", async (event) => {
  if (event.target.id !== "category") return;
  const answer = await fetch("/taxonomy");
  const { items = [] } = answer.ok ? await answer.json() : {};
  const all = items.flatMap(function below(one) {
    return [one, ...one.children.flatMap(below)];
  });
  const options = all.map(({ path, name }) => Object.assign(document.createElement("option"), { value: path, label: name }));
  document.getElementById("known-categories").replaceChildren(...options);
});

listen(page.dataset.position, hear, refresh);

const dialog = document.getElementById("delete-dialog");
document.getElementById("delete")?.addEventListener("click", () => dialog.showModal());
dialog.addEventListener("close", async () => {
  if (dialog.returnValue !== "delete") return;
  try {
    await call("DELETE", `/resources/${id}`);
    toastNext(text("deleted"), TRASH);
    location.replace("/ui/");
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    toast(error.message);
  }
});
