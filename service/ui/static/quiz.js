// The questions of one quiz: edit, report, replace.

import { call, part } from "./api.js";
import { listen } from "./live.js";
import { morph } from "./morph.js";
import { text } from "./text.js";
import { announce, toast, toastNext } from "./toast.js";

const SOON = 200; // ms in which changes are gathered

const page = document.getElementById("quiz");
const { id } = page.dataset;
let timer = 0;

/** Make the page what it is now, but for what somebody edits; returns the position in the log that it stands for. */
async function refresh() {
  const before = page.dataset.status;
  const fresh = (await part(location.pathname)).getElementById("quiz");
  for (const row of page.querySelectorAll(".question:has(details[open])")) {
    const same = fresh.querySelector(`#${row.id}`);
    same?.querySelector("details").replaceWith(row.querySelector("details").cloneNode(true));
  }
  morph(page, fresh);
  if (before !== "ready" && page.dataset.status === "ready") {
    announce(text("quiz.is.ready", { title: page.dataset.title }), String);
  }
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

listen(page.dataset.position, (name, data) => {
  if (name.startsWith("quiz.") && data.quiz_id === id) timer ||= setTimeout(soon, SOON);
}, refresh);

const parts = (line) => line.split("|").map((part) => part.trim()).filter(Boolean);

/** Return what the form says, as the interface takes it. */
function changed(form, type) {
  const data = new FormData(form);
  const question = { stem: data.get("stem"), difficulty: data.get("difficulty") };
  if (type === "multiple_choice") {
    question.options = data.getAll("options");
    question.answer = { option: Number(data.get("option")) };
  } else if (type === "true_false") {
    question.answer = { value: data.get("value") === "true" };
  } else if (type === "fill_in_blank") {
    question.answer = { blanks: data.getAll("blank").map(parts) };
  } else {
    const points = data.get("points").split("\n").map(parts).filter((point) => point.length);
    const key_points = points.map(([name, ...terms]) => ({ text: name, terms: terms.length ? terms : [name] }));
    question.answer = { text: data.get("text"), key_points };
  }
  return question;
}

async function doing(button, work) {
  button.disabled = true;
  try {
    await work();
  } catch (error) {
    const refusal = button.closest("details")?.querySelector(".refusals");
    if (refusal) refusal.textContent = error.message;
    else toast(error.message);
  } finally {
    button.disabled = false;
  }
}

page.addEventListener("submit", (event) => {
  event.preventDefault();
  const form = event.target;
  const question = form.closest(".question");
  const path = `/quizzes/${id}/questions/${question.dataset.id}`;
  doing(event.submitter ?? form.querySelector("[type=submit]"), async () => {
    if (form.matches(".quiz-report")) {
      await call("POST", `${path}/report`, { reason: form.elements.reason.value });
      toast(text("quiz.told"));
    } else {
      await call("PUT", path, changed(form, question.dataset.type));
      toast(text("quiz.saved"));
    }
    question.querySelector("details").open = false;
    await refresh();
  });
});

page.addEventListener("click", (event) => {
  const button = event.target.closest("[data-replace], #quiz-delete");
  if (!button) return;
  if (button.id === "quiz-delete") {
    if (!confirm(text("quiz.really"))) return;
    doing(button, async () => {
      await call("DELETE", `/quizzes/${id}`);
      toastNext(text("quiz.gone"));
      location.replace("/ui/quizzes");
    });
    return;
  }
  const question = button.closest(".question");
  doing(button, async () => {
    await call("POST", `/quizzes/${id}/questions/${question.dataset.id}/regenerate`);
    question.querySelector("details").open = false;
    toast(text("quiz.replacing"));
  });
});
