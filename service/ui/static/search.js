// Results while one types: by words with every key, one request at a time; by meaning as well after a pause. Each answer
// changes the one before, an outdated request is given up.

import { part } from "./api.js";
import { morph } from "./morph.js";
import { text } from "./text.js";
import { announce, toast } from "./toast.js";

const PAUSE = 250; // ms without a key

const form = document.getElementById("search");
const query = document.getElementById("query");
const results = document.getElementById("results");
let asking = new AbortController();
let timer = 0;
let hurrying = false; // a quick request is on its way
let again = false; // a key came meanwhile

function fields() {
  const wanted = new URLSearchParams(new FormData(form));
  wanted.set("query", wanted.get("query").trim());
  return wanted;
}

/** Have the search box carry what an address says besides the query. */
function carry(wanted) {
  form.querySelectorAll("input[type=hidden]").forEach((field) => field.remove());
  for (const [name, value] of wanted) {
    if (name === "query" || name === "page") continue;
    form.append(Object.assign(document.createElement("input"), { type: "hidden", name, value }));
  }
}

async function ask(wanted, { address = "replace", typing = false, quick = false } = {}) {
  if (!quick) {
    clearTimeout(timer);
    again = false;
  }
  asking.abort();
  asking = new AbortController();
  const { signal } = asking;
  results.setAttribute("aria-busy", "true");
  try {
    const how = (typing ? "&typing=1" : "") + (quick ? "&quick=1" : "");
    const fresh = await part(`/ui/search/results?${wanted}${how}`, { signal });
    if (signal.aborted) return;
    const next = results.cloneNode(false);
    next.append(fresh);
    morph(results, next);
    open(results.hasAttribute("data-filters"));
    document.title = document.title.replace(/^.*(?= · )/, () => wanted.get("query") || text("search"));
    if (address === "push") history.pushState(null, "", `/ui/search?${wanted}`);
    else if (address === "replace") history.replaceState(null, "", `/ui/search?${wanted}`);
    const count = document.getElementById("count");
    if (count && !quick) announce(count.firstChild?.textContent.trim() ?? "", String);
  } catch (error) {
    if (signal.aborted) return;
    toast(error.message);
  }
  results.setAttribute("aria-busy", "false");
}

async function hurry() {
  again = hurrying;
  if (hurrying) return;
  hurrying = true;
  do {
    again = false;
    await ask(fields(), { typing: true, quick: true });
  } while (again);
  hurrying = false;
}

query.addEventListener("input", () => {
  clearTimeout(timer);
  timer = setTimeout(() => ask(fields(), { typing: true }), PAUSE);
  hurry();
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
  carry(wanted);
  query.value = wanted.get("query") ?? "";
  ask(wanted, { address: "push" });
  if (wanted.has("page")) scrollTo({ top: 0 });
});

// On a phone the filters are behind a button.
function open(shown) {
  results.toggleAttribute("data-filters", shown);
  document.getElementById("show-filters")?.setAttribute("aria-expanded", String(shown));
}

results.addEventListener("click", (event) => {
  if (event.target.closest("#show-filters")) open(!results.hasAttribute("data-filters"));
});

addEventListener("popstate", () => {
  if (location.hash) return; // the skip link
  const wanted = new URLSearchParams(location.search);
  carry(wanted);
  query.value = wanted.get("query") ?? "";
  ask(wanted, { address: "keep" });
});
if (!query.value) query.focus();
