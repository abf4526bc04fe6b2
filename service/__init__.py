"""Pharos, the map.

The kernel:
    app.py          create_app(): routes and middleware as two lists; the lifespan opens everything
    settings.py     every environment variable; configuration.py writes their documentation
    errors.py       the error tree
    events.py       event names, the base of payloads, where an event comes from
    hooks.py        THE TABLE: every task, and every event that starts one
    catalogue.py    writes the page about all of them
    bus.py          the event bus: tasks and listeners for what was committed
    outbox.py       emit(session, event); the relay
    event_log.py    what was carried on: history, timelines, replay
    queue/          tasks over Redis: sending, the engine inside the `dramatiq` CLI, dead letters
    database.py     the pooled engine, transaction(), reading()
    web.py          routes, parsing, answers, problem+json; openapi.py describes them
    live.py         events to browsers
    logs.py         one format for all logs
    storage.py      the bytes of originals, by their hash
    inference.py    asks the model server
    embedded/       PostgreSQL and Valkey from their wheels
    migrations/     the schema's history
    security/       accounts, tokens, permissions, limits, the one HTTP client
    ui/             the page

The slices, each with routes, tables, events, actions:
    resources/      the items of the library
    graph/          what cites what
    authors/        who wrote what
    search/         words and meaning, and the search
    quality/        how good each resource is, and why
    taxonomy/       a tree of categories, and what each resource is about
    collections/    resources put together, and their common meaning
    annotations/    passages that people mark, found again when a text changes
    ingestion/      the way in
    documents/      uploaded files
    recommendations/ what people touch, and what they might read next
    batches/        one operation on many resources
    quizzes/        questions about what somebody reads, each with its passage
    exports/        the library in the formats of other programs
    monitoring/     what operators see
"""

# Which slice may call the actions of which others. Everything else across slices is an event.
CALLS: dict[str, tuple[str, ...]] = {
    "resources": (),
    "graph": ("resources", "search"),
    "search": ("resources",),
    "quality": ("resources",),
    "taxonomy": (),
    "collections": ("resources",),
    "annotations": (),
    "ingestion": ("resources", "graph", "search", "collections"),
    "authors": (),
    "recommendations": ("resources",),
    "documents": ("resources", "ingestion", "recommendations"),
    "batches": ("search",),
    "quizzes": (),
    "exports": (),
    "monitoring": (),
    "ui": ("resources", "graph", "search", "ingestion"),
}
