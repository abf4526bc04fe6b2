// What might be meant, under the search field: a combobox (https://www.w3.org/WAI/ARIA/apg/patterns/combobox/).

import { move } from "./keys.js";

const PAUSE = 90; // ms without a key
const MOST = 8;

const query = document.getElementById("query");
const list = document.getElementById("suggestions");
let asking = new AbortController();
let timer = 0;
let active = -1;

function show(suggestions) {
  list.replaceChildren(...suggestions.map(({ text, kind }, at) => {
    const option = document.createElement("li");
    Object.assign(option, { id: `suggestion-${at}`, role: "option", ariaSelected: "false" });
    option.append(Object.assign(document.createElement("span"), { textContent: text }));
    if (kind) option.append(Object.assign(document.createElement("small"), { textContent: kind }));
    return option;
  }));
  choose(-1);
  list.hidden = suggestions.length === 0;
  query.ariaExpanded = String(!list.hidden);
}

function close() {
  clearTimeout(timer);
  asking.abort();
  show([]);
}

function choose(at) {
  active = at;
  [...list.children].forEach((option, index) => (option.ariaSelected = String(index === at)));
  if (at < 0) query.removeAttribute("aria-activedescendant");
  else {
    query.setAttribute("aria-activedescendant", list.children[at].id);
    list.children[at].scrollIntoView({ block: "nearest" });
  }
}

function take(option) {
  query.value = option.firstElementChild.textContent;
  close();
  query.form.requestSubmit();
}

async function ask() {
  const prefix = query.value.trim();
  asking.abort();
  asking = new AbortController();
  const { signal } = asking;
  if (!prefix) return close();
  try {
    const answer = await fetch(`/search/suggest?${new URLSearchParams({ prefix, limit: MOST })}`, { signal });
    const { suggestions = [] } = answer.ok ? await answer.json() : {};
    if (signal.aborted || document.activeElement !== query) return;
    const known = suggestions.filter(({ text }) => typeof text === "string" && text !== prefix);
    show(known.slice(0, MOST));
  } catch {
    if (!signal.aborted) close(); // a search needs no suggestions
  }
}

query?.addEventListener("input", () => {
  clearTimeout(timer);
  timer = setTimeout(ask, PAUSE);
});

query?.addEventListener("keydown", (event) => {
  if (event.isComposing) return;
  const count = list.children.length;
  if (event.key === "ArrowDown" && count) choose((active + 2) % (count + 1) - 1);
  else if (event.key === "ArrowUp" && count) choose((active + count + 1) % (count + 1) - 1);
  else if (event.key === "ArrowDown") move(1);
  else if (event.key === "Enter" && active >= 0) take(list.children[active]);
  else if (event.key === "Enter") return close();
  else if (event.key === "Escape") list.hidden ? query.blur() : close();
  else return;
  event.preventDefault();
});

query?.addEventListener("blur", close);
list?.addEventListener("pointerdown", (event) => {
  event.preventDefault(); // the focus stays in the field
  const option = event.target.closest("[role=option]");
  if (option) take(option);
});
