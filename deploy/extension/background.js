// Saves what the menu or the popup asks for, and remembers for the popup how it went.

import { addNote, addPage, settings, word } from "./library.js";

chrome.runtime.onInstalled.addListener(() => {
  chrome.contextMenus.create({ id: "page", title: word("save_page"), contexts: ["page"] });
  chrome.contextMenus.create({ id: "selection", title: word("save_selection"), contexts: ["selection"] });
});

chrome.contextMenus.onClicked.addListener(({ menuItemId, frameId, selectionText }, tab) => {
  save(menuItemId, tab, frameId, selectionText);
});

chrome.runtime.onMessage.addListener(({ what, tab }, _sender, answer) => {
  save(what, tab).then(answer);
  return true; // the answer comes later
});

/** Save the page of a tab, or what is selected on it; return how it went, as { ok, words, href }. */
async function save(what, tab, frameId = 0, selectionText = "") {
  mark(tab.id, "…", word("saving"));
  let outcome;
  try {
    outcome = await (what === "page" ? savePage(tab) : saveSelection(tab, frameId, selectionText));
  } catch (error) {
    outcome = { ok: false, words: error.message };
  }
  mark(tab.id, outcome.ok ? "✓" : "!", outcome.words);
  await chrome.storage.session.set({ [tab.id]: { url: tab.url, outcome } });
  return outcome;
}

async function savePage(tab) {
  const { id, known } = await addPage(tab);
  return saved(id, known ? "page_known" : "page_saved");
}

async function saveSelection(tab, frameId, selectionText) {
  const text = (await selected(tab.id, frameId)) || selectionText;
  const { id, known } = await addNote({ url: tab.url, title: tab.title, text });
  return saved(id, known ? "note_known" : "note_saved");
}

async function saved(id, key) {
  const { address } = await settings();
  return { ok: true, words: word(key), href: `${address}/ui/resources/${id}` };
}

/** Return the selection with its line breaks, which the menu does not tell; "" where no script may run. */
async function selected(tabId, frameId) {
  try {
    const target = { tabId, frameIds: [frameId] };
    const [{ result }] = await chrome.scripting.executeScript({ target, func: () => String(getSelection()) });
    return result ?? "";
  } catch {
    return ""; // the browser's own pages, and its viewer of PDFs
  }
}

/** Say on the icon how it went; the browser takes both away when the tab goes to another page. */
function mark(tabId, badge, title) {
  chrome.action.setBadgeText({ tabId, text: badge }).catch(() => {}); // the tab was closed
  chrome.action.setTitle({ tabId, title }).catch(() => {});
}
