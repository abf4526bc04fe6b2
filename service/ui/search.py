"""The search page: what was asked, what was found, and where each filter leads."""

from dataclasses import dataclass
from math import ceil
from typing import Any
from urllib.parse import urlencode

from markupsafe import Markup
from pydantic import Field
from sqlalchemy import select

from service.database import reading
from service.errors import Invalid
from service.resources.tables import Resource
from service.search import cached, executed
from service.search.events import SearchExecuted
from service.search.filters import Filters
from service.search.retrieval import Mode
from service.security.accounts import Account
from service.taxonomy.tables import Category
from service.ui.text import text
from service.ui.wording import language
from service.web import Shape

PAGE = 20
MOST = 500  # pages
FACETS = {  # by the name of the facet: the field of the filters that it sets
    "type": "types",
    "category": "categories",
    "quality": "min_quality",
    "language": "languages",
    "author": "authors",
    "subject": "subjects",
    "tag": "tags",
}
CHOICES = 8  # of one facet


class Asked(Shape):
    """What the address of the search page says."""

    query: str = Field("", max_length=1000)
    mode: Mode = "hybrid"
    type: str = ""
    category: str = Field("", max_length=10_000)
    quality: str = Field("", pattern=r"^(0(\.\d{1,4})?|1(\.0{1,4})?)?$", description="The least, 0 to 1.")
    language: str = ""
    author: str = ""
    subject: str = ""
    tag: str = ""
    page: int = Field(1, ge=1, le=MOST)
    typing: bool = False  # the last word may be the beginning of one
    quick: bool = False  # by words alone, where meaning was asked for as well: the next key may follow at once

    @property
    def filters(self) -> dict[str, str]:
        """The filters that are set."""
        return {name: value for name in FACETS if (value := getattr(self, name))}

    @property
    def offset(self) -> int:
        return (self.page - 1) * PAGE

    def fields(self, **changed: Any) -> list[tuple[str, Any]]:
        """Return what an address or a form says of this search, with some things changed."""
        values = self.model_dump(exclude={"typing", "quick"}, exclude_defaults=True) | {"query": self.query} | changed
        return [
            (name, value)
            for name, value in values.items()
            if (name, value) not in (("page", 1), ("mode", "hybrid")) and value
        ]

    def url(self, **changed: Any) -> str:
        """Return the address of this search with some things changed; the first page unless one is given."""
        return f"/ui/search?{urlencode(self.fields(**({'page': 1} | changed)))}"

    def unfiltered(self) -> str:
        """Return the address of this search without its filters."""
        return self.url(**dict.fromkeys(FACETS, ""))


@dataclass(frozen=True, slots=True)
class Hit:
    """A resource that was found."""

    id: Any
    title: str
    url: str | None
    site: str | None
    type: str
    media_type: str | None
    language: str | None
    private: bool
    published_at: Any
    word_count: int
    snippet: Markup
    why: str


@dataclass(frozen=True, slots=True)
class Choice:
    """One value of a facet; its address sets the filter, or takes it away where it is set."""

    label: str
    count: int | None
    chosen: bool
    url: str


@dataclass(frozen=True, slots=True)
class Facet:
    """A filter and the values that it can have here."""

    name: str
    choices: list[Choice]


@dataclass(frozen=True, slots=True)
class Results:
    """One page of what was found."""

    total: int
    hits: list[Hit]
    took_ms: float
    degraded: list[str]
    did_you_mean: str | None

    @property
    def pages(self) -> int:
        return min(ceil(self.total / PAGE), MOST)


async def search(account: Account, asked: Asked) -> dict[str, Any]:
    """Search, and return what the template shows; a query that cannot be understood is told, not raised."""
    shown: dict[str, Any] = {"asked": asked, "results": None, "facets": [], "error": None}
    if not asked.query.strip():
        return shown | {"chosen": _chosen(asked, await _names([asked.category]))}
    narrowed: dict[str, Any] = {
        FACETS[name]: float(value) if name == "quality" else [value] for name, value in asked.filters.items()
    }
    filters = Filters(account.id, **narrowed)
    mode = "keyword" if asked.quick and asked.mode == "hybrid" else asked.mode
    try:
        found, _ = await cached.search(
            asked.query, filters, mode, limit=PAGE, offset=asked.offset, unfinished=asked.typing
        )
    except Invalid as error:
        return shown | {"chosen": _chosen(asked, await _names([asked.category])), "error": error.detail}
    if not asked.typing:
        told = SearchExecuted(query=asked.query, mode=asked.mode, results_count=found.total, latency_ms=found.took_ms)
        executed.record(told, account.id)
    results = Results(found.total, await _hits(found.items), found.took_ms, found.degraded, found.did_you_mean)
    names = await _names([asked.category, *found.facets.get("category", {})])
    return shown | {
        "results": results,
        "facets": _facets(asked, found.facets, names),
        "chosen": _chosen(asked, names),
    }


async def _names(paths: list[str]) -> dict[str, str]:
    """Return how categories are called, by their paths: from the root on."""
    wanted = [path for path in paths if path]
    if not wanted:
        return {}
    async with reading() as session:
        rows = await session.execute(select(Category.path, Category.names).where(Category.path.in_(wanted)))
        return {row.path: " › ".join(row.names) for row in rows}


async def _hits(items: list[dict[str, Any]]) -> list[Hit]:
    columns = (Resource.id, Resource.site, Resource.media_type, Resource.private, Resource.word_count)
    async with reading() as session:
        rows = await session.execute(select(*columns).where(Resource.id.in_([item["id"] for item in items])))
        known = {row.id: row for row in rows}
    return [
        Hit(
            item["id"],
            item["title"],
            item["url"],
            row.site,
            item["type"],
            row.media_type,
            item["language"],
            row.private,
            item["published_at"],
            row.word_count,
            Markup(item["snippet"]),  # noqa: S704  # the search escapes all but its own <mark>
            item["why"],
        )
        for item in items
        if (row := known.get(item["id"]))  # else deleted a moment ago
    ]


def _chosen(asked: Asked, names: dict[str, str]) -> list[Choice]:
    """Return the filters that are set, each with the address that takes it away."""
    return [
        Choice(_label(name, value, names), None, True, asked.url(**{name: ""})) for name, value in asked.filters.items()
    ]


def _facets(asked: Asked, counted: dict[str, dict[str, int]], names: dict[str, str]) -> list[Facet]:
    facets: list[Facet] = []
    for name in FACETS:
        counts: dict[str, int | None] = dict(sorted(counted.get(name, {}).items(), key=lambda item: -item[1])[:CHOICES])
        if name == "quality":  # the best first
            counts = dict(sorted(counts.items(), reverse=True))
        value = asked.filters.get(name)
        if value:
            counts.setdefault(value, None)
        if value or len(counts) > 1:
            choices = [
                Choice(
                    _label(name, choice, names),
                    count,
                    choice == value,
                    asked.url(**{name: "" if choice == value else choice}),
                )
                for choice, count in counts.items()
            ]
            facets.append(Facet(name, choices))
    return facets


def _label(facet: str, value: str, names: dict[str, str]) -> str:
    match facet:
        case "language":
            return language(value) or value
        case "type":
            return text(f"kind.{value}", default=value.replace("_", " ").capitalize())
        case "category":
            return names.get(value, value)
        case "quality":
            return text("search.quality.least", percent=f"{100 * float(value):g}")
        case _:
            return value
