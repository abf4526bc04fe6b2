// Change an element into another one where they differ, so that focus, selection and transitions survive.

/** Make `old` look like `fresh`; both are elements of the same kind. */
export function morph(old, fresh) {
  if (old.isEqualNode(fresh)) return;
  for (const { name } of [...old.attributes]) {
    if (!fresh.hasAttribute(name) && !(name === "open" || name === "class")) old.removeAttribute(name);
  }
  for (const { name, value } of fresh.attributes) {
    if (old.getAttribute(name) !== value && name !== "class") old.setAttribute(name, value);
  }
  const children = [...old.childNodes];
  const wanted = [...fresh.childNodes];
  wanted.forEach((next, index) => {
    const now = children[index];
    if (!now) old.append(next);
    else if (now.nodeType !== next.nodeType || now.nodeName !== next.nodeName || now.className !== next.className) now.replaceWith(next);
    else if (now.nodeType === Node.ELEMENT_NODE) morph(now, next);
    else if (now.data !== next.data) now.data = next.data;
  });
  children.slice(wanted.length).forEach((extra) => extra.remove());
}
