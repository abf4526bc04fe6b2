"""What goes in and out over HTTP for categories and classifications."""

import unicodedata
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import AfterValidator, BaseModel, Field, model_validator

from service.errors import Invalid
from service.web import Shape

LONGEST = 200  # characters of a name


def _clean(name: str) -> str:
    """Return a name without what only looks different: NFC, single blanks."""
    clean = " ".join(unicodedata.normalize("NFC", name).split())
    if not clean:
        raise ValueError("a name is empty")
    if len(clean) > LONGEST:
        raise ValueError(f"a name has at most {LONGEST} characters")
    if any(unicodedata.category(sign) in ("Cc", "Cs") for sign in clean):  # emoji are joined by other unprintable ones
        raise ValueError("a name has control characters in it")
    if not any(unicodedata.category(sign)[0] in "LNPS" for sign in clean):
        raise ValueError("a name has nothing in it that can be seen")
    return clean


Name = Annotated[str, AfterValidator(_clean)]


class CategoryChange(Shape):
    """Any subset of a category's fields; `parent_id` null makes it a root."""

    name: Name | None = None
    parent_id: UUID | None = None
    description: str | None = Field(None, max_length=2000)

    def fields(self) -> dict[str, Any]:
        """Return what was said."""
        said = self.model_dump(exclude_unset=True)
        if "name" in said and said["name"] is None:
            raise Invalid("`name` cannot be null.", errors=[{"loc": ["name"], "msg": "cannot be null"}])
        return said


class NewCategory(CategoryChange):
    """A category, below another one or a root."""

    name: Name = Field(...)  # pyright: ignore[reportIncompatibleVariableOverride]


class Merge(Shape):
    """Which category takes over what is in this one."""

    into: UUID


class Removal(Shape):
    """How much is to go."""

    subtree: bool = Field(False, description="Delete the subcategories, too.")


class Label(Shape):
    """The category that a resource belongs to, by its id or its path; `none`: it belongs to none."""

    category_id: UUID | None = None
    path: str | None = Field(None, min_length=1, max_length=10_000)
    none: bool = False

    @model_validator(mode="after")
    def _one_of(self) -> "Label":
        if (self.category_id is not None) + (self.path is not None) + self.none != 1:
            raise ValueError("give one of `category_id`, `path` and `none`")
        return self


class CategoryView(BaseModel):
    """A category as it is answered."""

    id: UUID
    parent_id: UUID | None
    name: str
    slug: str
    path: str
    description: str | None


class CategoryPage(CategoryView):
    """A category, what is directly below it, and how many resources that you may see are in it or below it."""

    children: list[CategoryView]
    resource_count: int


class CategoryNode(CategoryView):
    """A category with all that is below it."""

    children: "list[CategoryNode]"


class Tree(BaseModel):
    """The roots, and how many categories there are in all."""

    total: int
    items: list[CategoryNode]


class Prediction(BaseModel):
    """A category of a resource; `is_predicted` is false where a person said so."""

    category_id: UUID
    category: str
    path: str
    confidence: float
    is_predicted: bool


class Predictions(BaseModel):
    """What a resource is about, best first: at most five; `none`: a person said that it is none of them."""

    predictions: list[Prediction]
    none: bool


class Uncertain(BaseModel):
    """A resource whose best prediction is below 0.5."""

    id: UUID
    title: str
    url: str | None
    created_at: datetime
    confidence: float
    predictions: list[Prediction]


class ModelView(BaseModel):
    """A model that was trained: how it did on labels that it had not seen, and its rivals beside it."""

    version: int
    kind: str
    accuracy: float
    macro_f1: float
    contest: dict[str, dict[str, float]]
    labels: int
    held_out: int
    classes: int
    trained_at: datetime
    active: bool
