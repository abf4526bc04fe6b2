// The library over its HTTP API: where it is, what is sent, and in words what went wrong.

const PATIENCE = 20_000; // ms
const LONGEST_TITLE = 1000; // characters

export const word = (key, ...fields) => chrome.i18n.getMessage(key, fields.map(String));
export const isWeb = (url) => /^https?:\/\//i.test(url ?? "");

/** Something did not work; the message is for people. */
export class Trouble extends Error {}

/** Return { address, token, isPrivate } as they were given in the options. */
export async function settings() {
  return chrome.storage.local.get({ address: "", token: "", isPrivate: false });
}

/** Return the permission that talking to an address needs; permissions know hosts, not ports. */
export function permission(address) {
  const { protocol, hostname } = new URL(address);
  return { origins: [`${protocol}//${hostname}/*`] };
}

/** Return { id, known } of a page, which the library reads by its address. */
export async function addPage({ url, title }) {
  if (!isWeb(url)) throw new Trouble(word("no_web_page"));
  const { isPrivate } = await settings();
  const { id, duplicate } = await ask("POST", "/ingest", { url, ...titled(title), private: isPrivate });
  return { id, known: duplicate };
}

/** Return { id, known } of a text that becomes a note, with the page that it is from. */
export async function addNote({ url, title, text }) {
  if (!text?.trim()) throw new Trouble(word("nothing_selected"));
  const { isPrivate } = await settings();
  const source = isWeb(url) ? { url } : {};
  const note = { title: text.trim().slice(0, 100), ...titled(title), ...source, content: text, type: "note", private: isPrivate };
  const { id, duplicate_of: twin } = await ask("POST", "/resources", note);
  return { id, known: Boolean(twin) };
}

/** Return who the token is of; Trouble where it cannot be used for saving. */
export async function whoami() {
  const { username, scopes } = await ask("GET", "/users/me");
  if (!scopes?.includes("write")) throw new Trouble(word("no_write"));
  return username;
}

const titled = (title) => (title?.trim() ? { title: title.trim().slice(0, LONGEST_TITLE) } : {});

async function ask(method, path, data) {
  const { address, token } = await settings();
  if (!address || !token) throw new Trouble(word("not_set_up"));
  if (!(await chrome.permissions.contains(permission(address)))) throw new Trouble(word("not_allowed", address));
  const response = await fetch(address + path, {
    method,
    headers: { Authorization: `Bearer ${token}`, ...(data && { "Content-Type": "application/json" }) },
    body: data && JSON.stringify(data),
    credentials: "omit",
    redirect: "error", // a token goes to the address that was given, and nowhere else
    signal: AbortSignal.timeout(PATIENCE),
  }).catch(() => {
    throw new Trouble(word("away", address));
  });
  const answer = await response.json().catch(() => null);
  if (answer === null || typeof answer !== "object") throw new Trouble(word("no_pharos", address, response.status));
  if (response.status === 401) throw new Trouble(word("bad_token"));
  if (response.status === 403) throw new Trouble(word("no_write"));
  if (response.ok) return answer;
  throw new Trouble(answer.errors?.[0]?.msg ?? answer.detail ?? word("no_pharos", address, response.status));
}
