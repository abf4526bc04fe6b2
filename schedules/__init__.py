"""THE TIMETABLE, in UTC, and the entry point of `periodiq schedules`.

Sunday is 7: periodiq takes a 0 for a day that never comes.
"""

from functools import partial

import periodiq
from periodiq import cron

from schedules.clock import Clock
from service.queue import sender
from service.tasks import (
    BACKUP,
    CLEAN,
    CLEAN_FILES,
    CUT,
    CUT_ENTRIES,
    DEGRADATION,
    FIND_DIGESTS,
    LOOK,
    OUTLIERS,
    PURGE,
    RECONCILE,
    REMIND,
    RETRAIN,
    WARM,
    WATCH,
)

TIMETABLE = [
    # minute hour day month weekday
    (cron("*/5 * * * *"), RECONCILE),
    (cron("*/5 * * * *"), WATCH),
    (cron("*/5 * * * *"), LOOK),
    (cron("*/5 * * * *"), FIND_DIGESTS),
    (cron("20 * * * *"), CLEAN_FILES),
    (cron("30 1 * * *"), BACKUP),
    (cron("0 2 * * *"), DEGRADATION),
    (cron("0 3 * * 7"), OUTLIERS),
    (cron("30 4 * * *"), CUT),
    (cron("40 4 * * *"), PURGE),
    (cron("50 4 * * *"), CUT_ENTRIES),
    (cron("0 5 * * *"), REMIND),
    (cron("0 0 1 * *"), RETRAIN),
    (cron("0 4 * * *"), CLEAN),
]
AT_ONCE = [RECONCILE, WARM]  # also when the timetable starts, and when Redis was emptied

for when, task in TIMETABLE:
    sender(task, periodic=when)

periodiq.Scheduler = partial(Clock, TIMETABLE, AT_ONCE)
