"""Threads that still start when the main thread has ended: a script may end with `consumer.start()`."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Thread
from typing import Any, TypeVar

Result = TypeVar("Result")


class Threads(ThreadPoolExecutor):
    """A thread for each call: a pool takes nothing any more from the end of the main thread on.

    Handlers of an event loop in another thread run here, and its look-ups of names.
    """

    def submit(self, fn: Callable[..., Result], /, *args: Any, **kwargs: Any) -> "Future[Result]":
        future: Future[Result] = Future()

        def run() -> None:
            try:
                result = fn(*args, **kwargs)
            except BaseException as error:
                future.set_exception(error)
            else:
                future.set_result(result)

        Thread(target=run, daemon=True).start()
        return future
