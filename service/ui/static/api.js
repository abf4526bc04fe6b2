// Calls of the JSON interface, as any program makes them; the session cookie says who asks.

import { text } from "./text.js";

/** What the server refused, in its own words. */
export class Refusal extends Error {
  constructor(status, detail) {
    super(detail);
    this.status = status;
  }
}

/** Turn an answer that is no success into a Refusal. */
export async function checked(response) {
  if (response.ok) return response;
  if (response.status === 401) throw new Refusal(401, text("signed.out"));
  const problem = await response.json().catch(() => ({}));
  throw new Refusal(response.status, problem.errors?.[0]?.msg ?? problem.detail ?? response.statusText);
}

/** Send `data` as JSON; return what is answered, and its status as `status`. */
export async function call(method, path, data) {
  const response = await reach(path, {
    method,
    headers: data === undefined ? {} : { "Content-Type": "application/json" },
    body: data === undefined ? undefined : JSON.stringify(data),
  });
  return response.status === 204 ? null : response.json();
}

/** POST a form, and tell which share of it is sent: `fetch` cannot; return what is answered. */
export function sendForm(path, data, progress) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("POST", path);
    request.upload.addEventListener("progress", (event) => event.lengthComputable && progress(event.loaded / event.total));
    request.addEventListener("load", () => {
      const response = new Response(request.responseText, { status: request.status });
      checked(response).then((answer) => answer.json()).then(resolve, reject);
    });
    request.addEventListener("error", () => reject(new Refusal(0, text("away"))));
    request.send(data);
  });
}

const turns = new WeakMap(); // of parts: when they were asked for
let turn = 0;

/** Read a part of a page as a document fragment. */
export async function part(path, options) {
  const mine = ++turn;
  const response = await reach(path, options);
  const template = document.createElement("template");
  template.innerHTML = await response.text();
  turns.set(template.content, mine);
  return template.content;
}

/** Return the place of an element's part in the order in which parts were asked for; undefined outside of parts. */
export function turnOf(element) {
  return turns.get(element.getRootNode());
}

async function reach(path, options) {
  try {
    return await checked(await fetch(path, options));
  } catch (error) {
    if (error instanceof TypeError) throw new Refusal(0, text("away"));
    throw error;
  }
}
