"""HTTP for interactions and recommendations; all of it about the account that asks."""

from dataclasses import asdict
from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, Field, model_validator
from starlette.requests import Request
from starlette.responses import Response

from service.cache.shared import Fresh
from service.database import reading, transaction
from service.errors import NotFound
from service.recommendations import actions, profiles
from service.recommendations.events import EVERY, InteractionType
from service.recommendations.history import history
from service.recommendations.ranking import recommend
from service.recommendations.scoring import TOUCHED_HOW
from service.recommendations.tables import InteractionCount, RecommendationProfile
from service.resources.states import listed, through
from service.web import Listed, Paged, Shape, account, no_content, page, parse, path_id, query, respond, route

DAY = 86_400  # seconds; nobody looks at one page for longer
SHOWN = 10  # resources, subjects, authors of a profile


class NewInteraction(Shape):
    """Something that the account did with a resource; a rating has a number, a view may have a length."""

    resource_id: UUID
    interaction_type: InteractionType
    rating: Annotated[int, Field(ge=1, le=5)] | None = None
    dwell_seconds: Annotated[float, Field(ge=0, le=DAY, allow_inf_nan=False)] | None = None

    @model_validator(mode="after")
    def _fitting(self) -> "NewInteraction":
        if (self.rating is not None) != (self.interaction_type == "rating"):
            raise ValueError("`rating` goes with the interaction_type rating, and with no other")
        if self.dwell_seconds is not None and self.interaction_type != "view":
            raise ValueError("`dwell_seconds` goes with the interaction_type view only")
        return self


class Tracked(BaseModel):
    """How many interactions the account has had."""

    total_interactions: int


class RecommendationView(BaseModel):
    """A resource to read next, what it is worth (0 to 1), and why."""

    id: UUID
    title: str
    url: str | None
    score: float
    why: str


class DismissedView(BaseModel):
    """A resource that is not recommended any more."""

    id: UUID
    title: str
    url: str | None
    dismissed_at: datetime


class Weighted(BaseModel):
    """A subject or an author, and its share of what was touched, 0 to 1."""

    name: str
    weight: float


class RestsOn(BaseModel):
    """A resource that a profile rests on."""

    id: UUID
    title: str
    how: str


class ProfileView(BaseModel):
    """What is known of an account's interests."""

    summary: str
    total_interactions: int
    pending: int  # interactions that are not in it yet
    computed_at: datetime | None
    resources: list[RestsOn]
    subjects: list[Weighted]
    authors: list[Weighted]


async def track_interaction(request: Request) -> Response:
    """Record that you did something with a resource."""
    asked = await parse(request, NewInteraction)
    async with transaction() as session:
        total = await actions.track(
            session,
            account(request).id,
            asked.resource_id,
            asked.interaction_type,
            rating=asked.rating,
            dwell_seconds=asked.dwell_seconds,
        )
        if total is None:
            raise NotFound(what="resource", id=asked.resource_id)
    return respond({"total_interactions": total}, 201)


async def list_recommendations(request: Request) -> Response:
    """What you might read next, and why."""
    asked, who = query(request, Paged), account(request).id

    async def compute() -> Fresh:
        total, items = await recommend(who, asked.limit, asked.offset)
        return await listed(who, [total, [asdict(one) for one in items]], [one.id for one in items])

    total, items = await through(f"recommendations:{who}:{asked.limit}:{asked.offset}", who, compute)
    return page(items, total, asked)


async def read_profile(request: Request) -> Response:
    """What your recommendations rest on, in words; nobody else can see it."""
    who = account(request).id

    async def compute() -> Fresh:
        shown = await _profile_of(who)
        return await listed(who, shown.model_dump(), [one.id for one in shown.resources])

    return respond(await through(f"user:{who}:profile", who, compute))


async def _profile_of(account_id: UUID) -> ProfileView:
    async with reading() as session:
        counted = await session.get(InteractionCount, account_id)
        profile = await session.get(RecommendationProfile, account_id)
        touched = await history(session, account_id, SHOWN)
    total = counted.total if counted else 0
    subjects, authors = (profile.subjects, profile.authors) if profile else ({}, {})
    return ProfileView(
        summary=_in_words(total, profile),
        total_interactions=total,
        pending=total - (profile.total if profile else 0),
        computed_at=profile.computed_at if profile else None,
        resources=[RestsOn(id=one.id, title=one.title, how=TOUCHED_HOW[one.interaction_type]) for one in touched],
        subjects=_heaviest(subjects),
        authors=_heaviest(authors),
    )


def _heaviest(weights: dict[str, float]) -> list[Weighted]:
    ordered = sorted(weights.items(), key=lambda one: (-one[1], one[0]))
    return [Weighted(name=name, weight=weight) for name, weight in ordered[:SHOWN]]


def _in_words(total: int, profile: RecommendationProfile | None) -> str:
    if total == 0:
        return "Nothing is known of what you read: you are recommended what is new, good and much cited."
    if profile is None:
        when = "at the tenth" if total < EVERY else "soon"
        return f"You have done {total} things here. A profile is made of them {when}."
    said = [f"Made of {profile.resources} resources that you touched."]
    for what, weights in (("You read about", profile.subjects), ("You read what is by", profile.authors)):
        if names := [one.name for one in _heaviest(weights)[:3]]:
            said.append(f"{what} {', '.join(names)}.")
    if profile.centre is None:
        said.append("None of them has a meaning yet that others could be compared with.")
    return " ".join(said)


async def forget_profile(request: Request) -> Response:
    """Forget what you did and what was made of it; what you dismissed stays dismissed."""
    async with transaction() as session:
        await profiles.forget(session, account(request).id)
    return no_content()


async def dismiss_recommendation(request: Request) -> Response:
    """Never recommend this resource to you again."""
    async with transaction() as session:
        await actions.dismiss(session, account(request), path_id(request, what="resource"))
    return no_content()


async def restore_recommendation(request: Request) -> Response:
    """Undo a dismissal."""
    async with transaction() as session:
        await actions.restore(session, account(request), path_id(request, what="dismissed recommendation"))
    return no_content()


async def list_dismissed(request: Request) -> Response:
    """What you dismissed, the last first."""
    asked = query(request, Paged)
    async with reading() as session:
        total, rows = await actions.dismissed(session, account(request), asked.limit, asked.offset)
    return page(rows, total, asked)


# What a person reads and likes is that person's own: a reader may record it, and have it forgotten.
routes = [
    route("POST", "/interactions", track_interaction, scope="read", takes=NewInteraction, gives=Tracked, status=201),
    route(
        "GET", "/recommendations", list_recommendations, scope="read", queries=Paged, gives=Listed[RecommendationView]
    ),
    route("GET", "/recommendations/profile", read_profile, scope="read", gives=ProfileView),
    route("DELETE", "/recommendations/profile", forget_profile, scope="read", status=204),
    route(
        "GET", "/recommendations/dismissed", list_dismissed, scope="read", queries=Paged, gives=Listed[DismissedView]
    ),
    route("POST", "/recommendations/{id}/dismiss", dismiss_recommendation, scope="read", status=204),
    route("DELETE", "/recommendations/{id}/dismiss", restore_recommendation, scope="read", status=204),
]
