// Where the library is, and the token that opens it; both stay in this browser.

import "./words.js";
import { isWeb, permission, settings, Trouble, whoami, word } from "./library.js";

const field = (id) => document.getElementById(id);

const known = await settings();
field("address").value = known.address;
field("token").value = known.token;
field("private").checked = known.isPrivate;

field("form").addEventListener("submit", async (event) => {
  event.preventDefault();
  try {
    show(true, word("connected", await connect()));
  } catch (error) {
    if (!(error instanceof Trouble)) throw error;
    show(false, error.message);
  }
});

/** Keep what was given, ask for the permission to talk to that address, and return who the token is of. */
async function connect() {
  const address = field("address").value.trim().replace(/\/(ui\/?.*)?$/, "");
  if (!isWeb(address) || !URL.canParse(address)) throw new Trouble(word("bad_address"));
  const wanted = permission(address);
  const granted = await chrome.permissions.request(wanted); // first of all: only a click may ask for it
  const before = (await settings()).address;
  await chrome.storage.local.set({ address, token: field("token").value.trim(), isPrivate: field("private").checked });
  if (!granted) throw new Trouble(word("not_allowed", address));
  if (before && permission(before).origins[0] !== wanted.origins[0]) await chrome.permissions.remove(permission(before));
  return whoami();
}

function show(ok, words) {
  const outcome = field("outcome");
  outcome.textContent = words;
  outcome.dataset.ok = ok;
}
