"""Why a task is given up."""

from enum import StrEnum


class Reason(StrEnum):
    """What made a task a dead letter."""

    PERMANENT = "permanent"  # its error says that another try is of no use
    EXHAUSTED = "exhausted"  # it failed as often as it may
    POISON = "poison"  # its worker died each time
    UNKNOWN_TASK = "unknown_task"  # nobody here runs tasks of this name
