"""Quiz sessions: somebody takes a quiz, once, and what came of it.

Owns `quiz_sessions`, `session_questions`. Emits quiz.session.started, .submitted. A submitted session makes reviews.

    asked.py         a question as it is shown
    order.py         the order of questions and options that follows from a seed
    answers.py       what an answer of each type may be
    folding.py       when two texts are the same to a reader, or nearly
    scoring.py       what an answer is worth; percentages and grades
    similarity.py    how near an answer is to what was expected, by meaning
    actions.py       start, read, save, submit
    results.py       what came of it: by type, by passage, with the right answers
    opened.py        who has not submitted yet, for those who show keys
"""
