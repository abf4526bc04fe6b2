"""A timetable of five seconds, for `periodiq tests.faults.timetable`."""

from functools import partial
from typing import Any

import periodiq

from schedules.clock import Clock
from tests.faults.program import TICK

SECONDS = 5


class EveryFiveSeconds:
    """Stands where a `CronSpec` would: periodiq knows no seconds, croniter has them last."""

    def __str__(self) -> str:
        return f"* * * * * */{SECONDS}"


SPEC: Any = EveryFiveSeconds()

periodiq.Scheduler = partial(Clock, [(SPEC, TICK)], [])
