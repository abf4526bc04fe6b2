"""`message.get_result()`, groups and pipelines over the results that the engine keeps beside each task anyway."""

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import orjson
from dramatiq import Message
from dramatiq.middleware import Middleware
from dramatiq.results import ResultBackend, ResultFailure, ResultMissing, Results, ResultTimeout

from service.queue.link import NAMESPACE
from service.queue.state import CANCELLED, FAILED, SUCCEEDED

if TYPE_CHECKING:
    import redis

TIMEOUT = 10_000  # milliseconds to wait for a result
POLLS = (0.01, 0.2)  # seconds between two looks, at first and at most


class TaskResults(ResultBackend):
    """Reads what the scripts keep for an hour; there is nothing to store. For threads: on an event loop it blocks."""

    def __init__(self, client: "Callable[[], redis.Redis]") -> None:
        super().__init__()
        self._client = client

    def get_result(self, message: Message[Any], *, block: bool = False, timeout: int | None = None) -> Any:
        deadline = time.monotonic() + (TIMEOUT if timeout is None else timeout) / 1000
        pause, most = POLLS
        while True:
            status, result, error = self._look(message.options.get("redis_message_id", message.message_id))
            if status == SUCCEEDED:
                return None if result is None else orjson.loads(result)
            if status in (FAILED, CANCELLED):
                kind, _, said = (error or status).partition(": ")
                raise ResultFailure(f"actor raised {error or status}", kind, said)
            if not block:
                raise ResultMissing(message)
            if time.monotonic() >= deadline:
                raise ResultTimeout(message)
            time.sleep(pause)
            pause = min(pause * 2, most)

    def _look(self, task_id: str) -> tuple[str, bytes | None, str | None]:
        fields: list[bytes | None] = self._client().hmget(f"{NAMESPACE}:task:{task_id}", "s", "r", "e", "into")  # pyright: ignore[reportAssignmentType]
        status, result, error, into = fields
        if into is not None:
            return self._look(into.decode())
        return (status or b"").decode(), result, None if error is None else error.decode()


class KeptResults(Results):
    """Takes Dramatiq's options for results, and stores nothing: the acknowledgement carries the result."""

    def __init__(self, client: "Callable[[], redis.Redis]") -> None:
        super().__init__(backend=TaskResults(client), store_results=True)

    after_process_message = Middleware.after_process_message
    after_skip_message = Middleware.after_skip_message
    after_nack = Middleware.after_nack
