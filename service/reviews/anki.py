"""Cards as text that Anki imports (https://docs.ankiweb.net/importing/text-files.html).

A tab between fields, HTML in them. The id of a question is the note's, so that importing again changes the notes that
are there. A spreadsheet shows such a file, too: what it would compute begins with a character reference, which Anki
shows as the character.
"""

import re
from collections.abc import AsyncIterator
from html import escape
from typing import Any
from uuid import UUID

from sqlalchemy import Row

from service.database import reading
from service.exports.spreadsheet import FORMULA
from service.quiz_sessions.results import right_answer
from service.quizzes.tables import Question
from service.reviews.actions import reviewable
from service.reviews.tables import ReviewCard
from service.security.accounts import Account

HEADER = """#separator:tab
#html:true
#notetype:Basic
#deck:Pharos
#columns:guid\tFront\tBack\tTags
#guid column:1
#tags column:4
"""
PORTION = 500
_BREAK = re.compile(r"\r\n|[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]")
_NO_TAG = re.compile(r"[^\w:-]+")


async def exported(account: Account) -> AsyncIterator[str]:
    """Yield the file in portions; no session is open while one is sent."""
    yield HEADER
    after: UUID | None = None
    while True:
        cards = reviewable(account).order_by(ReviewCard.question_id).limit(PORTION)
        cards = cards if after is None else cards.where(ReviewCard.question_id > after)
        async with reading() as session:
            rows = (await session.execute(cards)).all()
        if not rows:
            return
        after = rows[-1][1].id
        yield "".join(map(_line, rows))


def _line(row: Row[*tuple[Any, ...]]) -> str:
    question: Question = row[1]
    right = right_answer(question.type, question.options, question.answer)
    front = [
        field(question.stem),
        *(f"{number}. {field(option)}" for number, option in enumerate(question.options or [], 1)),
    ]
    back = [field(right["text"]), f"<i>{field(question.passage)}</i>", field(row[2])]
    tags = f"pharos::{_NO_TAG.sub('_', question.type)} pharos::{_NO_TAG.sub('_', question.difficulty)}"
    return "\t".join((str(question.id), "<br>".join(front), "<br>".join(back), tags)) + "\n"


def field(text: str) -> str:
    """Return a text as a field: on one line, no markup, nothing that a spreadsheet would compute."""
    plain = _BREAK.sub("\n", text).replace("\t", " ").strip()
    safe = escape(plain).replace("\n", "<br>")
    return f"&#{ord(plain[0])};{safe[len(escape(plain[0])) :]}" if plain.startswith(FORMULA) else safe
