"""What goes in and out over HTTP for a resource."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, model_validator
from starlette.responses import Response

from service.errors import Invalid
from service.resources.reading_time import minutes
from service.resources.tables import Resource
from service.resources.tags import normalised
from service.security.addresses import Allowlist
from service.security.destinations import check_url, in_ascii
from service.taxonomy.tables import CategoryOf
from service.web import Moment, Paged, Shape, etag, respond

Line = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=1000)]
Lines = Annotated[list[Line], Field(max_length=200)]
Tags = Annotated[list[str], Field(max_length=200), AfterValidator(normalised)]
Language = Annotated[str, StringConstraints(max_length=35, pattern=r"^[a-z]{2,3}(-[A-Za-z0-9]+)*$")]

ANYWHERE = Allowlist.parse(["0.0.0.0/0", "::/0"])


def _address(url: str) -> str:
    """A stored address is only shown and compared, so that only its form is checked here."""
    return in_ascii(check_url(url, ANYWHERE), url)


Address = Annotated[str, StringConstraints(strip_whitespace=True, max_length=4096), AfterValidator(_address)]


class ResourceChange(Shape):
    """Any subset of a resource's fields."""

    title: Line | None = None
    content: str | None = Field(None, min_length=1)
    url: Address | None = None
    tags: Tags | None = None
    authors: Lines | None = None
    description: str | None = Field(None, max_length=20_000)
    language: Language | None = None
    type: Line | None = None
    subjects: Lines | None = None
    published_at: Moment | None = None
    private: bool | None = None

    def fields(self) -> dict[str, Any]:
        """Return what was said; a list or a text that was set to null is emptied."""
        said = self.model_dump(exclude_unset=True)
        for name in ("title", "content", "type", "private"):
            if name in said and said[name] is None:
                raise Invalid(f"`{name}` cannot be null.", errors=[{"loc": [name], "msg": "cannot be null"}])
        return said | {name: [] for name in ("tags", "authors", "subjects") if name in said and said[name] is None}


class TagChange(Shape):
    """Tags to be added to a resource, and to be taken away."""

    add: Tags = Field(default_factory=list)
    remove: Tags = Field(default_factory=list)

    @model_validator(mode="after")
    def _something(self) -> "TagChange":
        if not (self.add or self.remove):
            raise ValueError("give `add`, `remove` or both")
        return self


class TagChanges(TagChange):
    """The same for many resources."""

    ids: list[UUID] = Field(min_length=1, max_length=500)


class Tagged(BaseModel):
    """The tags of one resource afterwards, or why they could not be changed."""

    id: UUID
    tags: list[str] | None = None
    error: str | None = None


class TaggedList(BaseModel):
    """What came of each."""

    items: list[Tagged]


class TagCount(BaseModel):
    """A tag, and how many resources have it."""

    tag: str
    count: int


class TagList(BaseModel):
    """The most used first."""

    items: list[TagCount]


class TagPrefix(Shape):
    """How tags begin."""

    prefix: str = Field("", max_length=64)
    limit: int = Field(25, ge=1, le=500)


class NewResource(ResourceChange):
    """A resource by content: a text, or a page as the browser saw it."""

    title: Line = Field(...)  # pyright: ignore[reportIncompatibleVariableOverride]
    html: str | None = Field(None, min_length=1)
    collection_id: UUID | None = None

    @model_validator(mode="after")
    def _one_of(self) -> "NewResource":
        if (self.content is None) == (self.html is None):
            raise ValueError("give either `content` or `html`")
        return self


class Overall(BaseModel):
    """How good a resource is, 0 to 1; `GET /resources/{id}/quality` says why."""

    overall: float


class ResourceView(BaseModel):
    """A resource as it is answered."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    title: str
    content: str
    url: str | None
    description: str | None
    authors: list[str]
    language: str | None
    type: str
    subjects: list[str]
    tags: list[str]
    site: str | None
    published_at: datetime | None
    private: bool
    status: Literal["pending", "processing", "completed", "failed"]
    version: int
    word_count: int
    reading_minutes: int = 0
    duplicate_of: UUID | None
    near_duplicate_of: UUID | None
    created_at: datetime
    updated_at: datetime
    categories: list[CategoryOf] | None = None
    quality: Overall | None = None


class ResourceItem(ResourceView):
    """A resource in a list: without its text."""

    content: str = Field("", exclude=True)


def _listed(value: object) -> object:
    return [value] if isinstance(value, str) else value


class Browse(Paged):
    """Filters and order of the list."""

    q: str | None = Field(None, max_length=1000)
    type: Annotated[list[str] | None, BeforeValidator(_listed)] = None
    language: str | None = None
    subject: str | None = None
    author: str | None = None
    tag: str | None = None
    status: Literal["pending", "processing", "completed", "failed"] | None = None
    collection: UUID | None = None
    created_from: Moment | None = None
    created_to: Moment | None = None
    min_quality: float | None = Field(None, ge=0, le=1, description="Overall, 0 to 1.")
    category: str | None = Field(None, max_length=10_000, description="By path or id, with all below it.")
    sort: Literal[
        "created_at", "-created_at", "updated_at", "-updated_at", "published_at", "-published_at", "title", "-title"
    ] = "-created_at"


DERIVED = ("reading_minutes", "categories", "quality")  # no columns
FIELDS = tuple(name for name in ResourceView.model_fields if name not in DERIVED)


def known(categories: Sequence[CategoryOf] | None, quality: float | None) -> dict[str, Any]:
    """Return what a resource is about and how good it is, as far as that is known."""
    about: dict[str, Any] = {"categories": categories} if categories else {}
    return about if quality is None else about | {"quality": {"overall": quality}}


def without_text(resource: Resource) -> dict[str, Any]:
    """Return a resource as it stands in a list."""
    row = {name: getattr(resource, name) for name in FIELDS if name != "content"}
    return row | {"reading_minutes": minutes(resource.word_count)}


def view(
    resource: Resource | Mapping[str, Any],
    status: int = 200,
    headers: dict[str, str] | None = None,
) -> Response:
    """Answer with a resource that was just written, and its version as ETag."""
    get = resource.__getitem__ if isinstance(resource, Mapping) else partial(getattr, resource)
    row = {name: get(name) for name in FIELDS} | {"reading_minutes": minutes(get("word_count"))}
    return respond(row, status, etag(row["version"]) | (headers or {}))
