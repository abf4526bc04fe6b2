"""The monthly training: once for the same labels, off the loop, and all is predicted anew by what it made."""

import asyncio
from uuid import UUID

import numpy as np
import pytest
from sqlalchemy import func, select, text, update

from schedules import TIMETABLE
from service.database import reading, transaction
from service.outbox import OutboxRow
from service.queue.offload import in_process
from service.resources.tables import Resource
from service.security.accounts import Account
from service.tasks import RETRAIN
from service.taxonomy import models, predictions, training
from service.taxonomy.classifier import Trained
from service.taxonomy.contest import Outcome, contest
from service.taxonomy.tables import ClassificationModel
from tests.taxonomy.conftest import about, classify, grow, label, towards, written

pytestmark = pytest.mark.integration


async def retrain() -> int | None:
    """Run what the task RETRAIN runs."""
    async with reading() as session:
        lessons = await training.lessons(session)
    if lessons is None:
        return None
    outcome = await in_process(contest, lessons)
    async with transaction() as session:
        return await training.keep(session, lessons, outcome)


async def labelled(owner: Account, number: int) -> list[UUID]:
    """Label resources of two categories in turn; return one of each that is not labelled."""
    sea, sky = await grow(owner, "Sea", "Sky")
    for at in range(number):
        vector = towards(at % 2, 2 + at % 7, lean=[2, 1])
        await label(owner, await about(owner, vector, f"Text {at}"), (sea, sky)[at % 2])
    return [await about(owner, towards(place)) for place in (0, 1)]


async def test_a_model_is_trained_once_and_recorded_with_its_figures(ada: Account) -> None:
    first, second = await labelled(ada, 60)
    for id in (first, second):
        await classify(id)
    before = (await written(first))[0].model
    assert await retrain() == 1
    assert await retrain() is None
    async with reading() as session:
        model = await session.get_one(ClassificationModel, 1)
        total, listed = await models.trained(session, 25, 0)
        told = await session.scalar(select(OutboxRow.data).where(OutboxRow.name == "classification.model_trained"))
    assert (model.kind, model.accuracy, model.macro_f1, model.labels, model.classes) == ("centroid", 1, 1, 60, 2)
    assert set(model.contest) == {"centroid", "logistic_regression"}
    assert (total, listed[0]["active"]) == (1, True)
    assert told == {"model": 1, "kind": "centroid", "accuracy": 1, "macro_f1": 1, "labels": 60}
    async with transaction() as session:
        await session.execute(update(Resource).values(updated_at=func.now() - text("interval '1 hour'")))
    async with transaction() as session:
        assert await predictions.announce_stale(session, limit=10) == 10
    assert await classify(first)
    assert (await written(first))[0].model != before


async def test_two_runs_at_once_make_one_model(ada: Account) -> None:
    await labelled(ada, 60)
    assert sorted(await asyncio.gather(retrain(), retrain()), key=str) == [1, None]
    async with reading() as session:
        assert await session.scalar(select(func.count()).select_from(ClassificationModel)) == 1


async def test_too_few_labels_train_nothing(ada: Account) -> None:
    await labelled(ada, 20)
    assert await retrain() is None


async def test_a_regression_that_won_predicts_and_can_be_taken_back(ada: Account) -> None:
    first, _ = await labelled(ada, 60)
    async with reading() as session:
        lessons = await training.lessons(session)
    assert lessons is not None
    ids = sorted(set(lessons.categories))  # a model that always says the other one
    swapped = Trained(ids, np.stack([-20 * lessons.priors[id] for id in ids]), lessons.vectors[:2, 0] * 0)
    figures = {"logistic_regression": {"accuracy": 0.9, "macro_f1": 0.9}}
    async with transaction() as session:
        number = await training.keep(
            session, lessons, Outcome("logistic_regression", figures, 60, 12, 2, swapped.packed())
        )
    assert number == 1
    await classify(first)
    by_regression = [row.category_id for row in await written(first)]
    async with transaction() as session:
        await models.activate(session, ada, 0)
    assert await classify(first)
    assert [row.category_id for row in await written(first)] == by_regression[::-1]


def test_it_runs_on_the_first_of_each_month() -> None:
    assert [(str(when), task.queue.name) for when, task in TIMETABLE if task is RETRAIN] == [("0 0 1 * *", "batch")]
