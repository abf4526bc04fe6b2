// Results while one types; each answer replaces the one before, an outdated request is given up.

import { part } from "./api.js";
import { text } from "./text.js";
import { announce, toast } from "./toast.js";

const PAUSE = 140; // ms without a key

const form = document.getElementById("search");
const query = document.getElementById("query");
const results = document.getElementById("results");
let asking = new AbortController();
let timer = 0;

function fields() {
  const wanted = new URLSearchParams(new FormData(form));
  wanted.set("query", wanted.get("query").trim());
  return wanted;
}

async function ask(wanted, { keep = false, typing = false } = {}) {
  clearTimeout(timer);
  asking.abort();
  asking = new AbortController();
  const { signal } = asking;
  results.setAttribute("aria-busy", "true");
  try {
    const fresh = await part(`/ui/search/results?${wanted}${typing ? "&typing=1" : ""}`, { signal });
    if (signal.aborted) return;
    results.replaceChildren(fresh);
    document.title = document.title.replace(/^.*(?= · )/, () => wanted.get("query") || text("search"));
    if (keep) history.pushState(null, "", `/ui/search?${wanted}`);
    else history.replaceState(null, "", `/ui/search?${wanted}`);
    const count = document.getElementById("count");
    if (count) announce(count.firstChild?.textContent.trim() ?? "", String);
  } catch (error) {
    if (signal.aborted) return;
    toast(error.message);
  }
  results.setAttribute("aria-busy", "false");
}

query.addEventListener("input", () => {
  clearTimeout(timer);
  timer = setTimeout(() => ask(fields(), { typing: true }), PAUSE);
});

form.addEventListener("submit", (event) => {
  event.preventDefault();
  ask(fields());
});

// A mode, a filter, a page: the same results elsewhere, without a new page.
results.addEventListener("click", (event) => {
  const link = event.target.closest('a[href^="/ui/search?"]');
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
  event.preventDefault();
  const wanted = new URL(link.href).searchParams;
  form.querySelectorAll("input[type=hidden]").forEach((field) => field.remove());
  for (const [name, value] of wanted) {
    if (name === "query" || name === "page") continue;
    form.append(Object.assign(document.createElement("input"), { type: "hidden", name, value }));
  }
  ask(wanted, { keep: true });
  if (wanted.has("page")) scrollTo({ top: 0 });
});

addEventListener("popstate", () => location.reload());
if (!query.value) query.focus();
