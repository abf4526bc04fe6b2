"""Events for programs beside Pharos: what is committed is told on Redis, and they may tell each other theirs.

Owns no table. Emits nothing into the outbox, and nothing that comes from outside enters it: see docs/broadcast.md.

names.py          event types, and the names of channels and streams
payloads.py       what an event's data hold, by type and version; text ids, since outside programs have their own
wire.py           an event as JSON, and back
statuses.py       `task.status.update`: what the queue tells of a task, in the words of listeners
forwarding.py     the log -> the stream and the channels, in every process that runs a relay

publisher.py      EventPublisher, AsyncEventPublisher: events of other programs
consumer.py       EventConsumer: handlers by type, in a thread or on an event loop
subscriptions.py  which handlers an event has, and calling them
hearing.py        plain pub/sub: what is told while one listens
durable.py        a consumer group: acknowledged, tried again, taken over from who is lost
hand.py           what one consumer of it has in hand
gaps.py           what a group was too late for
threads.py        for handlers that are no coroutines
groups.py         ConsumerGroup: its dead letters, and reading again from a time
__main__.py       `python -m service.broadcast` prints events

    log --position > last--> broadcast.lua --XADD----> pharos_events:stream --XREADGROUP--> handlers --XACK-->
                                           '-PUBLISH-> pharos_events:{type} --> whoever listens now
    EventPublisher ------------------------> pharos_events:outside, and the same channels
"""

from service.broadcast.consumer import EventConsumer
from service.broadcast.gaps import Gap
from service.broadcast.groups import ConsumerGroup, DeadEvent
from service.broadcast.names import EventType
from service.broadcast.publisher import AsyncEventPublisher, BadEvent, EventPublisher
from service.broadcast.wire import BroadcastEvent

__all__ = [
    "AsyncEventPublisher",
    "BadEvent",
    "BroadcastEvent",
    "ConsumerGroup",
    "DeadEvent",
    "EventConsumer",
    "EventPublisher",
    "EventType",
    "Gap",
]
