"""The broker: what Dramatiq's command line, actors and middleware need to know about our queue."""

import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import dramatiq
from dramatiq import Broker, Message
from dramatiq.broker import MessageProxy
from dramatiq.errors import QueueJoinTimeout, QueueNotFound
from dramatiq.middleware import (
    AgeLimit,
    Callbacks,
    CurrentMessage,
    GroupCallbacks,
    Middleware,
    MiddlewareError,
    Pipelines,
)
from dramatiq.results import Results

from service.queue.link import NAMESPACE, blocking_client
from service.queue.options import DelayMiddleware, PriorityMiddleware
from service.queue.results import KeptResults
from service.queue.retries import Retries
from service.queue.scripting import Call, execute_blocking, script
from service.queue.send import Packed, check_size, not_json
from service.queue.task import Queue
from service.queue.wire import encode_message

if TYPE_CHECKING:
    import redis


class PharosBroker(Broker):
    """A broker on Redis whose messages are run by `Engine`; there are no consumers.

    Dramatiq's TimeLimit and ShutdownNotifications are left out: they raise into threads, here into the event loop.
    """

    def __init__(self, middleware: list[Middleware] | None = None) -> None:
        if middleware is None:
            middleware = [PriorityMiddleware(), DelayMiddleware(), AgeLimit(), Callbacks(), Pipelines()]
            middleware += [CurrentMessage(), Retries(), KeptResults(lambda: self.redis)]
        self._hooks: dict[str, list[Callable[..., None]]] = {}
        self._groups, self._results = False, list[Results]()  # middleware that waits for a server
        super().__init__(middleware)
        self.actor_options |= {"time_limit", "soft_limit"}
        self.carry: Callable[[Packed], bool] = lambda _: False  # an engine takes what is sent on its own loop
        self._local = threading.Lock()
        self._client: redis.Redis | None = None

    def add_middleware(self, middleware: Middleware, **place: type[Middleware] | None) -> None:
        super().add_middleware(middleware, **place)
        self._hooks = {}
        self._groups = any(isinstance(one, GroupCallbacks) for one in self.middleware)
        self._results = [
            one for one in self.middleware if isinstance(one, Results) and not isinstance(one, KeptResults)
        ]

    def emit_before(self, signal: str, *args: Any, **kwargs: Any) -> None:
        name = "before_" + signal
        for hook in self._hooks[name] if name in self._hooks else self._find_hooks(name):
            try:
                hook(self, *args, **kwargs)
            except MiddlewareError:
                raise
            except Exception:
                self.logger.critical("Unexpected failure in %s.", hook, exc_info=True)

    def emit_after(self, signal: str, *args: Any, **kwargs: Any) -> None:
        name = "after_" + signal
        for hook in self._hooks[name] if name in self._hooks else self._find_hooks(name):
            try:
                hook(self, *args, **kwargs)
            except Exception:
                self.logger.critical("Unexpected failure in %s.", hook, exc_info=True)

    def _find_hooks(self, name: str) -> list[Callable[..., None]]:
        # Dramatiq calls every middleware for every signal; most do nothing, and a task costs six signals.
        middleware = self.middleware if name.startswith("before_") else reversed(self.middleware)
        nothing = getattr(Middleware, name)
        hooks = [getattr(one, name) for one in middleware if getattr(type(one), name, None) is not nothing]
        self._hooks[name] = hooks
        return hooks

    def blocks(self, message: MessageProxy) -> bool:
        """Tell whether middleware waits for a server when this message has been processed: then not on the loop."""
        options = message.options
        if self._groups and "group_completion_uuid" in options:
            return True
        if not self._results:
            return False
        declared = self.get_actor(message.actor_name).options
        default = any(results.store_results for results in self._results)
        return options.get("store_results", declared.get("store_results", default))

    @property
    def redis(self) -> "redis.Redis":
        """The client for threads."""
        with self._local:
            if self._client is None:
                self._client = blocking_client()
            return self._client

    def declare_queue(self, queue_name: str) -> None:
        if queue_name not in self.queues:
            self.emit_before("declare_queue", queue_name)
            self.queues[queue_name] = Queue.named(queue_name)
            self.emit_after("declare_queue", queue_name)

    def enqueue(self, message: Message[Any], *, delay: int | None = None) -> Message[Any]:
        """Send a message, `delay` milliseconds from now.

        Raises BrokerAway, QueueNotFound where its queue is not declared, BadPriority, MessageTooLarge or NotJson.
        """
        if message.queue_name not in self.queues and message.queue_name not in Queue.registry:
            raise QueueNotFound(message.queue_name)
        # The id of a message is used once; one that is sent again from its own processing gets another.
        sent_before = "redis_message_id" in message.options
        redis_id = str(uuid4()) if sent_before else message.message_id
        message = message.copy(options={"redis_message_id": redis_id})
        self.emit_before("enqueue", message, delay)
        packed = pack_message(message, message.options.get("delay", 0) if delay is None else delay)
        if not self.carry(packed):
            execute_blocking(self.redis, Call(script("add"), packed))
        self.emit_after("enqueue", message, delay)
        return message

    def flush(self, queue_name: str) -> None:
        """Drop what waits in a queue, and what runs of it."""
        execute_blocking(self.redis, Call(script("flush"), [queue_name]))

    def flush_all(self) -> None:
        """Drop what waits in all declared queues."""
        for name in self.queues:
            self.flush(name)

    def join(self, queue_name: str, *, interval: int = 100, timeout: int | None = None) -> None:
        """Wait until a queue has neither waiting nor running messages; times are in milliseconds."""
        deadline = None if timeout is None else time.monotonic() + timeout / 1000
        while self.redis.hlen(f"{NAMESPACE}:{queue_name}.msgs"):
            if deadline is not None and time.monotonic() >= deadline:
                raise QueueJoinTimeout(queue_name)
            time.sleep(interval / 1000)

    def close(self) -> None:
        """Close the connections of threads."""
        with self._local:
            if self._client is not None:
                self._client.close()
                self._client = None


def pack_message(message: Message[Any], delay: int) -> Packed:
    """Return a message of Dramatiq's own, `delay` in milliseconds, as the script `add` takes it.

    Raises BadPriority, MessageTooLarge or NotJson.
    """
    name, redis_id = message.actor_name, message.options["redis_message_id"]
    lane = Queue.named(message.queue_name).lane(message.options.get("priority"))
    try:
        body = encode_message(message)
    except TypeError as error:
        raise not_json(name, message.kwargs, message.args, error) from error
    check_size(name, body)
    return [redis_id, name, lane, "", delay, delay, 0, "", "", body]


def broker_of_process() -> PharosBroker:
    """Return the broker of this process; the first call makes it Dramatiq's global one."""
    known = dramatiq.broker.global_broker
    if not isinstance(known, PharosBroker):
        known = PharosBroker()
        dramatiq.set_broker(known)
    return known
