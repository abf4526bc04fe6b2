// Reviews: one question after the other; space shows the answer, 1 to 4 say how well it was known.

import { call, part, Refusal } from "./api.js";
import { morph } from "./morph.js";
import { text } from "./text.js";
import { toast } from "./toast.js";

const AHEAD = 20; // questions that are fetched at once
const DAY = 86_400_000; // ms
const LATER = 60_000; // ms, after which is looked again while nothing is due: what was just forgotten comes soon

const page = document.getElementById("reviews");
const review = document.getElementById("review");
const [asked, answer, reveal, ratings] = ["question", "answer", "reveal", "ratings"].map((id) => document.getElementById(id));
const timezone = Intl.DateTimeFormat().resolvedOptions().timeZone || "UTC";

let waiting = [];
let total = 0;
let item = null;
let shown = false;
let busy = false;

function element(name, properties = {}, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
}

function field() {
  if (item.type === "multiple_choice" || item.type === "true_false") {
    const options = item.options ?? [text("true"), text("false")];
    const values = item.options ? options.map((_, place) => place) : [true, false];
    return element("fieldset", {}, element("legend", { textContent: item.stem }), ...options.map((option, place) => element(
      "label", { className: "option" },
      element("input", { type: "radio", name: "answer", value: JSON.stringify(values[place]) }),
      element("kbd", { textContent: place + 1, ariaHidden: "true" }),
      element("span", { textContent: option }),
    )));
  }
  const box = element("div", {}, element("p", { className: "stem", textContent: item.stem }));
  if (item.type === "short_answer") box.append(element("textarea", { rows: 3, maxLength: 4000, ariaLabel: text("your.answer"), placeholder: text("your.answer") }));
  for (let number = 1; number <= (item.blanks ?? 0); number += 1) {
    const label = text("blank", { number });
    box.append(element("input", { type: "text", maxLength: 500, ariaLabel: label, placeholder: label, autocapitalize: "off", spellcheck: false }));
  }
  return box;
}

function given() {
  if (item.type === "short_answer") return asked.querySelector("textarea").value || null;
  if (item.type === "fill_in_blank") return [...asked.querySelectorAll("input")].map((one) => one.value);
  const chosen = asked.querySelector("input:checked");
  return chosen ? JSON.parse(chosen.value) : null;
}

async function fetchDue() {
  const due = await call("GET", `/reviews/due?limit=${AHEAD}&timezone=${encodeURIComponent(timezone)}`);
  waiting = due.items;
  total = due.total;
}

/** Ask the next question, or say that nothing is due. */
async function next() {
  if (!waiting.length) await fetchDue();
  item = waiting.shift() ?? null;
  shown = false;
  review.hidden = item === null;
  document.getElementById("done").hidden = item !== null;
  answer.hidden = ratings.hidden = true;
  reveal.hidden = false;
  if (!item) {
    setTimeout(() => item ?? once(next), LATER);
    return;
  }
  document.getElementById("left").textContent = text("due.left", { n: total });
  asked.replaceChildren(field());
  (asked.querySelector("textarea, input[type=text]") ?? reveal).focus({ preventScroll: true });
}

/** Where a passage is in the reading view: a text fragment; one that goes over several lines leads to its first. */
function linkTo(passage) {
  const line = passage.text.trim().split(/[\r\n]/, 1)[0];
  return `/ui/resources/${passage.resource_id}#:~:text=${encodeURIComponent(line).replaceAll("-", "%2D")}`;
}

function away(date) {
  const ms = new Date(date) - Date.now();
  return ms < DAY / 2 ? text("in.minutes", { n: Math.max(1, Math.round(ms / 60_000)) }) : text("in.days", { n: Math.round(ms / DAY) });
}

async function showAnswer() {
  const found = await call("POST", `/reviews/${item.question_id}/reveal`, { answer: given() });
  shown = true;
  const { right, passage } = found;
  const options = [...asked.querySelectorAll(".option")];
  const place = item.options ? right.option : item.type === "true_false" ? (right.value ? 0 : 1) : -1;
  options[place]?.setAttribute("data-right", "");
  if (found.share !== undefined && found.share < 1) asked.querySelector(".option:has(:checked)")?.setAttribute("data-wrong", "");
  for (const one of asked.querySelectorAll("input, textarea")) one.disabled = true;
  answer.replaceChildren(
    element("h2", { textContent: text("right.answer") }),
    element("p", { className: "right-answer", textContent: place < 0 ? right.text : options[place].querySelector("span").textContent }),
    element("figure", {}, element("blockquote", { textContent: passage.text }), element("figcaption", {}, element("a", { href: linkTo(passage), textContent: passage.title }))),
  );
  answer.hidden = ratings.hidden = false;
  reveal.hidden = true;
  for (const button of ratings.children) {
    button.querySelector("small").textContent = away(found.next[button.dataset.rating]);
    button.toggleAttribute("data-suggested", Number(button.dataset.rating) === found.suggested_rating);
  }
  ratings.children[(found.suggested_rating ?? 3) - 1].focus({ preventScroll: true });
}

/** The next question is there at once; the figures follow. */
async function goOn() {
  total = Math.max(0, total - 1);
  await next();
  refresh().catch((error) => console.warn("The figures could not be refreshed:", error.message));
}

async function rate(rating) {
  await call("POST", `/reviews/${item.question_id}`, { rating });
  await goOn();
}

async function suspend() {
  await call("POST", `/reviews/${item.question_id}/suspend`);
  toast(text("suspended"));
  await goOn();
}

/** Make the figures and the forecast what they are now. */
async function refresh() {
  const fresh = await part(location.pathname);
  for (const selector of ["#figures", ".forecast", ".states"]) {
    morph(page.querySelector(selector), fresh.querySelector(selector));
  }
}

/** Do one thing at a time; what the server refuses is said. */
async function once(action) {
  if (busy) return;
  busy = true;
  try {
    await action();
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    toast(error.message);
    if (error.status === 404) await next(); // it was withdrawn meanwhile
  } finally {
    busy = false;
  }
}

reveal.addEventListener("click", () => once(showAnswer));
ratings.addEventListener("click", (event) => {
  const button = event.target.closest("[data-rating]");
  if (button) once(() => rate(Number(button.dataset.rating)));
});
document.getElementById("suspend").addEventListener("click", () => once(suspend));

document.addEventListener("keydown", (event) => {
  if (!item || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  if (document.querySelector("dialog[open]") || event.target.closest(".frame, .menu")) return;
  const types = event.target.matches("textarea, input[type=text]");
  if (!shown && event.key === "Enter" && event.target.matches("input")) once(showAnswer);
  else if (types) return;
  else if (!shown && event.key === " ") once(showAnswer);
  else if (shown && /^[1-4]$/.test(event.key)) once(() => rate(Number(event.key)));
  else if (!shown && /^[1-9]$/.test(event.key)) asked.querySelectorAll("input[type=radio]")[Number(event.key) - 1]?.click();
  else return;
  event.preventDefault();
});

if (page.dataset.timezone !== timezone) {
  document.cookie = `pharos_timezone=${encodeURIComponent(timezone)}; path=/; max-age=31536000; samesite=lax`;
  once(refresh); // days begin and end where one lives
}
once(next);
