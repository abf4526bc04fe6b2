// The bell in the frame: how many notifications are unread, live.

import { listen } from "./live.js";
import { text } from "./text.js";
import { announce } from "./toast.js";

const SOON = 300; // ms in which the first ones are gathered

const bell = document.getElementById("bell");
let timer = 0;

/** Read the count anew. */
export async function count() {
  clearTimeout(timer);
  timer = 0;
  const answer = await fetch("/notifications/count").catch(() => null);
  if (!answer?.ok) return;
  const { unread } = await answer.json();
  const badge = bell.querySelector(".badge");
  badge.hidden = unread === 0;
  badge.textContent = unread > 99 ? "99+" : unread;
  bell.setAttribute("aria-label", unread ? text("unread", { n: unread }) : bell.title);
}

if (bell) {
  const hear = (name, { title }) => {
    if (name !== "user.notification") return;
    announce(title, (n) => text("told.many", { n }));
    timer ||= setTimeout(count, SOON);
  };
  listen(null, hear, count);
}
