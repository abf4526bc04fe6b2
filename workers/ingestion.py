"""Actors of the way in: a page by its address, an uploaded file, a captured page."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from uuid import UUID

from service import storage
from service.database import reading, transaction
from service.documents import telling
from service.errors import PharosError
from service.ingestion import actions, given
from service.ingestion.extraction import extract
from service.queue import actor
from service.queue.retries import is_outage
from service.tasks import CITE, INGEST, PROCESS


@asynccontextmanager
async def _step(resource_id: UUID, name: str) -> AsyncGenerator[None]:
    """Record a failure of this step, then raise it: the queue decides about another try by the same rule.

    While the database or Redis is away, nothing has failed.
    """
    try:
        yield
    except Exception as error:
        if not is_outage(error):
            async with transaction() as session:
                fault = error if isinstance(error, PharosError) else actions.Unforeseen(error=repr(error)[:500])
                if await actions.fail(session, resource_id, name, fault):
                    await telling.failed(session, resource_id, fault)
        raise


async def read_in(resource_id: UUID) -> None:
    """Fetch, extract and store, from the step that the ingestion stands at; no session is open while either works."""
    async with transaction() as session:
        job = await actions.claim(session, resource_id)
        if job is None:
            return
        first = "fetched" if job.from_step == "fetched" and job.url and job.source == "url" else "extracted"
        await actions.advance(session, resource_id, done=None, begins=first)
        await telling.processing(session, resource_id)
    if first == "fetched":
        assert job.url is not None
        async with _step(resource_id, "fetched"):
            from service.security.egress import Egress  # 2.5 MB, for workers that fetch

            async with Egress() as egress:
                fetched = await egress.fetch(job.url)
            body, url, declared = fetched.body, fetched.url, fetched.content_type
            key = await storage.put(body)
        async with transaction() as session:
            await actions.advance(
                session, resource_id, done="fetched", begins="extracted", original=key, declared_type=declared
            )
    else:
        assert job.original is not None
        async with _step(resource_id, "extracted"):
            body, url, declared = await storage.get(job.original), job.url, job.declared_type
    async with _step(resource_id, "extracted"):
        extracted = await extract(
            body, filename=job.filename, url=url, declared_type=declared, captured=job.source == "content"
        )
    async with transaction() as session:
        await actions.advance(session, resource_id, done="extracted", begins="stored")
        await telling.processing(session, resource_id, stored=True)
    async with _step(resource_id, "stored"), transaction() as session:
        await actions.store(session, resource_id, extracted)
        await telling.processed(session, resource_id, extracted.pages)


@actor(INGEST)
async def ingest_resource(resource_id: UUID) -> None:
    """Read a page into the library."""
    await read_in(resource_id)


@actor(PROCESS)
async def process_document(resource_id: UUID) -> None:
    """Read an uploaded file into the library."""
    await read_in(resource_id)


@actor(CITE)
async def extract_citations(resource_id: UUID) -> None:
    """Find what a text refers to that somebody gave; no session is open meanwhile."""
    async with reading() as session:
        draft = await given.drafted(session, resource_id)
    if draft is None:
        return
    found = await draft.citations()
    async with transaction() as session:
        await given.keep(session, draft, found)
