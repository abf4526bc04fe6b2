// The event stream of the server: one for each tab, whoever listens in it. It goes on where the page was rendered, and
// rests while the tab is hidden.

const NAMES = [
  "ingestion.started", "ingestion.progressed", "ingestion.completed", "ingestion.failed", "ingestion.stalled",
  "document.uploaded", "document.processing", "document.processed", "document.failed", "indexing.started",
  "indexing.progress", "indexing.completed", "indexing.failed", "indexing.stale", "resource.created",
  "resource.updated", "resource.content_changed", "resource.metadata_changed", "resource.deleted", "resource.restored",
  "search.index_updated", "embedding.generated", "quiz.requested", "quiz.generation.started",
  "quiz.generation.progress", "quiz.generated", "quiz.generation.failed", "quiz.question_replaced",
  "quiz.session.submitted", "user.notification", "import.requested", "import.progressed", "import.completed",
  "import.failed",
];
const HIDDEN = 10_000; // ms after which a hidden tab gives its connection back
const RETRY = 5_000; // ms, for answers after which the browser does not try again by itself

const listeners = [];
let position = null; // what was heard last; null: nobody has said from where, so from now
let source = null;
let timer = 0;
let begun = false;

/**
 * Call `hear(name, data)` for each event after `from`. After a rest, `catchUp()` reads the page as it is now and returns
 * the position that it stands for, so that nobody has to be told what happened in a day. Without a `from` (null), it is
 * called whenever the stream opens.
 */
export function listen(from, hear, catchUp) {
  listeners.push({ hear, catchUp, placed: from !== null });
  if (from !== null) position = position === null ? Number(from) : Math.min(position, from);
  if (begun) {
    rest();
    open();
  } else if (document.readyState === "complete") begin();
}

/** Hear events of these names as well; to be called before the page is complete. */
export function hearAlso(names) {
  NAMES.push(...names.filter((name) => !NAMES.includes(name)));
}

function begin() {
  if (begun || !listeners.length) return;
  begun = true;
  document.addEventListener("visibilitychange", () => {
    clearTimeout(timer);
    if (document.hidden) timer = setTimeout(rest, HIDDEN);
    else wake();
  });
  addEventListener("pagehide", rest); // or the page could not be kept for going back
  addEventListener("pageshow", (event) => event.persisted && wake());
  open();
}

function open() {
  clearTimeout(timer);
  if (source) return;
  source = new EventSource(position === null ? "/events/stream" : `/events/stream?last_event_id=${position}`);
  source.addEventListener("open", () => {
    for (const { catchUp, placed } of listeners) if (!placed) catchUp();
  });
  for (const name of NAMES) {
    source.addEventListener(name, (event) => {
      position = Number(event.lastEventId);
      const { data } = JSON.parse(event.data);
      for (const { hear } of listeners) hear(name, data);
    });
  }
  source.addEventListener("error", () => {
    if (source?.readyState !== EventSource.CLOSED) return; // the browser reconnects
    rest();
    timer = setTimeout(wake, RETRY);
    fetch("/users/me").then((answer) => answer.status === 401 && location.reload(), () => {}); // to the sign-in page
  });
}

function rest() {
  source?.close();
  source = null;
}

async function wake() {
  clearTimeout(timer);
  if (source) return;
  try {
    const positions = await Promise.all(listeners.filter(({ placed }) => placed).map(({ catchUp }) => catchUp()));
    position = positions.length ? Math.min(...positions) : null;
    open();
  } catch {
    timer = setTimeout(wake, RETRY);
  }
}

document.addEventListener("DOMContentLoaded", begin); // when the modules of the page have said who listens
addEventListener("load", begin);
