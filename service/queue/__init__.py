"""The queue: tasks, their way through Redis, and the engine that runs them.

task.py          Queue, Task, Bound, Dispatch: what slices know of it
send.py          send(): into the queue, in Dramatiq's wire format
actors.py        @actor(TASK): what runs a task
state.py         how one task stands; browse.py: how many do
progress.py      progress(current, total, message), from any actor
ledger.py        tasks that a person asked for: their rows, and what is told of tasks (events.py)
cancel.py        ending what waits and what runs
results.py       message.get_result(), over what the engine keeps
status.py        how queues and workers stand
timetable.py     who keeps the timetable, and which slots are done

scripts/*.lua    every change in Redis, one script each; shared.lua holds the names of all keys
scripting.py     calling them
link.py          the connection to Redis
wire.py          messages as bytes
broker.py        what Dramatiq needs to know
worker.py        the engine inside the `dramatiq` command
unit.py          wearing out, retiring, standing still
engine.py        takes, runs, settles; promotes what is due; hands back at the end
exchange.py      one hop to Redis: what has ended out, what is next in
inline.py        tasks without a broker, in the process that asks for them
options.py       priority and delay, of actors and of messages
layout.py        which lanes are in use, which queues are paused
lanes.py         order of the lanes, room for each class of work
offload.py       computations in processes
runner.py        one message: signals, actor, outcome
delivery.py      claim, message, outcome
heartbeat.py     signs of life
bell.py          what wakes an idle engine
figures.py       how many tasks ended how, and how long they took (durations.py): in all, and in which minute
retries.py       another try or a dead letter
reasons.py       why a task is given up
dead_letters.py, tables.py    what failed for good, in PostgreSQL; tables.py also holds the ledger
requeue.py       its way back

    life of a task:  scheduled -> queued -> running -> succeeded
                         ^                    |------> retrying (scheduled again)
                         |                    |------> failed (a dead letter) --requeued--> another task
                         |---------------------------> cancelled, wherever it is
                         +-- coalesces here   '------> its worker is lost: queued again, three times at most
"""

from service.queue.actors import actor, sender
from service.queue.layout import pause, resume
from service.queue.link import BrokerAway, connected
from service.queue.offload import in_process
from service.queue.progress import progress
from service.queue.send import send
from service.queue.state import TaskState, task_state
from service.queue.status import (
    QueueStatus,
    WorkerStatus,
    eviction_policy,
    lost_workers,
    ping,
    queue_status,
    worker_status,
)
from service.queue.task import Bound, Dispatch, Queue, Task
from service.queue.timetable import scheduler_age, schedules

__all__ = [
    "Bound",
    "BrokerAway",
    "Dispatch",
    "Queue",
    "QueueStatus",
    "Task",
    "TaskState",
    "WorkerStatus",
    "actor",
    "connected",
    "eviction_policy",
    "in_process",
    "lost_workers",
    "pause",
    "ping",
    "progress",
    "queue_status",
    "resume",
    "scheduler_age",
    "schedules",
    "send",
    "sender",
    "task_state",
    "worker_status",
]
