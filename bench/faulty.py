"""A Pharos some of whose tasks fail: `python -m bench.faulty` is its supervisor, `dramatiq bench.faulty` its workers.

The share FAULTS of all tries fails with an error that another try may not meet, half of them before the task has done
anything, half when it has done everything and is about to say so. The product knows nothing of this.
"""

import os
import random
import sys
from typing import Any

from dramatiq import Actor, Broker
from dramatiq.middleware import Middleware

from service.errors import PharosError
from service.settings import settings
from workers.supervisor import programs, supervisor
from workers.supervisor.programs import Program

FAULTS = "FAULTS"  # the variable that says which share of the tries fails


class InjectedFault(PharosError):
    """The benchmark lets this try of {task} fail."""

    transient = True


class Faults(Middleware):
    """Wraps every actor as soon as it is declared."""

    def __init__(self, share: float) -> None:
        self._share = share

    def after_declare_actor(self, broker: Broker, actor: Actor[..., Any]) -> None:
        """Let some of its tries fail."""
        function: Any = actor.fn  # Dramatiq's bridge to its own event loop; the engine awaits what is below
        coroutine = function.__wrapped__

        async def run(*args: Any, **kwargs: Any) -> Any:
            chance = random.random() / self._share
            if chance < 0.5:
                raise InjectedFault(task=actor.actor_name)
            result = await coroutine(*args, **kwargs)
            if chance < 1:
                raise InjectedFault(task=actor.actor_name)
            return result

        function.__wrapped__ = run


def worker(number: int) -> Program:
    """Return the `number`th worker."""
    command = (sys.executable, "-m", "dramatiq", "bench.faulty", "--processes", "1", "--threads", "1")
    return Program(f"worker-{number}", command)


if __name__ == "__main__":
    programs.worker = worker
    sys.exit(supervisor.run(settings()))
else:
    import workers
    from service.queue.broker import broker_of_process

    assert workers.ACTORS  # declared by being imported
    broker_of_process().add_middleware(Faults(float(os.environ[FAULTS])))
