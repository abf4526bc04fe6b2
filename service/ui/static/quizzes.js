// The list of quizzes: makes one, shows how far each is, deletes.

import { call, part, Refusal } from "./api.js";
import { listen } from "./live.js";
import { morph } from "./morph.js";
import { text } from "./text.js";
import { announce, toast } from "./toast.js";

const SOON = 200; // ms in which changes are gathered

const list = document.getElementById("quizzes");
const form = document.getElementById("quiz-form");
let timer = 0;

/** Make the list what it is now; returns the position in the log that it stands for. */
async function refresh() {
  const before = new Map([...list.children].map((row) => [row.id, row.dataset.status]));
  const fresh = (await part(location.pathname + location.search)).getElementById("quizzes");
  morph(list, fresh);
  for (const row of list.children) {
    if (before.has(row.id) && before.get(row.id) !== "ready" && row.dataset.status === "ready") {
      announce(text("quiz.is.ready", { title: row.dataset.title }), String);
    }
  }
  return list.dataset.position;
}

async function soon() {
  timer = 0;
  try {
    await refresh();
  } catch (error) {
    console.warn("The list could not be refreshed:", error.message);
  }
}

listen(list.dataset.position, (name) => {
  if (name.startsWith("quiz.")) timer ||= setTimeout(soon, SOON);
}, refresh);

list.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-delete]");
  if (!button || !confirm(text("quiz.really"))) return;
  try {
    await call("DELETE", `/quizzes/${button.dataset.delete}`);
    await refresh();
    toast(text("quiz.gone"));
  } catch (error) {
    toast(error.message);
  }
});

function choose() {
  const collection = form.elements.of.value === "collection";
  document.getElementById("quiz-items").hidden = collection;
  const collections = document.getElementById("quiz-collections");
  if (collections) collections.hidden = !collection;
}

function asked() {
  const data = new FormData(form);
  const quiz = { num_questions: Number(data.get("number")), question_types: data.getAll("type") };
  if (data.get("of") === "collection") quiz.collection_id = data.get("collection");
  else quiz.resource_ids = data.getAll("item");
  if (data.get("difficulty")) quiz.difficulty = data.get("difficulty");
  if (data.get("title").trim()) quiz.title = data.get("title").trim();
  return quiz;
}

async function make(event) {
  event.preventDefault();
  const refusal = document.getElementById("quiz-refusal");
  const quiz = asked();
  refusal.textContent = quiz.resource_ids?.length === 0 ? text("quiz.choose") : "";
  if (refusal.textContent) return;
  const button = form.querySelector("[type=submit]");
  button.disabled = true;
  try {
    await call("POST", "/quizzes", quiz);
    form.closest("details").open = false;
    await refresh();
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    refusal.textContent = error.message;
  } finally {
    button.disabled = false;
  }
}

if (form) {
  form.addEventListener("submit", make);
  form.addEventListener("change", choose);
  document.getElementById("quiz-filter")?.addEventListener("input", ({ target }) => {
    const wanted = target.value.toLowerCase();
    for (const row of form.querySelectorAll(".quiz-choices li")) {
      row.hidden = !row.textContent.toLowerCase().includes(wanted) && !row.querySelector("input").checked;
    }
  });
  choose();
}
