// The popup: two buttons, and how it went.

import "./words.js";
import { word } from "./library.js";

const [tab] = await chrome.tabs.query({ active: true, currentWindow: true });
const buttons = [document.getElementById("page"), document.getElementById("selection")];

for (const button of buttons) {
  button.addEventListener("click", async () => {
    show({ ok: true, words: word("saving") });
    enable(false);
    const { id, url, title } = tab;
    show(await chrome.runtime.sendMessage({ what: button.id, tab: { id, url, title } }));
    enable(true);
  });
}

const last = (await chrome.storage.session.get(String(tab.id)))[tab.id];
if (last && last.url === tab.url) show(last.outcome); // neither is known of the pages of the browser itself
enable(true);

function enable(are) {
  for (const button of buttons) button.disabled = !are;
}

function show({ ok, words, href }) {
  const outcome = document.getElementById("outcome");
  const see = document.getElementById("see");
  outcome.textContent = words;
  outcome.dataset.ok = ok;
  see.hidden = !href;
  if (href) see.href = href;
}
