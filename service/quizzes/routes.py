"""HTTP for quizzes and, for their owners, their questions."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import AfterValidator, BaseModel, Field, model_validator
from starlette.requests import Request
from starlette.responses import Response

from service.database import reading, transaction
from service.errors import Invalid
from service.quizzes import actions, editing
from service.quizzes.drafts import TYPES, Difficulty, Type
from service.quizzes.validation import BLANKS, KEY_POINTS, LONGEST_ANSWER, LONGEST_PASSAGE, LONGEST_STEM, OPTIONS
from service.web import Listed, Paged, Shape, account, no_content, page, parse, path_id, query, respond, route


def _one_line(text: str) -> str:
    clean = " ".join(text.split())
    if not clean or not clean.isprintable():
        raise ValueError("is empty or has control characters in it")
    return clean


def _once(types: list[Type]) -> list[Type]:
    return list(dict.fromkeys(types))


Ids = Annotated[list[UUID], Field(min_length=1, max_length=100)]
Line = Annotated[str, Field(max_length=LONGEST_ANSWER), AfterValidator(_one_line)]


class QuizRequest(Shape):
    """What a quiz is to be made of (one of the first three), and how it is to be."""

    document_ids: Ids | None = None
    resource_ids: Ids | None = None
    collection_id: UUID | None = None
    num_questions: int = Field(ge=5, le=50)
    question_types: Annotated[
        list[Type],
        Field(default_factory=lambda: list(TYPES), min_length=1, max_length=len(TYPES)),
        AfterValidator(_once),
    ]
    difficulty: Difficulty | None = None
    title: Annotated[str, Field(max_length=200), AfterValidator(_one_line)] | None = None

    @model_validator(mode="after")
    def _of_one_kind(self) -> "QuizRequest":
        if sum(one is not None for one in (self.document_ids, self.resource_ids, self.collection_id)) != 1:
            raise ValueError("give one of `document_ids`, `resource_ids` and `collection_id`")
        return self

    def wanted(self) -> actions.Wanted:
        """Return it as the action takes it."""
        if self.collection_id is not None:
            sources: dict[str, Any] = {"collection_id": str(self.collection_id)}
        else:
            name = "document_ids" if self.document_ids is not None else "resource_ids"
            sources = {name: [str(id) for id in dict.fromkeys(getattr(self, name))]}
        return actions.Wanted(sources, self.num_questions, self.question_types, self.difficulty, self.title)


class Requested(BaseModel):
    """The quiz that will be, and the task that makes it."""

    quiz_id: UUID
    task_id: UUID


class QuizView(BaseModel):
    """A quiz without its questions; `message` says what is done, why it failed, or what to know of it."""

    id: UUID
    title: str
    status: str
    percent: int
    message: str | None
    num_questions: int
    question_count: int
    question_types: list[Type]
    difficulty: Difficulty | None
    generator: str | None
    task_id: UUID | None
    sources: dict[str, Any]
    created_at: datetime
    completed_at: datetime | None


class QuestionView(BaseModel):
    """A question with its answer, for the owner of its quiz."""

    id: UUID
    resource_id: UUID
    position: int
    type: Type
    difficulty: Difficulty
    stem: str
    options: list[str] | None
    answer: dict[str, Any]
    passage: str
    passage_start: int
    weight: float
    report: str | None
    reported_at: datetime | None
    edited_at: datetime | None


class KeyPoint(Shape):
    """A point that a short answer should make, and the terms by which it is found."""

    text: Line
    terms: Annotated[list[Line], Field(min_length=1, max_length=20)]


class Key(Shape):
    """The answer: the fields of the question's type, and no others."""

    option: int | None = Field(None, ge=0, lt=OPTIONS)
    value: bool | None = None
    blanks: (
        Annotated[list[Annotated[list[Line], Field(min_length=1, max_length=20)]], Field(max_length=BLANKS)] | None
    ) = None
    text: Annotated[str, Field(max_length=2 * LONGEST_ANSWER), AfterValidator(_one_line)] | None = None
    key_points: Annotated[list[KeyPoint], Field(max_length=KEY_POINTS)] | None = None


class QuestionChange(Shape):
    """Any subset of a question's fields; its type stays."""

    stem: Annotated[str, Field(max_length=LONGEST_STEM), AfterValidator(_one_line)] | None = None
    options: Annotated[list[Line], Field(min_length=OPTIONS, max_length=OPTIONS)] | None = None
    answer: Key | None = None
    passage: str | None = Field(None, max_length=LONGEST_PASSAGE)
    difficulty: Difficulty | None = None
    weight: float | None = Field(None, gt=0, le=100)

    def fields(self) -> dict[str, Any]:
        """Return what was said; raises Invalid for null."""
        said = self.model_dump(exclude_unset=True)
        for name, value in said.items():
            if value is None:
                raise Invalid(f"`{name}` cannot be null.", errors=[{"loc": [name], "msg": "cannot be null"}])
        if self.answer is not None:
            said["answer"] = self.answer.model_dump(exclude_none=True)
        return said


class Report(Shape):
    """What is wrong with a question."""

    reason: Annotated[str, Field(min_length=3, max_length=1000), AfterValidator(_one_line)]


class TaskAsked(BaseModel):
    """The task that does it."""

    task_id: UUID


def _quiz(request: Request) -> UUID:
    return path_id(request, what="quiz")


def _question(request: Request) -> UUID:
    return path_id(request, "qid", "question")


async def create_quiz(request: Request) -> Response:
    """Have a quiz made; its task tells how far it is."""
    asked = await parse(request, QuizRequest)
    async with transaction() as session:
        quiz_id, task_id = await actions.request(session, account(request), asked.wanted())
    return respond({"quiz_id": quiz_id, "task_id": task_id}, 202, {"Location": f"/quizzes/{quiz_id}"})


async def list_quizzes(request: Request) -> Response:
    """List your own quizzes, the newest first."""
    asked = query(request, Paged)
    async with reading() as session:
        total, items = await actions.browse(session, account(request), asked.limit, asked.offset)
    return page(items, total, asked)


async def read_quiz(request: Request) -> Response:
    """Read how a quiz stands: no questions, no answers."""
    async with reading() as session:
        return respond(await actions.read(session, account(request), _quiz(request)))


async def delete_quiz(request: Request) -> Response:
    """Delete a quiz with its questions."""
    async with transaction() as session:
        await actions.remove(session, account(request), _quiz(request))
    return no_content()


async def list_questions(request: Request) -> Response:
    """List the questions of your own quiz with their answers, for editing; not while you take it."""
    asked = query(request, Paged)
    async with reading() as session:
        total, items = await editing.questions(session, account(request), _quiz(request), asked.limit, asked.offset)
    return page(items, total, asked)


async def edit_question(request: Request) -> Response:
    """Change a question; it must meet the rules that all questions meet."""
    said = (await parse(request, QuestionChange)).fields()
    async with transaction() as session:
        return respond(await editing.edit(session, account(request), _quiz(request), _question(request), said))


async def report_question(request: Request) -> Response:
    """Say what is wrong with a question."""
    said = await parse(request, Report)
    async with transaction() as session:
        shown = await editing.report(session, account(request), _quiz(request), _question(request), said.reason)
    return respond(shown)


async def regenerate_question(request: Request) -> Response:
    """Have another question made in the place of one."""
    async with transaction() as session:
        task_id = await editing.regenerate(session, account(request), _quiz(request), _question(request))
    return respond({"task_id": task_id}, 202, {"Location": f"/tasks/{task_id}"})


_ONE = "/quizzes/{id}/questions/{qid}"
routes = [
    route(
        "POST", "/quizzes", create_quiz, scope="write", takes=QuizRequest, gives=Requested, status=202, also=(404, 409)
    ),
    route("GET", "/quizzes", list_quizzes, scope="read", queries=Paged, gives=Listed[QuizView]),
    route("GET", "/quizzes/{id}", read_quiz, scope="read", gives=QuizView),
    route("DELETE", "/quizzes/{id}", delete_quiz, scope="write", status=204),
    route(
        "GET", "/quizzes/{id}/questions", list_questions, scope="read", queries=Paged, gives=Listed[QuestionView],
        also=(409,),
    ),
    route("PUT", _ONE, edit_question, scope="write", takes=QuestionChange, gives=QuestionView, also=(409,)),
    route("POST", f"{_ONE}/report", report_question, scope="write", takes=Report, gives=QuestionView, also=(409,)),
    route("POST", f"{_ONE}/regenerate", regenerate_question, scope="write", gives=TaskAsked, status=202, also=(409,)),
]  # fmt: skip
