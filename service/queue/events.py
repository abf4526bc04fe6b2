"""What happens to tasks. Those that a person asked for tell everything; all others only that they fail."""

from uuid import UUID

from service.events import Event, EventPriority, SystemEvent


class BackgroundTaskStarted(Event):
    """A worker begins with a task that a person asked for; `attempts` counts this one."""

    name = SystemEvent.BACKGROUND_TASK_STARTED
    priority = EventPriority.LOW

    task_id: str  # a stock producer may use any text
    task_name: str
    queue: str
    attempts: int


class BackgroundTaskCompleted(Event):
    """A task that a person asked for has succeeded, after `duration_seconds` of its last attempt."""

    name = SystemEvent.BACKGROUND_TASK_COMPLETED
    priority = EventPriority.LOW

    task_id: str
    task_name: str
    queue: str
    attempts: int
    duration_seconds: float


class BackgroundTaskFailed(Event):
    """A task is given up (`permanent`, `exhausted`, `poison`, `unknown_task`), or somebody cancelled it (`cancelled`).

    Everybody may hear of a task that no person asked for, so its `error` is the name of a class only.
    """

    name = SystemEvent.BACKGROUND_TASK_FAILED
    priority = EventPriority.HIGH

    task_id: str
    task_name: str
    queue: str
    attempts: int
    error: str
    reason: str


class BackgroundTaskRetry(Event):
    """A task has failed, and is tried again in `delay_seconds`; not told while the database or Redis is away."""

    name = SystemEvent.BACKGROUND_TASK_RETRY

    task_id: str
    task_name: str
    queue: str
    attempts: int
    error: str
    delay_seconds: float


class TaskStatusUpdate(Event):
    """How a person's task stands, for programs beside Pharos; told by `service.broadcast`, and never logged."""

    name = SystemEvent.TASK_STATUS_UPDATE

    task_id: str
    user_id: UUID
    task_type: str
    status: str  # started, processing, retrying, completed, failed, cancelled
    progress: int | None  # percent
    message: str
