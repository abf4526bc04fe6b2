// The words of the modules; the server sends them with the page (service/ui/text.py).

const texts = JSON.parse(document.getElementById("text").textContent);

/** Return a text with its {fields} filled in; with `n`, one of two forms is chosen. */
export function text(key, fields = {}) {
  let form = texts[key];
  if (Array.isArray(form)) form = form[fields.n === 1 ? 0 : 1];
  return form.replace(/\{(\w+)\}/g, (_, name) => (name === "n" ? fields.n.toLocaleString() : fields[name]));
}
