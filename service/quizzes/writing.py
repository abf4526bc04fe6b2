"""The questions of a quiz: by a language model where one is configured, the rest, and otherwise all, by rules."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from random import Random

import structlog

from service.quizzes import prompts
from service.quizzes.drafts import Asked, Draft, Made, Material
from service.quizzes.models import BudgetSpent, Model, ModelFailed, egress_to, endpoint
from service.quizzes.prompts import AT_ONCE, PIECE, Piece, Unusable
from service.quizzes.selection import select
from service.quizzes.validation import faults
from service.settings import settings

log = structlog.get_logger(__name__)

SPARE = 1.3  # times as many questions are asked for as are wanted: some break the rules, some ask for one thing twice
TIME = 200.0  # seconds for all that the model writes; the task's limit is 300
FAILURES = 2  # requests in a row that give nothing, after which the model is left alone

Tell = Callable[[int, str], Awaitable[None]]
ByRules = Callable[[Asked], Awaitable[Made]]


@dataclass(frozen=True, slots=True)
class Result:
    """A quiz, and who made it: rules or llm."""

    made: Made
    generator: str


async def write(materials: Sequence[Material], asked: Asked, by_rules: ByRules, tell: Tell) -> Result:
    """Return the questions; `by_rules` makes all of them, `tell` hears how far it is (percent, what is done)."""
    if settings().llm_url is None:
        await tell(20, "Looking for sentences that can be asked about")
        return Result(await by_rules(asked), "rules")
    written, trouble = await _by_model(materials, asked, tell)
    lengths = [len(material.content) for material in materials]
    chosen = select(written, asked.number, asked.types, asked.difficulty, lengths, Random(asked.seed))
    if len(chosen) == asked.number:
        return Result(Made(tuple(chosen), None), "llm")
    await tell(80, "Looking for more by rules")
    rest = await by_rules(asked)
    both = [*(replace(draft, merit=2.0) for draft in chosen), *rest.drafts]
    chosen = select(both, asked.number, asked.types, asked.difficulty, lengths, Random(asked.seed))
    count = sum(draft.merit == 2.0 for draft in chosen)
    if not count:
        said = f"They are made by rules: {trouble}" if trouble else "They are made by rules."
        return Result(Made(tuple(chosen), " ".join(filter(None, [said, rest.message]))), "rules")
    said = f"{count} of {len(chosen)} questions are by the language model, the others by rules."
    return Result(Made(tuple(chosen), said), "llm")


async def _by_model(materials: Sequence[Material], asked: Asked, tell: Tell) -> tuple[list[Draft], str]:
    """Return what the model wrote and the rules let pass, and what stopped it before the end."""
    url = endpoint(settings().llm_url or "")
    drafts: list[Draft] = []
    trouble = ""
    places = pieces(materials, asked)
    failures = 0
    try:
        async with asyncio.timeout(TIME), egress_to(url) as egress:
            model = Model(egress, url)
            for number, piece in enumerate(places):
                await tell(10 + 70 * number // len(places), "The language model writes questions")
                try:
                    drafts += await _of_piece(model, piece, asked, materials[piece.source].content)
                    failures = 0
                except BudgetSpent:
                    raise
                except ModelFailed as error:
                    trouble = error.detail
                    failures += 1
                    if failures == FAILURES:
                        break
    except BudgetSpent as error:
        trouble = error.detail
    except TimeoutError:
        trouble = "The language model took too long."
    if trouble:
        log.warning("language model", trouble=trouble, questions=len(drafts))
    return drafts, trouble


async def _of_piece(model: Model, piece: Piece, asked: Asked, content: str) -> list[Draft]:
    """Have questions written of one piece, and those that break rules written once more."""
    said = prompts.messages(piece, AT_ONCE, asked.types, asked.difficulty)
    form = prompts.schema(asked.types)
    answer = await model.answer(said, form)
    good, faulty = checked(answer, piece, asked, content)
    if faulty:
        anew = await model.answer(prompts.repair(said, answer, faulty), form)
        good += checked(anew, piece, asked, content)[0]
    return good


def checked(answer: str, piece: Piece, asked: Asked, content: str) -> tuple[list[Draft], list[tuple[str, list[str]]]]:
    """Return the questions of an answer that meet the rules, and the others with what is wrong."""
    try:
        drafts, faulty = prompts.parsed(answer, piece)
    except Unusable as error:
        return [], [("", [str(error)])]
    good: list[Draft] = []
    for draft in drafts:
        wrong = faults(draft, content)
        if draft.type not in asked.types:
            wrong.append(f"Its type is not one of {', '.join(asked.types)}.")
        if wrong:
            faulty.append((draft.stem, wrong))
        else:
            good.append(draft)
    return good, faulty


def pieces(materials: Sequence[Material], asked: Asked) -> list[Piece]:
    """Return as many pieces of the materials as requests are needed, evenly spread, each from the start of a line."""
    number = max(1, round(asked.number * SPARE / AT_ONCE))
    whole = sum(len(material.content) for material in materials)
    number = min(number, max(1, whole // 1000))
    found: list[Piece] = []
    for place in range(number):
        at = place * whole // number
        source = 0
        while at >= len(materials[source].content) and source + 1 < len(materials):
            at -= len(materials[source].content)
            source += 1
        content = materials[source].content
        line = content.rfind("\n", 0, at + 1) + 1 if at else 0
        start = line if at - line < PIECE // 2 else at
        found.append(Piece(source, start, content[start : start + PIECE]))
    return found
