// Feeds: follows one, looks at it, pauses it, leaves it; takes lists of other readers.

import { call, checked, part, Refusal } from "./api.js";
import { morph } from "./morph.js";
import { text } from "./text.js";
import { announce, attempt, toast } from "./toast.js";

const AGAIN = 700; // ms between looks while a feed is being read
const LONGEST = 60_000; // ms

const list = document.getElementById("feeds");
const form = document.getElementById("feed-form");
const followed = new Set(); // which are being looked at

async function refresh() {
  morph(list, (await part(location.pathname + location.search)).getElementById("feeds"));
  list.querySelectorAll("[data-refresh]").forEach((button) => {
    button.ariaBusy = String(followed.has(button.closest("[data-id]").dataset.id));
  });
}

/** Look until a feed was read again after `before`, and tell what came of it; the first time it may move elsewhere. */
async function follow(id, before, taken) {
  if (followed.has(id)) return;
  followed.add(id);
  await refresh();
  const until = Date.now() + LONGEST;
  while (Date.now() < until) {
    const feed = await call("GET", `/feeds/${id}`);
    if (feed.checked_at && feed.checked_at !== before) {
      followed.delete(id);
      await refresh();
      const found = text("feed.looked.new", { n: feed.taken - taken });
      if (feed.error) toast(text("feed.looked.failed", { title: feed.title }));
      else toast(before ? text("feed.looked", { title: feed.title, taken: found }) : text("feed.found", { title: feed.title }));
      return;
    }
    await new Promise((done) => setTimeout(done, AGAIN));
  }
  followed.delete(id);
  await refresh();
}

list.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  const row = button?.closest("[data-id]");
  if (!row) return;
  const { id, title, taken } = row.dataset;
  attempt(async () => {
    if ("refresh" in button.dataset) {
      const feed = await call("POST", `/feeds/${id}/refresh`);
      await follow(id, feed.checked_at, Number(taken));
    } else if ("pause" in button.dataset) {
      const paused = button.dataset.pause === "true";
      await call("PUT", `/feeds/${id}`, { paused });
      await refresh();
      document.querySelector(`#feed-${CSS.escape(id)} [data-pause]`).focus();
      announce(text(paused ? "feed.paused" : "feed.resumed"), String);
    } else if ("leave" in button.dataset) {
      await leave(id);
    }
  });
});

/** Leave a feed; until the line is gone, it can be followed again as it was. */
async function leave(id) {
  const { url, title, folder, collection_id, private: own } = await call("GET", `/feeds/${id}`);
  await call("DELETE", `/feeds/${id}`);
  if ("one" in list.dataset) history.replaceState(null, "", "/ui/feeds");
  await refresh();
  document.getElementById("main").focus();
  const again = () => attempt(async () => {
    const feed = await call("POST", "/feeds", { url, title, folder, collection_id, private: own });
    await follow(feed.id, null, 0);
  });
  toast(text("feed.left"), { label: text("feed.left.undo"), act: again });
}

form?.addEventListener("submit", async (event) => {
  event.preventDefault();
  const refusal = document.getElementById("feed-refusal");
  refusal.textContent = "";
  const { url, collection_id: collection, private: own } = form.elements;
  try {
    const asked = { url: url.value, collection_id: collection.value || null, private: own.checked };
    const feed = await call("POST", "/feeds", asked);
    form.reset();
    announce(text("feed.followed"), String);
    await follow(feed.id, null, 0);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    refusal.textContent = error.message;
    url.focus();
  }
});

list.addEventListener("change", async ({ target }) => {
  const [file] = target.id === "opml" ? target.files : [];
  if (!file) return;
  await attempt(async () => {
    const headers = { "Content-Type": "text/x-opml" };
    const answer = await (await checked(await fetch("/feeds/opml", { method: "POST", headers, body: file }))).json();
    await refresh();
    const { added, known, failed } = answer;
    const box = document.getElementById("opml-failed");
    box.hidden = failed.length === 0;
    box.querySelector("ul").replaceChildren(...failed.map(({ line, url, error }) => {
      return Object.assign(document.createElement("li"), { textContent: `${line}: ${url} – ${error}` });
    }));
    toast(text("feed.imported", { added, known, failed: failed.length }));
  });
  target.value = "";
});

for (const row of list.querySelectorAll('.feeds > [data-state="new"]')) attempt(() => follow(row.dataset.id, null, 0));
