"""Running one message: decode, the middleware's signals, the actor, and what follows from how it ended."""

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from functools import partial
from inspect import iscoroutinefunction
from typing import Any, NamedTuple
from uuid import UUID

import orjson
import structlog
from dramatiq import ActorNotFound, Message
from dramatiq.middleware import SkipMessage

from service import logs
from service.errors import PharosError
from service.events import Event
from service.queue import dead_letters, figures, ledger
from service.queue.broker import PharosBroker
from service.queue.dead_letters import Failed
from service.queue.delivery import Again, Delivery, Done, Outcome, Run
from service.queue.progress import reporting
from service.queue.reasons import Reason
from service.queue.retries import OUTAGE_CAP, GiveUp, TryAgain, pause
from service.queue.state import CANCELLED, SUCCEEDED
from service.queue.task import priority_of, queue_of
from service.queue.wire import Undecodable, decode, encode_message

log = structlog.get_logger(__name__)

LIMIT = 1800.0  # seconds; of actors that declare none
SOFT = 5 / 6  # of its limit, after which a task is cancelled: 25 of 30 minutes
STARTS = 3  # deliveries without an outcome, after which a message counts as poison


class TimeLimitExceeded(PharosError):
    """The task ran longer than its limit of {limit:g} s and was cancelled."""

    transient = True


class TaskStuck(PharosError):
    """The task was cancelled after {soft:g} s and still runs at its limit of {limit:g} s: its worker gave it up."""

    transient = True


class WorkerLost(PharosError):
    """The worker process ended {starts} times while it ran this task."""


class ResultNotJson(PharosError):
    """The task returned something that is not JSON: {reason}."""


class Rejected(PharosError):
    """A middleware rejected the task before it started."""


class Runner:
    """Runs claims on the current event loop, functions that are no coroutines in threads."""

    def __init__(self, broker: PharosBroker, threads: int) -> None:
        self._broker = broker
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="actor")
        self._actors: dict[str, tuple[Callable[..., Any], bool, float, float]] = {}

    def close(self) -> None:
        """Let the threads end with what they do."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def run(self, run: Run) -> Outcome:
        """Process a claim and return what becomes of it; raises CancelledError when it is handed back."""
        claim = run.claim
        try:
            message = decode(claim.body)
        except Undecodable as error:
            body = {"body": claim.body[:1000].decode("utf-8", "replace")}
            failed = Failed(claim.id.decode("utf-8", "replace"), "?", queue_of(claim.lane.decode()), body, 0)
            outcome = await _buried(failed, error, Reason.PERMANENT) or Again(OUTAGE_CAP, 0, str(error), claim.body)
            self._note(run, outcome, time.monotonic() - run.begun, None)
            return outcome
        run.name = message.actor_name
        if claim.keys is not None:
            message.kwargs[message.options["gathers"]] = sorted(key.decode() for key in claim.keys)
        facts = _facts(run, message) if logs.tasks() else None
        if facts is not None:
            logs.work("task started", __name__, facts)
        outcome = await self._outcome(run, Delivery(message))
        seconds = time.monotonic() - run.begun
        if "accepted" in message.options and isinstance(outcome, Done):
            await ledger.ended(message, outcome, seconds)
        self._note(run, outcome, seconds, facts)
        return outcome

    def _note(self, run: Run, outcome: Outcome, seconds: float, facts: dict[str, Any] | None) -> None:
        task = run.name if run.name in self._actors else figures.UNKNOWN
        figures.count(queue_of(run.claim.lane.decode()), task, outcome, seconds)
        if facts is not None:
            status = figures.status_of(outcome)
            facts |= {"duration_ms": round(seconds * 1000, 2), "success": status == SUCCEEDED, "status": status}
            logs.work("task ended", __name__, facts)

    async def _outcome(self, run: Run, delivery: Delivery) -> Outcome:
        claim, message = run.claim, delivery.message
        if claim.deliveries > STARTS:
            lost = claim.deliveries - 1
            return await self._give_up(message, WorkerLost(starts=lost), Reason.POISON, lost, deliveries=lost)
        try:
            function, awaitable, run.soft, run.limit = self._resolve(message.actor_name)
        except ActorNotFound as error:
            return await self._give_up(message, error, Reason.UNKNOWN_TASK, 0)
        run.delivery = delivery
        if "accepted" in message.options:
            await ledger.started(message)
        return await self._process(run, delivery, function, awaitable)

    async def give_up_on(self, run: Run) -> Outcome:
        """Return what becomes of a claim whose task does not end, though it was cancelled."""
        delivery = run.delivery
        assert delivery is not None  # it has a limit, so its actor is known
        outcome = await self._given_up(run, delivery)
        seconds = time.monotonic() - run.begun
        if "accepted" in delivery.message.options and isinstance(outcome, Done):
            await ledger.ended(delivery.message, outcome, seconds)
        self._note(run, outcome, seconds, _facts(run, delivery.message) if logs.tasks() else None)
        return outcome

    async def _given_up(self, run: Run, delivery: Delivery) -> Outcome:
        if run.cancelled is not None:
            return Done(run.name, CANCELLED)
        error = TaskStuck(soft=run.soft, limit=run.limit)
        delivery.stuff_exception(error)
        await self._after("process_message", delivery, exception=error)
        return await self._conclude(delivery, error, b"")

    def _resolve(self, name: str) -> tuple[Callable[..., Any], bool, float, float]:
        known = self._actors.get(name)
        if known is None:
            actor = self._broker.get_actor(name)
            coroutine = getattr(actor.fn, "__wrapped__", None)  # below Dramatiq's bridge to its own event loop
            awaitable = iscoroutinefunction(coroutine)
            limit = actor.options.get("time_limit", LIMIT * 1000) / 1000
            soft = actor.options.get("soft_limit", limit * SOFT * 1000) / 1000
            known = self._actors[name] = coroutine if awaitable else actor.fn, awaitable, soft, limit
        return known

    async def _process(self, run: Run, delivery: Delivery, function: Callable[..., Any], awaitable: bool) -> Outcome:
        broker, message, result = self._broker, delivery.message, b""
        error: BaseException | None = None
        reporting(run)
        try:
            broker.emit_before("process_message", delivery)
            value = None
            if not delivery.failed:
                if awaitable:
                    value = await function(*message.args, **message.kwargs)
                else:
                    call = partial(copy_context().run, _settled, function, *message.args, **message.kwargs)
                    value = await asyncio.get_running_loop().run_in_executor(self._threads, call)
                    if isinstance(value, _Raised):
                        raise value.error
                result = _encoded(value)
            if run.given_up or run.cancelled is not None:
                raise asyncio.CancelledError
            run.over = True
            if broker.blocks(delivery):
                await self._after("process_message", delivery, result=value)
            else:  # nearly always: without one more coroutine
                broker.emit_after("process_message", delivery, result=value)
        except SkipMessage as skip:
            error = skip
            if delivery.failed:
                delivery.stuff_exception(skip)
            run.over = True
            await self._after("skip_message", delivery)
        except BaseException as raised:  # also SystemExit: an actor must not end its worker
            if run.handed_back or run.given_up:
                raise
            run.over = True
            if run.cancelled is not None:
                delivery.fail()
                await self._after("skip_message", delivery)
                if run.reporter is not None:
                    await run.reporter.close()
                return Done(message.actor_name, CANCELLED)
            error = TimeLimitExceeded(limit=run.soft).with_traceback(raised.__traceback__) if run.overdue else raised
            delivery.stuff_exception(error)
            await self._after("process_message", delivery, exception=error)
            if delivery.verdict is None:  # nobody could judge it, and what failed must not count as done
                delivery.fail()
        try:
            if run.reporter is not None:
                await run.reporter.close()
            return await self._conclude(delivery, error, result)
        finally:
            delivery.clear_exception()  # it would keep every frame of the task alive
            reporting(None)  # or the run, its task and this context would wait for the garbage collector

    async def _conclude(self, delivery: Delivery, error: BaseException | None, result: bytes) -> Outcome:
        message, verdict = delivery.message, delivery.verdict
        failed: int = message.options.get("retries", 0)
        if isinstance(verdict, TryAgain):
            assert error is not None
            said = dead_letters.describe(error)
            delay = round(verdict.delay, 1)
            log.warning("task failed", task=message.actor_name, id=message.message_id, error=said, again_in_s=delay)
            if verdict.counts:
                await ledger.retried(message, error, said, failed, delay)
            milliseconds = round(verdict.delay * 1000)
            self._broker.emit_before("enqueue", message, milliseconds)  # as where Dramatiq's own retries send it again
            outcome = Again(verdict.delay, failed, said, encode_message(message))
            self._broker.emit_after("enqueue", message, milliseconds)
        elif delivery.failed:
            reason = verdict.reason if isinstance(verdict, GiveUp) else Reason.PERMANENT
            self._broker.emit_before("nack", delivery)
            outcome = await self._give_up(message, error or Rejected(), reason, failed + 1)
            await self._after("nack", delivery)
            return outcome
        else:
            outcome = Done(message.actor_name, SUCCEEDED, result)
        self._broker.emit_before("ack", delivery)
        self._broker.emit_after("ack", delivery)
        return outcome

    async def _after(self, signal: str, delivery: Delivery, **outcome: Any) -> None:
        if self._broker.blocks(delivery):
            await asyncio.to_thread(self._broker.emit_after, signal, delivery, **outcome)
        else:
            self._broker.emit_after(signal, delivery, **outcome)

    async def _give_up(
        self, message: Message[Any], error: BaseException, reason: Reason, attempts: int, deliveries: int = 0
    ) -> Outcome:
        failed = Failed.of(message, attempts)
        told = ledger.failed(message, error, dead_letters.describe(error), attempts, reason)
        outcome = await _buried(failed, error, reason, told)
        if outcome is not None:
            return outcome
        outages: int = message.options.get("outages", 0)
        message.options["outages"] = outages + 1
        said = dead_letters.describe(error)
        return Again(pause(1.0, outages, OUTAGE_CAP), attempts, said, encode_message(message), deliveries)


async def _buried(
    failed: Failed, error: BaseException, reason: Reason, told: tuple[Event, UUID | None] | None = None
) -> Done | None:
    """Put a task to the dead letters; None where the database does not take it: the message must stay."""
    said = dead_letters.describe(error)
    try:
        await dead_letters.bury(failed, error, reason, told)
    except Exception as trouble:
        log.exception("dead letter not written", task=failed.name, id=failed.task_id, error=said, trouble=repr(trouble))
        return None
    log.error("task given up", task=failed.name, id=failed.task_id, reason=reason.value, error=said, exc_info=error)
    return Done(failed.name, "failed", error=said)


def _facts(run: Run, message: Message[Any]) -> dict[str, Any]:
    resource_id = message.kwargs.get("resource_id")
    return {
        "task_id": message.message_id,
        "name": message.actor_name,
        "resource_id": resource_id if isinstance(resource_id, str) else None,
        "priority": priority_of(run.claim.lane.decode()),
        "correlation_id": message.options.get("correlation_id"),
    }


class _Raised(NamedTuple):
    error: BaseException


def _settled(function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    try:
        return function(*args, **kwargs)
    except BaseException as error:  # a future takes no StopIteration, and waits for ever
        return _Raised(error)


def _encoded(value: Any) -> bytes:
    if value is None:
        return b""
    try:
        return orjson.dumps(value)
    except TypeError as error:
        raise ResultNotJson(reason=error) from error
