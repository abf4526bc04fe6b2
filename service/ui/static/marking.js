// Passages that somebody marks while reading: chosen in the text, kept in the library, shown where they stand.

import { call, Refusal } from "./api.js";
import { refresh } from "./resource.js";
import { text } from "./text.js";
import { announce, attempt, toast } from "./toast.js";

const FIELDS = "input, textarea, select, [contenteditable]";
const LETTER = /[\p{L}\p{N}]/u;

const page = document.getElementById("resource");
const path = `/resources/${page.dataset.id}/annotations`;
const bar = document.getElementById("mark-bar");
const dialog = document.getElementById("note-dialog");
let asking = null; // what the dialog's note is for: an annotation's id, or the passage to be marked

const prose = () => page.querySelector(".prose");

/** Return the letters and digits of a text, and where each stands: what the view and the stored text have in common. */
function lettersOf(words) {
  const at = [];
  let kept = "";
  let place = 0;
  for (const letter of words) {
    if (LETTER.test(letter)) {
      for (let unit = 0; unit < letter.length; unit += 1) at.push(place + unit);
      kept += letter;
    }
    place += letter.length;
  }
  return { kept, at };
}

/** Return the letters of the view, and in which text node and where each stands. */
function viewed() {
  const walker = document.createTreeWalker(prose(), NodeFilter.SHOW_TEXT);
  const at = [];
  let kept = "";
  while (walker.nextNode()) {
    const node = walker.currentNode;
    const found = lettersOf(node.data);
    kept += found.kept;
    for (const place of found.at) at.push([node, place]);
  }
  return { kept, at };
}

/** Return where `sought` stands in `letters`, of several places the nearest to `near`; -1: nowhere. */
function find(letters, sought, near) {
  if (!sought) return -1;
  const before = letters.lastIndexOf(sought, near);
  const after = letters.indexOf(sought, near);
  if (before < 0 || after < 0) return Math.max(before, after);
  return near - before <= after - near ? before : after;
}

const length = (words) => [...words].length; // in code points, as the library counts

/** Show each passage in the text in its colour; what is not found there stands in the list alone. */
function show() {
  if (!("highlights" in CSS)) return;
  for (const name of [...CSS.highlights.keys()].filter((name) => name.startsWith("mark-"))) CSS.highlights.delete(name);
  const marks = prose() ? [...page.querySelectorAll("#marks [data-mark]")] : [];
  const view = marks.length ? viewed() : null;
  for (const mark of marks) {
    const sought = lettersOf(mark.dataset.quote).kept;
    const first = find(view.kept, sought, Math.round(Number(mark.dataset.share) * view.kept.length));
    mark.querySelector("[data-go]").disabled = first < 0;
    if (first < 0) continue;
    const [[start, from], [end, to]] = [view.at[first], view.at[first + sought.length - 1]];
    const range = new Range();
    range.setStart(start, from);
    range.setEnd(end, to + 1);
    const name = `mark-${mark.dataset.colour}`;
    if (!CSS.highlights.has(name)) CSS.highlights.set(name, new Highlight());
    CSS.highlights.get(name).add(range);
    mark.range = range;
  }
}

/** Return what is chosen of the text; null where that is nothing. */
function chosen() {
  const selection = getSelection();
  if (!prose() || selection.isCollapsed || !selection.rangeCount) return null;
  const range = selection.getRangeAt(0);
  return prose().contains(range.commonAncestorContainer) && LETTER.test(range.toString()) ? range : null;
}

/** Return the passage of the stored text that is chosen in the view; raises Refusal where it stands there differently. */
async function passage(range) {
  const before = new Range();
  before.setStart(prose(), 0);
  before.setEnd(range.startContainer, range.startOffset);
  const [ahead, sought] = [lettersOf(before.toString()).kept.length, lettersOf(range.toString()).kept];
  const whole = lettersOf(prose().textContent).kept.length;
  const { content } = await call("GET", `/resources/${page.dataset.id}`);
  const stored = lettersOf(content);
  const first = find(stored.kept, sought, Math.round((ahead / whole) * stored.kept.length));
  if (first < 0) throw new Refusal(0, text("mark.nowhere"));
  const [from, to] = [stored.at[first], stored.at[first + sought.length - 1] + 1];
  const start = length(content.slice(0, from));
  const quote = content.slice(from, to);
  return { start, end: start + length(quote), quote };
}

async function mark(given) {
  await call("POST", path, given);
  await refresh();
  announce(text("mark.made"), String);
}

async function highlight() {
  const range = chosen();
  if (!range) return;
  const given = await passage(range);
  getSelection().removeAllRanges();
  await mark(given);
}

/** Ask for a note: to what is chosen, or to a passage that is marked. */
async function note(marked) {
  const range = marked ? null : chosen();
  if (!marked && !range) return;
  asking = marked ? marked.dataset.mark : await passage(range);
  dialog.querySelector("blockquote").textContent = marked ? marked.dataset.quote : asking.quote;
  dialog.querySelector("textarea").value = marked?.querySelector(".note")?.textContent ?? "";
  dialog.returnValue = "cancel";
  dialog.showModal();
  dialog.querySelector("textarea").focus();
}

async function remove(marked) {
  const { mark: id, quote } = marked.dataset;
  const kept = await call("GET", `/annotations/${id}`);
  if (kept.orphaned && !confirm(text("mark.sure"))) return;
  await call("DELETE", `/annotations/${id}`);
  await refresh();
  document.getElementById("marks")?.querySelector("button, h2")?.focus();
  const { start, end, note, tags, colour } = kept;
  const undo = { label: text("mark.undo"), act: () => attempt(() => mark({ start, end, note, tags, colour })) };
  toast(text("mark.gone", { quote: quote.length > 60 ? `${quote.slice(0, 60)}…` : quote }), kept.orphaned ? undefined : undo);
}

function go(marked) {
  const line = marked.range?.startContainer.parentElement;
  line?.scrollIntoView({ block: "center", behavior: matchMedia("(prefers-reduced-motion: reduce)").matches ? "instant" : "smooth" });
  getSelection().removeAllRanges();
  if (marked.range) getSelection().addRange(marked.range.cloneRange());
}

addEventListener("pharos:shown", show);
show();

page.addEventListener("click", (event) => {
  const marked = event.target.closest("[data-mark]");
  if (!marked) return;
  if (event.target.closest("[data-go]")) go(marked);
  if (event.target.closest("[data-note]")) attempt(() => note(marked));
  if (event.target.closest("[data-unmark]")) attempt(() => remove(marked));
});

if (bar) {
  document.addEventListener("selectionchange", () => (bar.hidden = !chosen()));
  bar.addEventListener("pointerdown", (event) => event.preventDefault()); // what is chosen stays chosen
  bar.addEventListener("click", (event) => {
    const kind = event.target.closest("[data-make]")?.dataset.make;
    if (kind) attempt(kind === "note" ? () => note() : highlight);
  });
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest(FIELDS)) return;
    const work = { h: highlight, n: () => note() }[event.key];
    if (!work || !chosen() || document.querySelector("dialog[open]")) return;
    event.preventDefault();
    attempt(work);
  });
  dialog.querySelector("[data-close]").addEventListener("click", () => dialog.close("cancel"));
  dialog.addEventListener("close", () => {
    if (dialog.returnValue !== "done") return;
    const words = dialog.querySelector("textarea").value.trim();
    attempt(async () => {
      if (typeof asking !== "string") {
        getSelection().removeAllRanges();
        return mark({ ...asking, note: words });
      }
      await call("PUT", `/annotations/${asking}`, { note: words });
      await refresh();
    });
  });
}
