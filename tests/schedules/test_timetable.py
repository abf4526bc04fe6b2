"""The timetable itself: every line means the same to two implementations of cron."""

from datetime import UTC, datetime, timedelta

import periodiq
import pytest
from croniter import croniter
from periodiq import CronSpec, cron

import schedules
from schedules.clock import Clock, slot_before, slots_between
from service.tasks import RECONCILE

LINES = [(str(spec), task.name) for spec, task in schedules.TIMETABLE]


def test_periodiqs_command_runs_our_clock() -> None:
    clock = periodiq.Scheduler(actors=[])
    assert isinstance(clock, Clock)


def test_each_task_stands_there_once() -> None:
    names = [name for _, name in LINES]
    assert len(names) == len(set(names))
    assert RECONCILE in schedules.AT_ONCE


@pytest.mark.parametrize(("spec", "task"), LINES)
def test_periodiq_and_croniter_agree(spec: str, task: str) -> None:
    assert not spec.endswith(" 0"), f"{task}: Sunday is 7 here"
    declared = CronSpec.parse(spec)
    for start in (datetime(2024, 2, 28), datetime(2025, 12, 31), datetime(2026, 3, 29), datetime(2026, 10, 25)):
        day = start.replace(tzinfo=UTC)
        slots = set(slots_between(declared, day - timedelta(minutes=1), day + timedelta(days=1)))
        for minute in range(24 * 60):
            instant = day + timedelta(minutes=minute)
            assert declared.validate(instant) == (instant in slots), instant
        coming = croniter(spec, day)
        for slot in [coming.get_next(datetime) for _ in range(50)]:
            assert declared.validate(slot), slot


@pytest.mark.parametrize("spec", ["0 2 * * *", "0 3 * * 7", "0 0 1 * *", "0 4 * * *", "30 1 29 2 *", "0 */6 * * 6,7"])
def test_five_years_by_croniter_are_five_years_by_periodiq(spec: str) -> None:
    """Over summer times, year ends and a 29 February; the minutes between are looked at around each slot."""
    declared = cron(spec)
    slots = list(
        slots_between(declared, datetime(2023, 12, 31, 23, 59, tzinfo=UTC), datetime(2028, 12, 31, tzinfo=UTC))
    )
    assert len(slots) >= 2
    assert all(declared.validate(slot) for slot in slots)
    assert not any(declared.validate(slot + timedelta(minutes=offset)) for slot in slots for offset in (-1, 1))
    days = {slot.date() for slot in slots}
    noons = (datetime(2024, 1, 1, tzinfo=UTC) + timedelta(days=day) for day in range(5 * 365))
    hours = {slot.time() for slot in slots}
    for day in noons:
        named = any(declared.validate(datetime.combine(day, hour, UTC)) for hour in hours)
        assert named == (day.date() in days), day


def test_slots_of_a_sunday_and_of_a_leap_day() -> None:
    weekly, leap = cron("0 3 * * 7"), cron("0 0 29 2 *")
    monday = datetime(2026, 11, 23, 12, tzinfo=UTC)
    assert slot_before(weekly, monday) == datetime(2026, 11, 22, 3, tzinfo=UTC)
    assert list(slots_between(weekly, monday - timedelta(days=15), monday)) == [
        datetime(2026, 11, 15, 3, tzinfo=UTC),
        datetime(2026, 11, 22, 3, tzinfo=UTC),
    ]
    assert slot_before(leap, monday) == datetime(2024, 2, 29, tzinfo=UTC)


def test_a_slot_counts_from_its_own_instant() -> None:
    five, slot = cron("*/5 * * * *"), datetime(2026, 11, 23, 12, 5, tzinfo=UTC)
    assert slot_before(five, slot) == slot
    assert slot_before(five, slot - timedelta(microseconds=1)) == slot - timedelta(minutes=5)
    assert list(slots_between(five, slot, slot + timedelta(minutes=5))) == [slot + timedelta(minutes=5)]
