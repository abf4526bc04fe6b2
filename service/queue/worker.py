"""The engine inside the `dramatiq` command: its command line gives process, signals, logging and modules."""

import asyncio
import ctypes
import os
import signal
import sys
import threading
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING, Any

import structlog
from dramatiq import Broker, Worker
from dramatiq.middleware import Middleware

from service.heap import keep_one_heap
from service.queue.broker import PharosBroker
from service.queue.link import connected
from service.settings import settings

if TYPE_CHECKING:
    from service.queue.engine import Engine

log = structlog.get_logger(__name__)

PR_SET_PDEATHSIG = 1  # prctl(2)
ENDED = 15.0  # seconds beyond the grace after which a worker that cannot stop is ended

Resources = Callable[[], AbstractAsyncContextManager[None]]


class EngineBoot(Middleware):
    """Starts an engine instead of Dramatiq's consumers and threads, on an event loop in a thread of its own.

    `load` imports the actors; `resources` is open, on the engine's loop, while tasks run.
    """

    def __init__(self, load: Callable[[], None], resources: Resources) -> None:
        self._load, self._resources = load, resources
        self._thread: EngineThread | None = None
        self._queues: set[str] | None = None

    def after_process_boot(self, broker: Broker) -> None:
        keep_one_heap()
        try:
            self._load()
        except Exception:
            # Dramatiq would log this and go on, and a worker without actors takes every task for unknown.
            log.exception("actors cannot be imported")
            sys.exit(2)

    def before_worker_boot(self, broker: Broker, worker: Worker) -> None:
        self._queues = worker.consumer_whitelist
        worker.consumer_whitelist = {""}  # no consumers ...
        worker.worker_threads = 0  # ... and no threads

    def after_worker_boot(self, broker: Broker, worker: Worker) -> None:
        from service.queue.engine import Engine  # loads what only workers need

        assert isinstance(broker, PharosBroker)
        configuration = settings()
        engine = Engine(
            broker,
            concurrency=configuration.worker_concurrency,
            grace=configuration.worker_grace,
            queues=self._queues,
        )
        self._thread = EngineThread(engine, self._resources)
        self._thread.start()
        if getattr(signal.getsignal(signal.SIGTERM), "__module__", None) == "dramatiq.cli":
            _end_with_parent()
            self._take_signals(worker, self._thread)

    def before_worker_shutdown(self, broker: Broker, worker: Worker) -> None:
        if self._thread is not None:
            self._thread.stop()

    def _take_signals(self, worker: Worker, thread: "EngineThread") -> None:
        # Dramatiq's own handler waits out a sleep of a second, and exits past the event loop at the second signal.
        def stop(signum: int, frame: Any) -> None:
            if thread.stopping:
                thread.hurry()
                return
            worker.stop()
            worker.broker.close()
            thread.exit()

        signal.signal(signal.SIGTERM, stop)
        signal.signal(signal.SIGHUP, stop)
        signal.signal(signal.SIGUSR1, lambda signum, frame: thread.retire())


class EngineThread(threading.Thread):
    """Runs an engine and its resources; ends the process when they fail, so that it is restarted."""

    def __init__(self, engine: "Engine", resources: Resources) -> None:
        super().__init__(name="engine", daemon=True)
        self._engine, self._resources = engine, resources
        self.stopping = self.failed = False

    def run(self) -> None:
        import uvloop

        loop = uvloop.new_event_loop()
        asyncio.set_event_loop(loop)
        try:
            loop.run_until_complete(self._run())
        except BaseException:
            self.failed = True
            log.critical("engine failed", exc_info=True)
        if not self.stopping:  # nobody has asked for it: it has failed, or retired
            os.kill(os.getpid(), signal.SIGTERM)

    async def _run(self) -> None:
        async with connected(), self._resources():
            await self._engine.run()

    def stop(self) -> None:
        """Stop the engine, and return when it has ended or will not."""
        self.stopping = True
        self._engine.stop()
        self.join(settings().worker_grace + ENDED)

    def retire(self) -> None:
        """Let the engine finish what runs, and end the process then."""
        self._engine.retire()

    def hurry(self) -> None:
        """Cut the grace short."""
        self._engine.stop()

    def exit(self) -> None:
        """End the process; threads that hang do not keep it."""
        status = 1 if self.failed else 0
        if self.is_alive() or any(not t.daemon and t is not threading.main_thread() for t in threading.enumerate()):
            os._exit(status)
        sys.exit(status)


def _end_with_parent() -> None:
    """Get a SIGTERM when Dramatiq's main process dies, however it dies."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
