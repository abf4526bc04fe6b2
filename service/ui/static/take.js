// A quiz is taken: by pointer or keys, one question at a time or all at once; answers are saved as they are given.

import { call, part, Refusal } from "./api.js";
import { listen } from "./live.js";
import { text } from "./text.js";
import { toast } from "./toast.js";

const PAUSE = 500; // ms without typing, after which is saved
const RETRY = 3000; // ms
const FLUSH = 2; // seconds before the end at which whatever is typed is saved
const WARN = [300, 60]; // seconds left at which a screen reader is told
const VIEW = "pharos-quiz-view";

const form = document.getElementById("take");

document.getElementById("start")?.addEventListener("submit", async (event) => {
  event.preventDefault();
  const { quiz } = event.target.dataset;
  const { count, limit } = event.target.elements;
  const how = { count: Number(count.value) };
  if (limit.value) how.time_limit_seconds = Number(limit.value);
  try {
    await call("POST", `/quizzes/${quiz}/sessions`, how);
    location.reload();
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    toast(error.message);
  }
});

if (form) take();

function take() {
  const { id } = form.dataset;
  const questions = [...form.querySelectorAll(".question")];
  const places = [...form.querySelectorAll("[data-place]")];
  const began = performance.now();
  const serverBegan = Date.parse(form.dataset.now);
  const { answers } = JSON.parse(document.getElementById("taking").textContent);
  const dirty = new Set(); // ids of questions whose answer is not saved yet
  const saved = document.getElementById("saved");
  let current = 0;
  let timer = 0;
  let saving = null;
  let over = false;

  const now = () => new Date(serverBegan + performance.now() - began).toISOString(); // the server's clock

  function valueOf(question) {
    const { type } = question.dataset;
    if (type === "multiple_choice" || type === "true_false") {
      const chosen = question.querySelector("input:checked");
      return chosen ? JSON.parse(chosen.value) : null;
    }
    if (type === "short_answer") return question.querySelector("textarea").value;
    return [...question.querySelectorAll("input")].map((field) => field.value);
  }

  function show(question, value) {
    const { type } = question.dataset;
    if (type === "multiple_choice" || type === "true_false") {
      for (const field of question.querySelectorAll("input")) field.checked = field.value === JSON.stringify(value);
    } else if (type === "short_answer") question.querySelector("textarea").value = value ?? "";
    else question.querySelectorAll("input").forEach((field, place) => { field.value = value?.[place] ?? ""; });
  }

  function isAnswered(question) {
    const value = valueOf(question);
    return Array.isArray(value) ? value.some((one) => one.trim()) : typeof value === "string" ? value.trim() !== "" : value !== null;
  }

  function count() {
    const done = questions.filter((question, place) => {
      const answered = isAnswered(question);
      places[place].toggleAttribute("data-answered", answered);
      return answered;
    }).length;
    document.getElementById("answered").textContent = text("answered.of", { done, count: questions.length });
    return questions.length - done;
  }

  /** Show what the server has, but for what is typed here and not saved yet. */
  function apply(known) {
    for (const question of questions) {
      if (!dirty.has(question.dataset.id)) show(question, known[question.dataset.id] ?? null);
    }
    count();
  }

  function payload(ids) {
    const given = questions.filter((question) => ids.has(question.dataset.id));
    return { answers: Object.fromEntries(given.map((question) => [question.dataset.id, valueOf(question)])), saved_at: now() };
  }

  async function save() {
    clearTimeout(timer);
    if (saving) await saving;
    if (!dirty.size || over) return;
    const sent = new Set(dirty);
    dirty.clear();
    saved.textContent = text("saving");
    saving = call("PUT", `/sessions/${id}/answers`, payload(sent)).then(
      ({ answers: known }) => {
        apply(known);
        if (!dirty.size) saved.textContent = text("saved");
      },
      (error) => {
        if (!(error instanceof Refusal)) throw error;
        if (error.status === 409) return leave();
        if (error.status !== 422) {
          for (const one of sent) dirty.add(one);
          timer = setTimeout(save, RETRY);
        }
        saved.textContent = error.status === 422 ? error.message : text("not.saved");
      },
    );
    await saving;
    saving = null;
  }

  function leave() {
    over = true;
    location.replace(`/ui/sessions/${id}`);
  }

  async function submit() {
    clearTimeout(timer);
    await save();
    over = true;
    try {
      await call("POST", `/sessions/${id}/submit`);
      leave();
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      if (error.status === 409) return leave();
      over = false;
      toast(error.message);
    }
  }

  form.addEventListener("input", (event) => {
    const question = event.target.closest(".question");
    if (!question) return;
    dirty.add(question.dataset.id);
    count();
    clearTimeout(timer);
    timer = setTimeout(save, PAUSE);
  });
  addEventListener("pagehide", () => {
    if (!dirty.size || over) return;
    fetch(`/sessions/${id}/answers`, {
      method: "PUT",
      keepalive: true, // it outlives the page
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(payload(dirty)),
    }).catch(() => {}); // the page that comes back saves it
  });

  // One question, or all.

  function go(to, focus = true) {
    current = Math.max(0, Math.min(questions.length - 1, to));
    questions.forEach((question, place) => question.toggleAttribute("data-current", place === current));
    places.forEach((button, place) => (place === current ? button.setAttribute("aria-current", "step") : button.removeAttribute("aria-current")));
    document.getElementById("previous").disabled = current === 0;
    document.getElementById("next").disabled = current === questions.length - 1;
    if (!focus) return;
    const field = questions[current].querySelector("input:checked, input[type=text], textarea");
    (field ?? questions[current]).focus({ preventScroll: true });
    questions[current].scrollIntoView({ block: "nearest" });
  }

  function view(name) {
    form.dataset.view = name;
    for (const button of form.querySelectorAll("[data-view]")) button.setAttribute("aria-pressed", button.dataset.view === name);
  }

  for (const button of form.querySelectorAll("button[data-view]")) {
    button.addEventListener("click", () => {
      localStorage.setItem(VIEW, button.dataset.view);
      view(button.dataset.view);
    });
  }
  for (const button of places) button.addEventListener("click", () => go(Number(button.dataset.place)));
  document.getElementById("previous").addEventListener("click", () => go(current - 1));
  document.getElementById("next").addEventListener("click", () => go(current + 1));
  form.addEventListener("focusin", (event) => {
    const place = questions.indexOf(event.target.closest(".question"));
    if (place >= 0 && place !== current) go(place, false);
  });

  // Keys, but not while somebody types.

  document.addEventListener("keydown", (event) => {
    const goesOn = event.key === "Enter" && (event.ctrlKey || event.metaKey); // also where Enter begins a new line
    if (((event.ctrlKey || event.metaKey) && !goesOn) || event.altKey || event.isComposing) return;
    if (document.querySelector("dialog[open]")) return;
    const inside = form.contains(event.target) || event.target === document.body || event.target.id === "main";
    if (!inside) return;
    const types = event.target.matches("textarea, input[type=text]");
    const presses = event.target.matches("button");
    if (goesOn || (event.key === "Enter" && !presses && !event.target.matches("textarea"))) {
      if (current === questions.length - 1) ask();
      else go(current + 1);
    } else if (!types && event.key === "ArrowRight") go(current + 1);
    else if (!types && event.key === "ArrowLeft") go(current - 1);
    else if (!types && /^[1-9]$/.test(event.key)) {
      const option = questions[current].querySelectorAll("input[type=radio]")[Number(event.key) - 1];
      if (!option) return;
      option.click();
      option.focus({ preventScroll: true, focusVisible: true });
    } else return;
    event.preventDefault();
  });

  // The end.

  const dialog = document.getElementById("confirm");

  function ask() {
    const missing = count();
    const line = document.getElementById("unanswered");
    line.hidden = missing === 0;
    line.textContent = text("unanswered", { n: missing });
    dialog.returnValue = "";
    dialog.showModal();
  }

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    ask();
  });
  dialog.addEventListener("close", () => dialog.returnValue === "submit" && submit());

  if (form.dataset.left !== "") {
    const ends = began + 1000 * Number(form.dataset.left);
    const clock = document.getElementById("time");
    const told = new Set(WARN.filter((seconds) => seconds >= Number(form.dataset.left)));
    let flushed = false;
    const tick = () => {
      if (over) return;
      const left = Math.max(0, Math.ceil((ends - performance.now()) / 1000));
      const shown = [Math.floor(left / 3600), Math.floor(left / 60) % 60, left % 60].map((n) => String(n).padStart(2, "0"));
      clock.textContent = (shown[0] === "00" ? shown.slice(1) : shown).join(":");
      form.toggleAttribute("data-hurry", left <= WARN.at(-1));
      for (const seconds of WARN) {
        if (left > seconds || told.has(seconds)) continue;
        told.add(seconds);
        document.getElementById("announcer").textContent = text("minutes.left", { n: Math.round(seconds / 60) });
      }
      if (left <= FLUSH && !flushed) {
        flushed = true;
        save();
      }
      if (left > 0) return;
      clearInterval(ticking);
      for (const field of form.querySelectorAll("input, textarea")) field.disabled = true;
      toast(text("time.over"));
      dirty.clear(); // it would be refused
      submit();
    };
    const ticking = setInterval(tick, 500);
    tick();
  }

  // What happens on another device.

  listen(form.dataset.position, (name, data) => {
    if (name === "quiz.session.submitted" && data.session_id === id && !over) leave();
  }, async () => {
    const fresh = await part(location.pathname);
    const there = fresh.querySelector("#take");
    if (there?.dataset.id !== id) {
      leave();
      return form.dataset.position;
    }
    apply(JSON.parse(fresh.querySelector("#taking").textContent).answers);
    return there.dataset.position;
  });

  view(localStorage.getItem(VIEW) === "list" ? "list" : "one");
  apply(answers);
  const first = questions.findIndex((question) => !isAnswered(question));
  go(first < 0 ? 0 : first, form.dataset.view === "one");
}
