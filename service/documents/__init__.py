"""Documents: files that people upload, the subjects they study them for, and their passages.

Owns `documents`, `study_subjects`, `passages`, `uploads`. Calls actions of resources, ingestion, search, batches and
recommendations. Emits document.* and indexing.*. Listens to resource.content_changed (passages are made again),
embedding.generated (a document is ready) and background_task.failed (its indexing was given up).

    routes.py, subject_routes.py, upload_routes.py, shapes.py   HTTP
    actions.py       upload, list, change, delete
    subjects.py      the drawers of an account
    uploads.py       files that come in pieces; parts.py has their bytes
    telling.py       what the workers tell while they read a document
    indexing.py      passages are kept, made again, given up; listening.py: what starts that besides
    structure.py     headings, lists and tables of a text, as pure functions; cutting.py: passages of it
    passages.py      passages with their words, for quizzes and whoever else needs them
    progress.py      how far a document is, in percent and words
    cleaning.py      what the timetable throws away
"""
