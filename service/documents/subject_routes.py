"""HTTP for subjects of study."""

from starlette.requests import Request
from starlette.responses import Response

from service.database import reading, transaction
from service.documents import subjects
from service.documents.shapes import NewSubject, SubjectChange, SubjectList, SubjectView, subject_view
from service.web import Paged, account, no_content, parse, path_id, query, respond, route


async def browse_subjects(request: Request) -> Response:
    """List your subjects in their order, with how many of your documents are in each."""
    asked, who = query(request, Paged), account(request)
    async with reading() as session:
        total, found = await subjects.browse(session, who, asked.limit, asked.offset)
        counted = await subjects.counts(session, who)
    items = [subject_view(one) for one in found]
    without = counted.get(None, (0, 0, 0))[0]
    return respond(SubjectList(total=total, items=items, limit=asked.limit, offset=asked.offset, without=without))


async def create_subject(request: Request) -> Response:
    """Add a subject of yours."""
    asked, who = await parse(request, NewSubject), account(request)
    async with transaction() as session:
        made = await subjects.create(session, who, asked.name, asked.colour)
        await session.refresh(made)
        view = subject_view(subjects.Counted(made, 0, 0, 0))
    return respond(view, 201, {"Location": f"/subjects/{view.id}"})


async def read_subject(request: Request) -> Response:
    """Read one of your subjects."""
    async with reading() as session:
        found = await subjects.read_counted(session, account(request), path_id(request, what="subject"))
    return respond(subject_view(found))


async def change_subject(request: Request) -> Response:
    """Rename a subject of yours, or give it another colour or place."""
    subject_id, who = path_id(request, what="subject"), account(request)
    asked = await parse(request, SubjectChange)
    async with transaction() as session:
        await subjects.change(session, who, subject_id, asked.model_dump(exclude_none=True))
        found = await subjects.read_counted(session, who, subject_id)
    return respond(subject_view(found))


async def delete_subject(request: Request) -> Response:
    """Delete a subject of yours; its documents stay."""
    async with transaction() as session:
        await subjects.remove(session, account(request), path_id(request, what="subject"))
    return no_content()


routes = [
    route("GET", "/subjects", browse_subjects, scope="read", queries=Paged, gives=SubjectList),
    route("POST", "/subjects", create_subject, scope="write", takes=NewSubject, gives=SubjectView, status=201),
    route("GET", "/subjects/{id}", read_subject, scope="read", gives=SubjectView),
    route("PUT", "/subjects/{id}", change_subject, scope="write", takes=SubjectChange, gives=SubjectView),
    route("DELETE", "/subjects/{id}", delete_subject, scope="write", status=204),
]
