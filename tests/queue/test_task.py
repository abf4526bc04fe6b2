"""Requests for tasks: derived ids, slots, lanes."""

from uuid import UUID, uuid5

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from service.queue import Dispatch, Queue, Task
from service.queue.task import KeyMissing
from tests.queue.conftest import NORMAL, dispatch

EVENT = UUID("6f1c1ad2-9a8e-4f0e-8a55-3f0d6a1c9b11")
KEYED = Task("embed", NORMAL, key="resource_id")


def test_the_id_of_a_message_follows_from_event_task_and_key() -> None:
    one = dispatch(KEYED, EVENT, resource_id="a")
    assert one.message_id == dispatch(KEYED, EVENT, resource_id="a", after=5).message_id
    assert one.message_id != dispatch(KEYED, EVENT, resource_id="b").message_id
    assert one.message_id != dispatch(Task("index", NORMAL, key="resource_id"), EVENT, resource_id="a").message_id


@given(st.uuids(), st.text())
def test_the_id_is_the_uuid_of_the_rfc(event_id: UUID, key: str) -> None:
    assume(key.isprintable())
    assert dispatch(KEYED, event_id, resource_id=key).message_id == uuid5(event_id, f"embed {key}")


def test_a_slot_is_shared_by_task_and_key() -> None:
    assert dispatch(KEYED, resource_id="a").slot == "embed/a"
    assert dispatch(KEYED, resource_id="a", batch=10).slot == "embed/*"
    assert dispatch(Task("free", NORMAL), resource_id="a").slot == ""


def test_a_missing_key_is_named() -> None:
    with pytest.raises(KeyMissing, match=r"embed is one per resource_id, but its arguments name none: \{'other': 1\}"):
        _ = Dispatch(KEYED, {"other": 1}, EVENT).message_id


def test_bulk_work_has_a_lane_of_its_own_that_ranks_below_every_queue() -> None:
    urgent, batch = Queue.named("urgent"), Queue.named("batch")
    (_, rank, work), (lane, bulk_rank, bulk_work) = urgent.lanes()
    assert (rank, work, lane, bulk_work) == (9, "u", "urgent:bulk", "b")
    assert bulk_rank < batch.lanes()[0][1]
