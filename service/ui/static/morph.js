// Change an element into another one where they differ, so that focus, selection and transitions survive.

import { turnOf } from "./api.js";

const shown = new WeakMap(); // which turn an element stands for

/** Make `old` look like `fresh`, of the same kind; not where it shows what was asked for later than that. */
export function morph(old, fresh) {
  const turn = turnOf(fresh);
  if (turn < shown.get(old)) return;
  if (turn) shown.set(old, turn);
  change(old, fresh);
}

function change(old, fresh) {
  if (old.isEqualNode(fresh)) return;
  for (const { name } of [...old.attributes]) {
    if (!fresh.hasAttribute(name) && !(name === "open" || name === "class")) old.removeAttribute(name);
  }
  for (const { name, value } of fresh.attributes) {
    if (old.getAttribute(name) !== value && name !== "class") old.setAttribute(name, value);
  }
  const there = named(old);
  const wanted = named(fresh);
  let now = old.firstChild;
  const drop = () => {
    const next = now.nextSibling;
    now.remove();
    now = next;
  };
  for (const next of [...fresh.childNodes]) {
    const same = there.get(next.id);
    if (same) while (now && now !== same && !wanted.has(now.id)) drop();
    if (same && now !== same) {
      old.insertBefore(same, now);
      change(same, next);
    } else if (!now || (now.id && now !== same && wanted.has(now.id))) {
      old.insertBefore(next, now);
    } else if (alike(now, next)) {
      if (now.nodeType === Node.ELEMENT_NODE) change(now, next);
      else if (now.data !== next.data) now.data = next.data;
      now = now.nextSibling;
    } else {
      old.insertBefore(next, now);
      drop();
    }
  }
  while (now) drop();
}

/** The children that have a name: they are the same wherever they stand. */
function named(parent) {
  return new Map([...parent.children].filter((child) => child.id).map((child) => [child.id, child]));
}

function alike(one, other) {
  return one.nodeType === other.nodeType && one.nodeName === other.nodeName && one.className === other.className;
}
