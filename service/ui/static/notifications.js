// The list of notifications: read, delete, choose; new ones appear by themselves.

import { call, part, Refusal } from "./api.js";
import { count } from "./bell.js";
import { listen } from "./live.js";
import { morph } from "./morph.js";
import { text } from "./text.js";
import { announce, toast } from "./toast.js";

const SOON = 300; // ms in which the first ones are gathered
const list = document.getElementById("notifications");
let timer = 0;

async function refresh() {
  clearTimeout(timer);
  timer = 0;
  const fresh = (await part(location.href)).getElementById("notifications");
  morph(list, fresh);
  return fresh.dataset.position;
}

async function change(method, path, data) {
  try {
    const answer = await call(method, path, data);
    await Promise.all([refresh(), count()]);
    return answer;
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    toast(error.message);
    return null;
  }
}

/** Do something to one of the list, and leave the focus where it can go on. */
async function act(row, method, path) {
  const next = row.nextElementSibling ?? row.previousElementSibling;
  await change(method, path);
  const target = document.getElementById(row.id) ?? (next && document.getElementById(next.id));
  (target?.querySelector("h2 a, button") ?? document.getElementById("main")).focus();
}

list.addEventListener("click", (event) => {
  const row = event.target.closest("[data-id]");
  if (event.target.closest("[data-read-all]")) {
    change("POST", "/notifications/read-all").then((done) => done && announce(text("read.all")));
  } else if (event.target.closest("[data-read]")) act(row, "POST", `/notifications/${row.dataset.id}/read`);
  else if (event.target.closest("[data-delete]")) act(row, "DELETE", `/notifications/${row.dataset.id}`);
  else if (row && event.target.closest("h2 a")) {
    fetch(`/notifications/${row.dataset.id}/read`, { method: "POST", keepalive: true }).catch(() => {});
  }
});

document.getElementById("preferences").addEventListener("change", async (event) => {
  const box = event.target;
  const answer = await change("PUT", "/notifications/preferences", { [box.name]: box.checked });
  if (answer) announce(text("preferences.saved"));
  else box.checked = !box.checked;
});

listen(
  list.dataset.position,
  (name) => {
    if (name === "user.notification") timer ||= setTimeout(refresh, SOON);
  },
  refresh,
);
