"""The engine: takes messages, runs their actors on one event loop, and settles them.

The actors run while a hop to Redis is under way, so that its time is not lost. An idle engine sleeps until its bell
rings, a task ends, or something is due.
"""

import asyncio
import os
import socket
import time
from collections.abc import Collection, Set
from contextlib import suppress
from functools import partial
from math import inf
from typing import Any
from uuid import uuid4

import psutil
import structlog

from service.queue import figures
from service.queue.bell import listen
from service.queue.broker import PharosBroker
from service.queue.cancel import heed
from service.queue.delivery import Again, Claim, Outcome, Run
from service.queue.exchange import Exchange, Left
from service.queue.heartbeat import DEAD, Heartbeat
from service.queue.lanes import Lanes, Load
from service.queue.link import BrokerAway
from service.queue.retries import OUTAGE_CAP, pause
from service.queue.runner import Runner
from service.queue.scripting import Call, execute, script
from service.queue.send import Packed
from service.queue.task import Queue
from service.queue.unit import Watchdog, wear

log = structlog.get_logger(__name__)

IDLE = 0.25  # seconds after which an idle engine looks by itself: stock producers ring no bell, nor do new delays
PATIENCE = 0.1  # seconds that a claim waits for a place, before it is handed back for others to take
TEND = 1.0  # seconds between looks after dead workers, orphans, and what stock producers delayed
WATCH = 0.5  # seconds between looks after tasks that run beyond their limit
PROMOTE = 500  # messages per queue that become due in one call
CANCELLED = 2.0  # seconds that cancelled tasks get to clean up


class Engine:
    """Runs the tasks of some queues (None: of all that are declared) until `stop()`.

    `concurrency` is what each class of work may fill (see `Load`); `grace` is how long running tasks may go on after a
    stop, in seconds: then they are cancelled and handed back.
    """

    def __init__(
        self, broker: PharosBroker, *, concurrency: int, grace: float, queues: Collection[str] | None = None
    ) -> None:
        self.id = uuid4().hex
        self.idle = False
        self.broker, self._grace = broker, grace
        # Also those without an actor here: what nobody can run must become a dead letter, and not wait for ever.
        known: dict[str, Queue] = Queue.registry | broker.queues
        declared = [queue for name, queue in known.items() if not queues or name in queues]
        self._queues = sorted(queue.name for queue in declared)
        self._lanes, self._load = Lanes(declared), Load(concurrency)
        self._runner = Runner(broker, self._load.most)
        self._running: dict[bytes, Run] = {}
        self._waiting: dict[bytes, Run] = {}  # for a place
        self._orphans: Set[bytes] = frozenset()
        self._started_at = time.time()
        self._hops = Exchange(self.id, self._lanes, self._load)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._wake = asyncio.Event()
        self._stopping = self._hurried = False
        self._next_tending = self._next_due = 0.0

    # What others may call

    async def run(self) -> None:
        """Work until `stop()`; then finish, hand back what did not finish, and sign off."""
        self._loop = asyncio.get_running_loop()
        self.broker.carry = self._carry
        heartbeat = Heartbeat(self.id, self.profile)
        heartbeat.start()
        watchdog = Watchdog(self.running)
        running = self._listen(), self._watch(), heed(self.id, self._running), wear(self), watchdog.watch()
        chores = [asyncio.create_task(chore) for chore in (*running, figures.telling())]
        log.info("worker takes tasks", worker=self.id, queues=self._queues, concurrency=self._load.concurrency)
        try:
            await self._work()
            await self._finish(heartbeat)
        finally:
            for chore in chores:
                chore.cancel()
            await asyncio.wait(chores)  # the figures of the last seconds are told
            self.broker.carry = lambda _: False
            self._runner.close()
            heartbeat.stop()

    def stop(self) -> None:
        """Stop, from any thread; a second call cuts the grace short."""
        if self._loop is None:
            self._stopping = True
        elif not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._stop)

    def retire(self) -> None:
        """Take nothing more, from any thread, and stop when what runs has ended, however long that takes."""
        self._grace = inf
        if not self._stopping:
            self.stop()

    def running(self) -> list[str]:
        """Return the names of the tasks that run now; safe to call from another thread."""
        return [run.name for run in list(self._running.values())]

    def _stop(self) -> None:
        self._hurried = self._stopping
        self._stopping = True
        self._wake.set()

    @property
    def processed(self) -> int:
        """How many tasks have ended here, as far as Redis knows."""
        return self._hops.processed

    def profile(self) -> dict[str, Any]:
        """Describe this worker for `GET /workers/status`; safe to call from another thread."""
        now, running = time.monotonic(), list(self._running.values())
        return {
            "host": socket.gethostname(),
            "pid": os.getpid(),
            "queues": self._queues,
            "tasks": sorted(self.broker.actors),
            "concurrency": self._load.concurrency,
            "active": [
                {"task_id": run.claim.id.decode(), "name": run.name, "running_s": round(now - run.begun, 3)}
                for run in running
            ],
            "processed": self.processed,
            "failed": self._hops.failed,
            "load": round(os.getloadavg()[0] / (os.cpu_count() or 1), 2),
            "rss_mb": round(psutil.Process().memory_info().rss / 2**20, 1),
            "started_at": self._started_at,
        }

    def _carry(self, message: Packed) -> bool:
        """Take what a middleware sends on this loop along with the next exchange, before the acknowledgements."""
        try:
            if asyncio.get_running_loop() is not self._loop:
                return False
        except RuntimeError:  # a thread without a loop
            return False
        self._hops.send(message)
        self._wake.set()
        return True

    # The loop

    async def _work(self) -> None:
        failures = 0
        assert self._loop is not None
        while not self._stopping:
            self._wake.clear()
            try:
                left = await self._exchange(take=True)
                now = self._loop.time()
                if now >= self._next_due and await self._promote():
                    left = max(left, Left.MORE)
                if now >= self._next_tending:
                    await self._tend()
                if self._waiting:
                    self._turn_away(after=PATIENCE)
                failures = 0
            except BrokerAway as error:
                if failures == 0:
                    log.warning("worker waits for Redis", worker=self.id, error=str(error))
                await asyncio.sleep(pause(0.1, failures, 1.0))
                failures += 1
                continue
            if left is Left.SHARED:
                await asyncio.sleep(0)  # one that blocks this loop must not find more in its hands
            elif left is Left.NOTHING:
                self.idle = not self._running
                await self._sleep(min(IDLE, self._next_due - now))
                self.idle = False

    async def _sleep(self, seconds: float) -> None:
        assert self._loop is not None
        timer = self._loop.call_later(seconds, self._wake.set)
        await self._wake.wait()
        timer.cancel()

    async def _exchange(self, *, take: bool) -> Left:
        claims, left = await self._hops.hop(take=take)
        for claim in claims:
            self._receive(claim)
        return left

    # Tasks

    def _receive(self, claim: Claim) -> None:
        if self._stopping:
            self._hops.hand_back(claim.id, claim.lane)
            return
        lane = claim.lane.decode()
        run = Run(claim, self._lanes.work(lane), lane.endswith(":suspect"))
        admitted = self._load.admits(run.work)
        self._load.add(run.work, 1, suspect=run.suspect)
        if admitted:
            self._start(run)
        else:
            self._load.waiting[run.work] += 1
            self._waiting[claim.id] = run

    def _start(self, run: Run) -> None:
        self._running[run.claim.id] = run
        run.task = asyncio.create_task(self._runner.run(run))
        run.task.add_done_callback(partial(self._ended, run))

    def _let_in(self) -> None:
        for id, run in list(self._waiting.items()):
            if self._load.admits(run.work):
                del self._waiting[id]
                self._load.waiting[run.work] -= 1
                run.begun = time.monotonic()
                self._start(run)

    def _turn_away(self, after: float = 0.0) -> None:
        now = time.monotonic()
        for id, run in list(self._waiting.items()):
            if now - run.begun >= after:
                del self._waiting[id]
                self._load.waiting[run.work] -= 1
                self._load.add(run.work, -1, suspect=run.suspect)
                self._hops.hand_back(id, run.claim.lane)
                self._wake.set()

    def _ended(self, ended: Run, task: asyncio.Task[Outcome]) -> None:
        if ended.given_up:
            log.warning("task that was given up has ended", task=ended.name, id=ended.claim.id.decode())
        else:
            self._end(ended, task)

    def _end(self, ended: Run, task: asyncio.Task[Outcome]) -> None:
        claim = ended.claim
        self._running.pop(claim.id, None)
        self._load.add(ended.work, -1, suspect=ended.suspect)
        if self._waiting:
            self._let_in()
        self._wake.set()
        if task.cancelled():
            self._hops.hand_back(claim.id, claim.lane)
            return
        error = task.exception()
        if error is None:
            outcome = task.result()
        else:
            log.critical("engine failed to run a task", id=claim.id.decode(), exc_info=error)
            outcome = Again(OUTAGE_CAP, 0, repr(error), claim.body, claim.deliveries)
        self._hops.settle(claim, outcome)
        if isinstance(outcome, Again):
            self._next_due = min(self._next_due, asyncio.get_running_loop().time() + outcome.delay)

    # Chores, which any engine does for all

    async def _promote(self) -> bool:
        assert self._loop is not None
        [(moved, next_due)] = await execute(Call(script("promote"), [PROMOTE, *self._queues]))
        wait = IDLE if next_due < 0 else min(max(next_due / 1000, 0.005), IDLE)
        self._next_due = self._loop.time() + wait
        return moved > 0

    async def _tend(self) -> None:
        assert self._loop is not None
        self._next_tending = self._loop.time() + TEND
        adopt, reap = Call(script("adopt"), self._queues), Call(script("reap"), [round(DEAD * 1000)])
        _, dead, held = await execute(adopt, reap, Call(script("held"), [self.id]))
        if dead:
            log.warning("tasks of dead workers are queued again", workers=[worker.decode() for worker in dead])
        # No hop is under way here: what we hold and do not know came with a reply that was lost for good.
        known = self._running.keys() | self._waiting.keys() | self._hops.settles()
        lost = {id: lane for id, lane in zip(held[::2], held[1::2], strict=True) if id not in known}
        again, self._orphans = lost.keys() & self._orphans, lost.keys()  # the bell may be about to bring it
        for id, lane in lost.items():
            if id in again:
                log.warning("message without an owner is handed back", id=id.decode(), worker=self.id)
                self._hops.hand_back(id, lane)
                self._wake.set()

    async def _watch(self) -> None:
        while True:  # not a timer per task: each would cost it more than its own bookkeeping
            await asyncio.sleep(WATCH)
            now = time.monotonic()
            for run in list(self._running.values()):
                if now - run.begun > run.soft and not (run.overdue or run.over) and run.task is not None:
                    run.overdue = True
                    run.task.cancel()
                if now - run.begun > run.limit and not run.given_up:
                    log.error("task does not end, and is given up", task=run.name, id=run.claim.id.decode())
                    run.given_up = True
                    giving_up = asyncio.create_task(self._runner.give_up_on(run))
                    giving_up.add_done_callback(partial(self._end, run))

    def _rung(self, handed: Claim | None) -> None:
        if handed is not None and handed.id not in self._orphans:
            self._receive(handed)
        self._wake.set()

    async def _listen(self) -> None:
        while True:
            try:
                await listen(self.id, self._rung)
            except BrokerAway:
                await asyncio.sleep(pause(0.2, 0, 1.0))

    # The end

    async def _finish(self, heartbeat: Heartbeat) -> None:
        assert self._loop is not None
        self._turn_away()
        end = self._loop.time() + self._grace
        while self._running and not self._hurried and (left := end - self._loop.time()) > 0:
            self._wake.clear()
            if await self._settled():
                await self._sleep(min(left, TEND))
        for started in list(self._running.values()):
            started.handed_back = True
            assert started.task is not None
            started.task.cancel()
        if tasks := [started.task for started in self._running.values() if started.task is not None]:
            await asyncio.wait(tasks, timeout=CANCELLED)
        for stuck in self._running.values():
            log.warning("task does not end, and is handed back", task=stuck.name, id=stuck.claim.id.decode())
            self._hops.hand_back(stuck.claim.id, stuck.claim.lane)
        end = self._loop.time() + CANCELLED
        while not await self._settled() and self._loop.time() < end:
            pass
        await asyncio.to_thread(heartbeat.stop)  # first: a beat after the farewell would call this worker back to life
        with suppress(BrokerAway):
            await execute(Call(script("leave"), [self.id, *self._lanes.names]))
        log.info("worker has stopped", worker=self.id, processed=self.processed)

    async def _settled(self) -> bool:
        try:
            await self._exchange(take=False)
        except BrokerAway:
            await asyncio.sleep(0.2)
            return False
        return True
