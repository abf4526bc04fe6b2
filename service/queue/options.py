"""The options `priority` and `delay`, of actors and of messages.

Dramatiq's own number of an actor runs the other way: 0 is the most urgent, and what it means unless given. Here the
actor's queue says how urgent it is; a higher number of Dramatiq's ranks an actor below its queue.
"""

from typing import Any

from dramatiq import Message
from dramatiq.broker import Broker
from dramatiq.middleware import Middleware, MiddlewareError

from service.queue.task import Queue, checked


class BadDelay(MiddlewareError):
    """A delay that is no whole number of milliseconds, or negative."""


class PriorityMiddleware(Middleware):
    """`priority`, 0 to 9, of a message or of its actor; 9 starts first, and the queue's own is meant unless given."""

    @property
    def actor_options(self) -> set[str]:
        return {"priority"}

    def before_declare_actor(self, broker: Broker, actor: Any) -> None:
        if "priority" in actor.options:
            checked(actor.options["priority"])

    def before_enqueue(self, broker: Broker, message: Message[Any], delay: int | None) -> None:
        actor = broker.actors.get(message.actor_name)
        priority = message.options.get("priority")
        if priority is None and actor is not None:
            priority = actor.options.get("priority")
            if priority is None and actor.priority:
                priority = min(max(Queue.named(message.queue_name).priority - actor.priority, 0), 9)
        if priority is not None:
            message.options["priority"] = priority


class DelayMiddleware(Middleware):
    """`delay`, milliseconds, of an actor's messages where the sender gives none."""

    @property
    def actor_options(self) -> set[str]:
        return {"delay"}

    def before_declare_actor(self, broker: Broker, actor: Any) -> None:
        delay = actor.options.get("delay", 0)
        if type(delay) is not int or delay < 0:
            raise BadDelay(f"{actor.actor_name}: delay={delay!r} is no whole number of milliseconds")

    def before_enqueue(self, broker: Broker, message: Message[Any], delay: int | None) -> None:
        actor = broker.actors.get(message.actor_name)
        if delay is None and actor is not None and "delay" in actor.options:
            message.options["delay"] = actor.options["delay"]
