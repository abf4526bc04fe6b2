// How the text is set: what is chosen shows at once, and the server writes it into the next page.

const YEAR = 31_536_000; // seconds
const USUAL = { font: "serif", size: "3", leading: "normal", measure: "normal", edge: "ragged" };

const root = document.documentElement;
const form = document.getElementById("setting-form");
const page = document.getElementById("resource");

function chosen() {
  const given = Object.fromEntries(new FormData(form));
  return Object.fromEntries(Object.entries(USUAL).map(([name, usual]) => [name, given[name] ?? usual]));
}

function keep(name, value, usual) {
  document.cookie = `${name}=${value}; path=/; max-age=${usual ? 0 : YEAR}; samesite=lax`;
}

/** Keep the line that is read in its place while the text around it changes its size. */
function steadily(change) {
  const lines = [...page.querySelectorAll(".prose > *")];
  const line = lines.find((one) => one.getBoundingClientRect().bottom > 100);
  const before = line?.getBoundingClientRect().top;
  change();
  if (line && scrollY > 0) scrollBy({ top: line.getBoundingClientRect().top - before, behavior: "instant" });
}

function apply() {
  const now = chosen();
  steadily(() => {
    for (const [name, usual] of Object.entries(USUAL)) {
      if (now[name] === usual) delete root.dataset[name];
      else root.dataset[name] = now[name];
    }
  });
  keep("pharos_reader", Object.values(now).join("."), Object.entries(USUAL).every(([name, usual]) => now[name] === usual));
}

function applyTheme(theme) {
  if (theme === "system") delete root.dataset.theme;
  else root.dataset.theme = theme;
  keep("pharos_theme", theme, theme === "system");
}

form.addEventListener("input", ({ target }) => (target.name === "theme" ? applyTheme(target.value) : apply()));
form.addEventListener("submit", (event) => event.preventDefault());
form.addEventListener("reset", (event) => {
  event.preventDefault();
  for (const [name, usual] of Object.entries({ ...USUAL, theme: "system" })) {
    const fields = form.elements[name];
    if (name === "edge") fields.checked = false;
    else fields.value = usual;
  }
  applyTheme("system");
  apply();
});
document.getElementById("setting").addEventListener("toggle", () => {
  form.elements.theme.value = root.dataset.theme ?? "system"; // the button of the frame changes it, too
});
