"""What goes in and out over HTTP for documents, subjects and uploads."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AfterValidator, BaseModel, BeforeValidator, Field

from service.documents.actions import Known
from service.documents.progress import Status, message_of, percent_of
from service.documents.subjects import Counted
from service.errors import Invalid
from service.ingestion.status import Progress
from service.web import File, Paged, Shape

Colour = Literal["red", "orange", "olive", "green", "teal", "blue", "violet", "pink"]
Sort = Literal["created_at", "-created_at", "filename", "-filename", "size", "-size", "subject", "-subject"]


def _one_line(text: str) -> str:
    clean = " ".join(text.split())
    if not clean or not clean.isprintable():
        raise ValueError("is empty or has control characters in it")
    return clean


def _file_name(text: str) -> str:
    if "/" in text or "\\" in text:
        raise ValueError("is no file name: it has a slash in it")
    return _one_line(text)


Line = Annotated[str, Field(max_length=200), AfterValidator(_one_line)]
FileName = Annotated[str, Field(max_length=255), AfterValidator(_file_name)]
Statuses = Annotated[
    list[Status] | None, BeforeValidator(lambda value: [value] if isinstance(value, str) else value)
]  # fmt: skip


class SubjectView(BaseModel):
    """A subject of yours, and how many of your documents are in it."""

    id: UUID
    name: str
    colour: str
    position: int
    documents: int
    ready: int
    failed: int
    created_at: datetime


class SubjectList(BaseModel):
    """One page of your subjects; `without` counts your documents that are in none."""

    total: int
    items: list[SubjectView]
    limit: int
    offset: int
    without: int


class NewSubject(Shape):
    """A subject; where no colour is given, it is the next one."""

    name: Line
    colour: Colour | None = None


class SubjectChange(Shape):
    """Any subset of a subject's fields; those of one place are ordered by name."""

    name: Line | None = None
    colour: Colour | None = None
    position: int | None = Field(None, ge=0, le=10_000)


class SubjectOf(BaseModel):
    """The subject of a document."""

    id: UUID
    name: str
    colour: str


class DocumentView(BaseModel):
    """A document; `percent` is of the way to `ready`, and missing once it failed. Others' subjects are not shown."""

    id: UUID
    resource_id: UUID
    filename: str
    title: str
    subject: str | None
    subject_id: UUID | None
    category: str | None
    size: int
    pages: int | None
    word_count: int
    media_type: str | None
    language: str | None
    private: bool
    own: bool
    status: Status
    percent: int | None
    message: str
    created_at: datetime


class BrowseDocuments(Paged):
    """Which documents."""

    own: bool | None = None
    subject: str | None = Field(None, max_length=200, description="Of yours: its id, its name, or `none`.")
    category: str | None = Field(None, max_length=200)
    status: Statuses = None
    q: str | None = Field(None, max_length=200, description="What the file name or the title holds.")
    sort: Sort = "-created_at"


class DocumentChange(Shape):
    """Any subset; `subject` is the id or the name of a subject of yours (a new name makes one), null takes it out."""

    filename: FileName | None = None
    subject: Line | None = None
    category: Line | None = None

    def fields(self) -> dict[str, Any]:
        """Return what was said."""
        said = self.model_dump(exclude_unset=True)
        if "filename" in said and said["filename"] is None:
            raise Invalid("`filename` cannot be null.", errors=[{"loc": ["filename"], "msg": "cannot be null"}])
        return said


class Deletion(Shape):
    """Documents to be deleted."""

    document_ids: list[UUID] = Field(min_length=1, max_length=1000)


class PassageView(BaseModel):
    """A passage; `start` and `end` count characters of the resource's content."""

    position: int
    heading: list[str]
    start: int
    end: int
    tokens: int
    kind: Literal["text", "table", "list", "heading"]
    text: str


class NewUpload(Shape):
    """A file that is to come in pieces; `sha256` (hex) is checked in the end."""

    filename: FileName
    size: int = Field(ge=1, description="Bytes.")
    type: str | None = Field(None, max_length=200, description="The media type, as the client knows it.")
    sha256: str | None = Field(None, pattern="^[0-9a-f]{64}$")
    subject: Line | None = None
    category: Line | None = None
    private: bool = False


class UploadedView(BaseModel):
    """The document that a file became; of a duplicate, the one that it equals."""

    id: UUID
    resource_id: UUID
    task_id: UUID | None
    filename: str
    status: Status
    duplicate: bool


class UploadedList(BaseModel):
    """What became of each file, in their order."""

    items: list[UploadedView]


class UploadForm(Shape):
    """Up to ten files; what is said besides is said of all of them."""

    file: Annotated[list[File], Field(min_length=1, max_length=10)]
    subject: str | None = None
    category: str | None = None
    private: bool = False
    batch_id: UUID | None = Field(None, description="Under which files that are sent one by one belong together.")


class DocumentStatus(Progress):
    """How far a document is; `percent` is of the way to `ready`, and missing once it failed."""

    id: UUID
    status: Status  # pyright: ignore[reportIncompatibleVariableOverride] -- a document has steps of its own
    percent: int | None
    message: str


class UploadView(BaseModel):
    """How much of a file is there; `document` once it is whole."""

    upload_id: UUID
    filename: str
    size: int
    offset: int
    chunk_size: int
    expires_at: datetime
    document: UploadedView | None = None


def subject_view(counted: Counted) -> SubjectView:
    """Return a subject as it is answered."""
    subject = counted.subject
    return SubjectView(
        id=subject.id,
        name=subject.name,
        colour=subject.colour,
        position=subject.position,
        documents=counted.documents,
        ready=counted.ready,
        failed=counted.failed,
        created_at=subject.created_at,
    )


def document_view(
    known: Known, account_id: UUID, steps: list[dict[str, Any]] | None = None, error: str | None = None
) -> DocumentView:
    """Return a document as it is answered; `steps` make the percentage finer."""
    document, resource = known.document, known.resource
    status: Any = known.status
    own = document.owner_id == account_id
    return DocumentView(
        id=document.id,
        resource_id=document.resource_id,
        filename=document.filename,
        title=resource.title,
        subject=known.subject.name if known.subject else None,
        subject_id=known.subject.id if known.subject else None,
        category=document.category if own else None,
        size=document.size,
        pages=document.pages,
        word_count=resource.word_count,
        media_type=resource.media_type,
        language=resource.language,
        private=resource.private,
        own=own,
        status=status,
        percent=percent_of(status, steps or ()),
        message=message_of(status, document, resource, error),
        created_at=document.created_at,
    )
