"""Pharos, the map.

The kernel:
    app.py          create_app(): routes and middleware as two lists; the lifespan opens everything
    settings.py     every environment variable; configuration.py writes their documentation
    errors.py       the error tree
    events.py       event names, the base of payloads, where an event comes from
    hooks.py        THE TABLE: every task, and every event that starts one
    sweeps.py       what looks for derived rows that do not match their source
    catalogue.py    writes the page about all of them
    broadcast/      events for programs beside Pharos, over Redis
    bus.py          the event bus: tasks and listeners for what was committed
    outbox.py       emit(session, event); the relay
    event_log.py    what was carried on: history, timelines, replay
    queue/          tasks over Redis: sending, the engine inside the `dramatiq` CLI, dead letters
    database.py     the pooled engine, transaction(), reading()
    pool.py         when a process opens more connections; connections.py: how many there may be on a host
    slow.py         queries that took long, with their plans
    web.py          routes, parsing, answers, problem+json; openapi.py describes them
    live/           events to browsers, as server-sent events and over WebSockets
    logs.py         one format for all logs
    requests.py     each request: counted, timed, logged
    lag.py          how late the event loop turns
    draining.py     what a web server says and does before it stops
    cache/          values that were costly to make, never older than the last answer to a write
    storage/        the bytes of originals, by their hash: in a folder or a bucket
    inference.py    asks the model server
    embedded/       PostgreSQL and Valkey from their wheels
    migrations/     the schema's history
    security/       accounts, tokens, permissions, limits, the one HTTP client
    ui/             the page
    mcp/            the library for assistants

The slices, each with routes, tables, events, actions:
    resources/      the items of the library
    trash/          what was deleted, until it is restored or deleted for good
    duplicates/     what is in the library twice, and merging it
    graph/          what cites what
    authors/        who wrote what
    search/         words and meaning, and the search
    quality/        how good each resource is, and why
    taxonomy/       a tree of categories, and what each resource is about
    collections/    resources put together, and their common meaning
    annotations/    passages that people mark, found again when a text changes
    ingestion/      the way in
    documents/      uploaded files, the subjects they are studied for, and their passages
    recommendations/ what people touch, and what they might read next
    readings/       what each person wants to read, and how far that is
    batches/        one operation on many resources
    quizzes/        questions about what somebody reads, each with its passage
    quiz_sessions/  somebody takes a quiz, and what came of it
    reviews/        questions that come back before they are forgotten
    notifications/  what people are told
    digests/        what people are told, by e-mail
    hints/          what each page says of itself, until somebody has read it
    webhooks/       events for people's own programs, signed, until they arrive
    feeds/          feeds that people follow, and feeds of what is here
    imports/        files of other programs into the library
    exports/        the library in the formats of other programs
    samples/        ten texts of our own, for an empty library
    monitoring/     what operators see
    backups/        the whole library in one file, and back; what does not fit together
"""

# Which slice may call the actions of which others. Everything else across slices is an event.
CALLS: dict[str, tuple[str, ...]] = {
    "trash": (),
    "resources": ("trash",),
    "duplicates": ("resources",),
    "graph": ("resources", "search"),
    "search": ("resources",),
    "quality": ("resources",),
    "taxonomy": (),
    "collections": ("resources",),
    "annotations": (),
    "ingestion": ("resources", "graph", "search", "collections"),
    "authors": (),
    "recommendations": ("resources",),
    "readings": (),
    "documents": ("resources", "ingestion", "search", "batches", "recommendations"),
    "batches": ("search",),
    "cache": (),
    "backups": (),
    "quizzes": (),
    "quiz_sessions": ("reviews",),
    "reviews": (),
    "digests": (),
    "hints": (),
    "webhooks": (),
    "feeds": ("ingestion", "collections", "search"),
    "imports": ("resources", "ingestion", "collections", "annotations"),
    "exports": (),
    "samples": ("documents", "collections", "trash"),
    "monitoring": ("backups",),
    "mcp": (),
    "ui": (
        "resources",
        "annotations",
        "graph",
        "search",
        "ingestion",
        "documents",
        "quizzes",
        "quiz_sessions",
        "reviews",
        "notifications",
        "collections",
        "taxonomy",
        "authors",
        "quality",
        "readings",
        "webhooks",
        "digests",
        "hints",
        "samples",
        "feeds",
        "imports",
        "monitoring",
        "trash",
        "duplicates",
    ),
    "notifications": (),
}
