"""What an answer may be, by type of question; it is kept in one form."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any
from uuid import UUID

from pydantic import Field, StrictBool, StrictInt, StrictStr, StringConstraints

from service.errors import Invalid
from service.quiz_sessions.asked import Asked
from service.quiz_sessions.folding import fold

LONGEST = 4000  # characters of a short answer
Text = Annotated[StrictStr, StringConstraints(max_length=LONGEST)]
Value = StrictBool | StrictInt | Text | Annotated[list[Text], Field(max_length=50)] | None


class WrongKind(ValueError):
    """An answer that its question does not take."""


def checked(questions: Mapping[UUID, Asked], given: Mapping[UUID, Value]) -> dict[UUID, Any]:
    """Return answers as they are kept; Invalid names the place of each that its question does not take."""
    kept: dict[UUID, Any] = {}
    faults: list[dict[str, Any]] = []
    for id, value in given.items():
        question = questions.get(id)
        try:
            if question is None:
                raise WrongKind("this session does not ask it")
            kept[id] = kept_form(question, value)
        except WrongKind as fault:
            faults.append({"loc": ["answers", str(id)], "msg": str(fault)})
    if faults:
        raise Invalid(f"The answer to {faults[0]['loc'][1]} cannot be taken: {faults[0]['msg']}.", errors=faults)
    return kept


def kept_form(question: Asked, value: Value) -> Any:
    """Return one answer as it is kept: index, bool, a text for each blank, or text; None is no answer."""
    if value is None:
        return None
    match question.type:
        case "multiple_choice":
            return _option(question.options or [], value)
        case "true_false":
            if isinstance(value, bool):
                return value
            raise WrongKind("it takes true or false")
        case "fill_in_blank":
            return _texts(value, question.blanks or 0)
        case _:
            if isinstance(value, str):
                return value if value.strip() else None
            raise WrongKind("it takes a text")


def _option(options: Sequence[str], value: Value) -> int:
    if isinstance(value, int) and not isinstance(value, bool):
        if 0 <= value < len(options):
            return value
        raise WrongKind(f"it takes an index from 0 to {len(options) - 1}, or the text of an option")
    if isinstance(value, str):
        exact = [place for place, option in enumerate(options) if option == value]
        alike = exact or [place for place, option in enumerate(options) if fold(option) == fold(value)]
        if len(alike) == 1:
            return alike[0]
    raise WrongKind("it takes the text of one of its options, or an index into them")


def _texts(value: Value, blanks: int) -> list[str] | None:
    texts = [value] if isinstance(value, str) else value
    if not isinstance(texts, list) or len(texts) > blanks:
        raise WrongKind(f"it takes a list of {blanks} texts" if blanks > 1 else "it takes a text")
    if not any(text.strip() for text in texts):
        return None
    return [*texts, *[""] * (blanks - len(texts))]
