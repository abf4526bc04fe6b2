// What is said in passing: a line at the bottom of the page, and a line for screen readers.

import { Refusal } from "./api.js";

const LASTS = 6000; // ms
const KEPT = "pharos-toast";

/** Show a line for a while; `link` is {href, label}, or {label, act, lasts} for a button. Returns what closes it. */
export function toast(words, link) {
  const template = document.getElementById("toast-template");
  const shown = template.content.firstElementChild.cloneNode(true);
  const line = shown.querySelector("p");
  line.textContent = words;
  const close = () => shown.remove();
  if (link?.act) {
    const button = Object.assign(document.createElement("button"), { type: "button", className: "small", textContent: link.label });
    button.addEventListener("click", () => {
      close();
      link.act();
    });
    line.after(button);
  } else if (link) {
    const anchor = Object.assign(document.createElement("a"), { href: link.href, textContent: link.label });
    line.append(" ", anchor);
  }
  shown.querySelector(".tool").addEventListener("click", close);
  const box = document.getElementById("toasts");
  box.append(shown);
  while (box.children.length > 3) box.firstElementChild.remove();
  let timer = setTimeout(close, link?.lasts ?? LASTS);
  for (const [stays, goes] of [["pointerenter", "pointerleave"], ["focusin", "focusout"]]) {
    shown.addEventListener(stays, () => clearTimeout(timer));
    shown.addEventListener(goes, () => {
      clearTimeout(timer);
      timer = setTimeout(close, link?.lasts ?? LASTS);
    });
  }
  return () => {
    clearTimeout(timer);
    close();
  };
}

/** Do something that the server may refuse, and show what it says then. */
export async function attempt(work) {
  try {
    await work();
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    toast(error.message);
  }
}

/** Show a line on the page that comes next; `link` is {href, label}. */
export function toastNext(words, link) {
  sessionStorage.setItem(KEPT, JSON.stringify([words, link]));
}

const kept = sessionStorage.getItem(KEPT);
if (kept) {
  sessionStorage.removeItem(KEPT);
  toast(...JSON.parse(kept));
}

let waiting = [];

/** Tell screen readers; many at once become one sentence by `many(count)`. */
export function announce(words, many) {
  if (!waiting.length) {
    setTimeout(() => {
      document.getElementById("announcer").textContent =
        waiting.length > 2 ? many(waiting.length) : waiting.join(". ");
      waiting = [];
    }, 400);
  }
  waiting.push(words);
}
