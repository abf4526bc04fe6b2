// The event stream of the server: goes on where the page was rendered, rests while the tab is hidden.

const NAMES = [
  "ingestion.started", "ingestion.progressed", "ingestion.completed", "ingestion.failed", "ingestion.stalled",
  "document.uploaded", "resource.created", "resource.updated", "resource.content_changed", "resource.metadata_changed",
  "resource.deleted", "search.index_updated", "embedding.generated", "quiz.requested", "quiz.generation.started",
  "quiz.generation.progress", "quiz.generated", "quiz.generation.failed", "quiz.question_replaced",
];
const HIDDEN = 10_000; // ms after which a hidden tab gives its connection back
const RETRY = 5_000; // ms, for answers after which the browser does not try again by itself

/**
 * Call `hear(name, data)` for each event after `position`. After a rest, `catchUp()` reads the page as it is now and
 * returns the position that it stands for, so that nobody has to be told what happened in a day.
 */
export function listen(position, hear, catchUp) {
  let source = null;
  let timer = 0;

  function open() {
    clearTimeout(timer);
    if (source) return;
    source = new EventSource(`/events/stream?last_event_id=${position}`);
    for (const name of NAMES) {
      source.addEventListener(name, (event) => {
        position = event.lastEventId;
        hear(name, JSON.parse(event.data).data);
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
      position = await catchUp();
      open();
    } catch {
      timer = setTimeout(wake, RETRY);
    }
  }

  document.addEventListener("visibilitychange", () => {
    clearTimeout(timer);
    if (document.hidden) timer = setTimeout(rest, HIDDEN);
    else wake();
  });
  addEventListener("pagehide", rest); // or the page could not be kept for going back
  addEventListener("pageshow", (event) => event.persisted && wake());
  open();
}
