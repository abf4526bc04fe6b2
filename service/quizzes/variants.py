"""What is accepted for a blank besides what stands in the text."""

from service.quizzes.answers import Answer
from service.quizzes.lexicon import other_number, parts_of
from service.quizzes.vocabulary import NUMBER_WORDS


def accepted(answer: Answer) -> list[str]:
    """Return what is accepted, the best first: other number, other spelling, a person's last name."""
    text = answer.text
    values = [text]
    *first, last = text.split()
    if answer.kind == "term" and last.islower():
        turned = other_number(last)
        if turned:
            values.append(" ".join([*first, turned]))
    elif answer.kind == "name" and len(first) == 1 and last.isalpha() and "NOUN" not in parts_of(last.lower()):
        values.append(last)
    elif answer.kind == "number" and text.lower() in NUMBER_WORDS:
        values.append(str(NUMBER_WORDS.index(text.lower()) + 2))
    if "-" in text:
        values.append(text.replace("-", " "))
    return list(dict.fromkeys(values))
