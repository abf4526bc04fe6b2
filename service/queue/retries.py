"""Another try or the dead letters: decided by the class of the error."""

import random
from collections.abc import Callable
from dataclasses import dataclass
from traceback import walk_tb
from typing import TYPE_CHECKING, Any

import dramatiq
from dramatiq.broker import Broker, MessageProxy
from dramatiq.middleware import Middleware

from service.errors import PharosError
from service.queue.reasons import Reason

if TYPE_CHECKING:
    from service.queue.delivery import Delivery

CAP = 600.0  # seconds; the longest pause between two tries
OUTAGE_CAP = 30.0  # seconds; the longest pause while the database or Redis is away
RETRIES = 3  # of actors that declare none
BACKOFF = 5.0  # seconds; of actors that declare none

# The classes are named, not imported: who raises one has loaded its library, and nobody else needs to.
OUTAGES = {
    "redis.exceptions.ConnectionError",
    "redis.exceptions.TimeoutError",
    "service.database.DatabaseClosed",
    "service.inference.InferenceOutage",
    "service.queue.link.BrokerAway",
    "service.pool.PoolExhausted",
    "service.pool.NoMoreConnections",
    "asyncpg.exceptions.TooManyConnectionsError",
    "asyncpg.exceptions.PostgresConnectionError",
    "asyncpg.exceptions.OperatorInterventionError",  # the server shuts down, or is starting
}
PERMANENT = {"pydantic_core._pydantic_core.ValidationError"}


@dataclass(frozen=True, slots=True)
class TryAgain:
    """Repeat the task in `delay` seconds; `counts` says whether this was one of its attempts."""

    delay: float
    counts: bool


@dataclass(frozen=True, slots=True)
class GiveUp:
    """Put the task to the dead letters."""

    reason: Reason


@dataclass(frozen=True, slots=True)
class Policy:
    """How often a task may be tried again (None: without end), and the pauses between its tries in seconds.

    `when`, asked with the number of failed attempts before this one and the error, decides instead of the number.
    """

    retries: int | None = RETRIES
    backoff: float = BACKOFF
    cap: float = CAP
    when: Callable[[int, BaseException], bool] | None = None

    def allows(self, failed: int, error: BaseException) -> bool:
        """Tell whether a task that failed before, and now with this error, may be tried again."""
        if self.when is not None:
            return self.when(failed, error)
        return self.retries is None or failed < self.retries


def judge(error: BaseException, policy: Policy, failed: int, outages: int) -> TryAgain | GiveUp:
    """Decide what follows `error`, after `failed` attempts and `outages` before it."""
    if is_outage(error):
        return TryAgain(pause(1.0, outages, OUTAGE_CAP), counts=False)
    if _among(error, PERMANENT) or (isinstance(error, PharosError) and not error.transient):
        return GiveUp(Reason.PERMANENT)
    if not policy.allows(failed, error):
        return GiveUp(Reason.EXHAUSTED)
    if isinstance(error, dramatiq.Retry) and error.delay is not None:
        return TryAgain(error.delay / 1000, counts=True)
    asked_for = error.context.get("retry_after", 0) if isinstance(error, PharosError) else 0
    return TryAgain(max(pause(policy.backoff, failed, policy.cap), asked_for), counts=True)


def is_outage(error: BaseException) -> bool:
    """Tell whether the database or Redis was away, which is not the task's fault."""
    if isinstance(error, OSError):  # from a socket, but whose? A page's server is not the database
        modules = (frame.f_globals.get("__name__", "") for frame, _ in walk_tb(error.__traceback__))
        return any(module.startswith("asyncpg.") for module in modules)
    if getattr(error, "connection_invalidated", False):  # SQLAlchemy's
        return True
    driver_error = getattr(getattr(error, "orig", None), "__cause__", None)
    return _among(error, OUTAGES) or (driver_error is not None and _among(driver_error, OUTAGES))


def pause(base: float, failed: int, cap: float) -> float:
    """Return an exponential pause: `base` doubled `failed` times, `cap` at most, less up to a fifth of it as jitter."""
    return min(base * 2 ** min(failed, 30), cap) * random.uniform(0.8, 1)


def _among(error: BaseException, names: set[str]) -> bool:
    return any(f"{kind.__module__}.{kind.__qualname__}" in names for kind in type(error).__mro__)


class Retries(Middleware):
    """Judges failures. Takes the place, and the options in milliseconds, of Dramatiq's middleware of this name."""

    @property
    def actor_options(self) -> set[str]:
        return {"max_retries", "min_backoff", "max_backoff", "throws", "retry_when", "on_retry_exhausted"}

    def after_process_message(
        self, broker: Broker, message: MessageProxy, *, result: Any = None, exception: BaseException | None = None
    ) -> None:
        if exception is None:
            return
        delivery: Delivery = message  # pyright: ignore[reportAssignmentType]  # only our engine processes messages
        options: dict[str, Any] = {**broker.get_actor(message.actor_name).options, **message.options}
        failed = options.get("retries", 0)
        throws = options.get("throws")
        if throws and isinstance(exception, throws):
            verdict = GiveUp(Reason.PERMANENT)
        else:
            policy = Policy(
                retries=options.get("max_retries", RETRIES),
                backoff=options.get("min_backoff", BACKOFF * 1000) / 1000,
                cap=options.get("max_backoff", CAP * 1000) / 1000,
                when=options.get("retry_when"),
            )
            verdict = judge(exception, policy, failed, options.get("outages", 0))
        delivery.verdict = verdict
        if isinstance(verdict, TryAgain):
            count = "retries" if verdict.counts else "outages"
            message.options[count] = message.options.get(count, 0) + 1
            return
        message.fail()
        if verdict.reason is Reason.EXHAUSTED and (heir := options.get("on_retry_exhausted")):
            tried = {"retries": failed, "max_retries": options.get("max_retries", RETRIES)}
            broker.get_actor(heir).send(message.asdict(), tried)
