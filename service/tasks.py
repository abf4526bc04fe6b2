"""Every queue and every task. What starts a task stands in `service/hooks.py`, what it does in `workers/`."""

from service.queue.requeue import Requeue
from service.queue.task import Bound, Queue, Task

#                     name             priority: 9 is the most urgent
URGENT = Queue("urgent", 9)
HIGH_PRIORITY = Queue("high_priority", 7)
DEFAULT = Queue("default", 5)
DOCUMENTS = Queue("documents", 5)
INDEXING = Queue("indexing", 5)
ML_TASKS = Queue("ml_tasks", 5)
QUIZZES = Queue("quizzes", 5)
BATCH = Queue("batch", 3)
QUEUES = [URGENT, HIGH_PRIORITY, DEFAULT, DOCUMENTS, INDEXING, ML_TASKS, QUIZZES, BATCH]

#                 name                         queue   retries  limit (s)  one per
INGEST = Task("ingest_resource", DOCUMENTS, 3, 300, "resource_id")
PROCESS = Task("process_document", DOCUMENTS, 3, 300, "resource_id")
CITE = Task("extract_citations", DOCUMENTS, 3, 120, "resource_id")
INDEX_DOCUMENT = Task("index_document", INDEXING, 3, 300, "resource_id")
INDEX = Task("update_search_index", URGENT, 3, 30, "resource_id", backoff=5)
LABEL = Task("update_search_labels", INDEXING, 3, 30, "resource_id", backoff=5)
EMBED = Task("regenerate_embedding", HIGH_PRIORITY, 3, 120, "resource_id", backoff=60)
QUALITY = Task("recompute_quality", ML_TASKS, 2, 120, "resource_id")
DEGRADATION = Task("monitor_quality_degradation", BATCH, 2, 1800)
OUTLIERS = Task("detect_quality_outliers", BATCH, 2, 1800)
RECONCILE = Task("reconcile_derived_data", BATCH, 1, 120)
PROCESS_BATCH = Task("batch_process_resources", BATCH, 3, 6 * 3600, "batch_id")
IMPORT = Task("import_file", BATCH, 3, 6 * 3600, "import_id")
LOOK_UP = Task(  # arXiv asks for three seconds between two requests, and one connection
    "look_up_metadata", BATCH, 3, 120, "resource_id", backoff=60, bounds=(Bound(1), Bound(1, seconds=3))
)
WATCH = Task("watch_task_patterns", BATCH, 1, 60)
CLASSIFY = Task("classify_resource", ML_TASKS, 2, 120, "resource_id")
MEAN = Task("embed_categories", ML_TASKS, 3, 1800, "category_id")
RETRAIN = Task("retrain_classification_model", BATCH, 1, 1800)
RECENTER = Task("update_collection_embeddings", DEFAULT, 3, 120, "collection_id")
ANCHOR = Task("anchor_annotations", DEFAULT, 3, 300, "resource_id")
GRAPH = Task("update_graph_edges", DEFAULT, 3, 600, "resource_id")
AUTHORS = Task("normalize_author_names", BATCH, 3, 300, "resource_id")
CLEAN_FILES = Task("clean_files", BATCH, 1, 600)
PROFILE = Task("refresh_recommendation_profile", BATCH, 3, 120, "user_id")
CUT = Task("cut_notifications", BATCH, 1, 300)
INVALIDATE = Task("invalidate_cache", URGENT, 3, 30, "resource_id")
CLEAN = Task("cleanup_expired_cache", BATCH, 1, 1800)
WARM = Task("warm_cache", BATCH, 1, 600)
PURGE = Task("purge_trash", BATCH, 1, 600)
REMIND = Task("remind_of_reviews", BATCH, 1, 300)
GENERATE = Task("generate_quiz", QUIZZES, 2, 300, "quiz_id")
REPLACE = Task("replace_question", QUIZZES, 2, 120, "question_id")
DELIVER = Task("deliver_webhook", BATCH, 8, 60, "delivery_id", bounds=(Bound(16),))  # a slow receiver is not all
POLL = Task("poll_feeds", BATCH, 1, 600, "host", bounds=(Bound(1, per_key=True),))  # one request at a time per host
LOOK = Task("find_due_feeds", BATCH, 1, 60)
CUT_ENTRIES = Task("cut_feed_entries", BATCH, 1, 300)
BACKUP = Task("back_up_library", BATCH, 2, 60)
FIND_DIGESTS = Task("find_due_digests", BATCH, 1, 60)
DIGEST = Task("send_digest", BATCH, 3, 180, "letter_id", bounds=(Bound(8),))  # mail servers take few at a time
TASKS = [declared for declared in list(globals().values()) if isinstance(declared, Task)]
REQUEUE = Requeue({task.name: task for task in TASKS})
PERIODIC = [
    RECONCILE,
    WATCH,
    LOOK,
    FIND_DIGESTS,
    CLEAN_FILES,
    BACKUP,
    DEGRADATION,
    OUTLIERS,
    CUT,
    PURGE,
    CUT_ENTRIES,
    REMIND,
    RETRAIN,
    CLEAN,
]  # those of the timetable
