"""Quizzes: questions about what somebody reads, each tied to the passage that answers it.

Owns `quizzes`, `quiz_questions`, `quiz_model_usage`. Emits quiz.requested, .stalled, .generation.started,
.generation.progress, .generated, .generation.failed, .replacement_requested, .question_replaced. Listens to the end of
its tasks.

    actions.py       ask for a quiz, list, read, delete
    sources.py       the texts behind documents, resources or a collection
    progress.py      begin, tell how far it is, keep the questions, give up
    editing.py       for the owner: list with answers, edit, report, replace
    secrecy.py       when even the owner does not see the answers
    listening.py     a task that is given up gives up its quiz
    drafts.py        a question on its way
    validation.py    the rules that every question meets, whoever made it

    by rules:
    generation.py    the whole; replacements.py: one more
    sentences.py     sentences, and which can stand alone
    lexicon.py grammar.py vocabulary.py    English words, phrases, and what says too little
    answers.py       names, terms, numbers, years, definitions
    pool.py information.py    what the text speaks of, and how much a sentence tells of it
    distractors.py variants.py short_answers.py    wrong answers, accepted ones, key points
    making.py        questions of the four types
    keywords.py      for other languages
    selection.py     the best, spread over the text

    by a language model:
    writing.py       pieces, one try to repair, rules for the rest
    prompts.py       what it is told, and how its answer is read
    models.py        one request, and what all of them may cost
"""
