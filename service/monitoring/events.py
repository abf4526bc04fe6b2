"""What operators ask for."""

from service.events import Event, SystemEvent


class ScheduleRunRequested(Event):
    """An operator wants a task of the timetable to run now; its slots stay as they are."""

    name = SystemEvent.SCHEDULE_RUN_REQUESTED

    schedule: str  # the name of its task
