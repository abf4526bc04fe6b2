// Fills a page of the extension with its words (_locales).

import { word } from "./library.js";

document.documentElement.lang = chrome.i18n.getUILanguage();
for (const one of document.querySelectorAll("[data-word]")) one.textContent = word(one.dataset.word);
