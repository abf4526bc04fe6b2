"""What must not run on the event loop: computations, in processes that can be ended."""

from collections.abc import Callable
from typing import TypeVar, TypeVarTuple

from anyio import to_process

Result = TypeVar("Result")
Arguments = TypeVarTuple("Arguments")


async def in_process(function: Callable[[*Arguments], Result], *arguments: *Arguments) -> Result:
    """Run a function of a module, without state, in one of a pool of processes, as many as there are cores.

    Arguments and result are pickled. A task that is cancelled, as at its limit, ends the process that computes for it.
    Raises what the function raises, and BrokenWorkerProcess where the process dies.
    """
    return await to_process.run_sync(function, *arguments, cancellable=True)
