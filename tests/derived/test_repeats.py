"""Every task of THE TABLE, run twice in a row and two at once, leaves the rows that one run leaves."""

import asyncio
from io import BytesIO
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text

from service import storage
from service.batches import actions as batches
from service.database import reading, transaction
from service.documents import actions as documents
from service.queue import Task
from service.quizzes import actions as quizzes
from service.quizzes.actions import Wanted
from service.quizzes.drafts import TYPES
from service.resources import actions as resources
from service.security.accounts import Account
from service.tasks import (
    ANCHOR,
    AUTHORS,
    BACKUP,
    CITE,
    CLASSIFY,
    CLEAN,
    CLEAN_FILES,
    CUT,
    CUT_ENTRIES,
    DEGRADATION,
    DELIVER,
    DIGEST,
    EMBED,
    FIND_DIGESTS,
    GENERATE,
    GRAPH,
    IMPORT,
    INDEX,
    INDEX_DOCUMENT,
    INGEST,
    INVALIDATE,
    LABEL,
    LOOK,
    LOOK_UP,
    MEAN,
    OUTLIERS,
    POLL,
    PROCESS,
    PROCESS_BATCH,
    PROFILE,
    PURGE,
    QUALITY,
    RECENTER,
    RECONCILE,
    REMIND,
    REPLACE,
    RETRAIN,
    TASKS,
    WARM,
    WATCH,
)
from service.taxonomy import actions as taxonomy
from tests.derived.conftest import Process, library, rows
from tests.quizzes.samples import CELLS

pytestmark = [pytest.mark.integration, pytest.mark.timeout(300)]

HARM: dict[Task, list[str]] = {  # what makes a task's work undone, for the resource, account or collection `:id`
    INGEST: [],
    PROCESS: [],
    CITE: ["DELETE FROM citation_readings WHERE resource_id = :id"],
    INDEX_DOCUMENT: ["UPDATE documents SET passages_hash = NULL, ready_hash = NULL WHERE resource_id = :id"],
    INDEX: ["UPDATE search_documents SET input_hash = '' WHERE resource_id = :id"],
    LABEL: ["UPDATE search_documents SET labels_hash = '', labels = '{}' WHERE resource_id = :id"],
    EMBED: ["DELETE FROM embeddings WHERE resource_id = :id", "DELETE FROM chunks WHERE resource_id = :id"],
    QUALITY: ["UPDATE quality SET input_hash = '', source_hash = '', overall = 0 WHERE resource_id = :id"],
    CLASSIFY: ["DELETE FROM classifications WHERE resource_id = :id AND is_predicted"],
    GRAPH: [
        "DELETE FROM graph_nodes WHERE resource_id = :id",
        "UPDATE citations SET keys = NULL, target_id = NULL WHERE resource_id = :id",
        "DELETE FROM graph_ranks",
    ],
    AUTHORS: ["UPDATE author_readings SET input_hash = '' WHERE resource_id = :id"],
    ANCHOR: ["UPDATE annotations SET anchored_in = '', start = NULL, \"end\" = NULL WHERE resource_id = :id"],
    RECENTER: ["DELETE FROM collection_embeddings WHERE collection_id = :id"],
    PROFILE: ["DELETE FROM recommendation_profiles WHERE user_id = :id"],
    MEAN: ["UPDATE categories SET prior = NULL, prior_hash = NULL"],
    RETRAIN: [],
    PROCESS_BATCH: [],
    RECONCILE: [],
    DEGRADATION: [],
    OUTLIERS: ["UPDATE quality SET is_outlier = false", "DELETE FROM quality_reviews"],
    WATCH: [],
    INVALIDATE: [],
    CLEAN: [],
    WARM: [],
    CLEAN_FILES: [],
    CUT: [],
    CUT_ENTRIES: [],
    GENERATE: [],
    REMIND: [],
    PURGE: [],
    BACKUP: [],
    LOOK: [],
    FIND_DIGESTS: [],
    **{
        task: [] for task in (DELIVER, DIGEST, IMPORT, LOOK_UP, POLL)
    },  # of what is gone; what is there has tests of its own
    REPLACE: [],
}


async def argument(task: Task, ada: Account, ids: list[UUID]) -> Any:
    """Return what a task is run for."""
    async with reading() as session:
        queries = {
            "collection_id": "SELECT id FROM collections LIMIT 1",
            "category_id": "SELECT id FROM categories LIMIT 1",
            "batch_id": "SELECT id FROM batches LIMIT 1",
            "quiz_id": "SELECT id FROM quizzes LIMIT 1",
            "question_id": "SELECT id FROM quiz_questions WHERE retired_at IS NOT NULL LIMIT 1",
        }
        found = await session.scalar(text(queries[task.key])) if task.key in queries else None
        document = await session.scalar(text("SELECT resource_id FROM documents LIMIT 1"))
    of_documents = dict.fromkeys((INGEST, PROCESS, INDEX_DOCUMENT), document)
    gone = {DELIVER: uuid4(), DIGEST: uuid4(), IMPORT: uuid4(), LOOK_UP: uuid4(), POLL: "gone.example"}
    one = (of_documents | gone | {PROFILE: ada.id}).get(task, found or ids[2])
    return [one] if task in (GRAPH, MEAN) else one


async def test_every_task_may_run_twice_and_twice_at_once(ada: Account, process: Process) -> None:
    assert set(HARM) == set(TASKS)
    ids = await library(ada, process, 55)
    await more(ada, ids)
    await process.settle(60)
    async with reading() as session:
        question = await session.scalar(text("SELECT id FROM quiz_questions WHERE type = 'multiple_choice' LIMIT 1"))
    await process.run(REPLACE, question_id=question)
    await process.run(RETRAIN)
    for id in ids:  # the library around the first has grown
        await process.run(QUALITY, resource_id=id)
    while await process.reconcile():
        pass
    await process.run(OUTLIERS)
    await process.settle(60)
    before = await rows()
    assert {table for table, lines in before.items() if not lines} <= {"dead_letters", "quality_reviews"}
    for task in TASKS:
        one = await argument(task, ada, ids)
        given = {task.key: one} if task.key else {}
        values = {"id": one[0] if isinstance(one, list) else one}
        for runs in (1, 2):
            async with transaction() as session:
                for harm in HARM[task]:
                    await session.execute(text(harm), values if ":id" in harm else {})
            assert not HARM[task] or await rows() != before, task.name
            await asyncio.gather(*(process.run(task, **given) for _ in range(runs)))
            if runs == 1:
                await process.run(task, **given)
            await process.settle(60)
            after = await rows()
            for table in before:
                assert after[table] == before[table], (task.name, runs, table)


async def more(ada: Account, ids: list[UUID]) -> None:
    """Add an uploaded document, a batch, and labels to train on."""
    days = [f"On day {day} fog lay over all of the harbour, as the log of the keeper explains." for day in range(40)]
    content = " ".join(days).encode()
    async with transaction() as session:
        fields = {"title": "Cells", "content": CELLS, "language": "en"}
        cells = (await resources.create(session, ada, fields, source="content")).id
    stored = documents.Upload("fog.txt", len(content), await storage.keep(BytesIO(content)), "text/plain")
    async with transaction() as session:
        await documents.upload(session, ada, stored, subject=None, private=False)
        await batches.request(session, ada, "reindex", ids[:3])
        asked = Wanted({"resource_ids": [str(cells)]}, 10, TYPES, None, None)
        await quizzes.request(session, ada, asked)
        categories = list(await session.scalars(text("SELECT id FROM categories ORDER BY name")))
        for number, id in enumerate(ids):
            await taxonomy.label(session, ada, id, categories[number % len(categories)])
