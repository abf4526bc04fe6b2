"""From sending to the end of a task, against a real server."""

from uuid import UUID, uuid4

from service.events import current_origin
from service.queue import Task, actor, send
from tests.queue.conftest import NORMAL, Work, dispatch, until

GREET = Task("greet", NORMAL)


async def test_runs_what_is_sent_with_validated_arguments_and_its_origin(working: Work) -> None:
    seen: list[tuple[UUID, int, str, UUID | None, bool]] = []

    @actor(GREET)
    async def greet(resource_id: UUID, times: int) -> None:
        origin = current_origin()
        seen.append((resource_id, times, origin.correlation_id, origin.cause, origin.bulk))

    resource_id, event_id = uuid4(), uuid4()
    async with working():
        await send(
            [dispatch(GREET, event_id, resource_id=str(resource_id), times="3", correlation_id="abc", bulk=True)]
        )
        await until(lambda: seen)
    assert seen == [(resource_id, 3, "abc", event_id, True)]
