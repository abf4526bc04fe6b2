"""The cache: values in Redis that were costly to make, and never older than the last answer to a write.

Owns no table. Emits cache.warming_requested; cache.hit, .miss and .invalidated to listeners of the same process, where
there are any. Listens to all that changes what is kept (`forgetting.py`).

    keys.py         how long each kind of value lives, and what is forgotten with what
    cache.py        get, set, delete, get_or_compute: one computation for all who ask
    shared.py       L2: entries, leases and generations in Redis
    entries.py      values as bytes
    server.py       the connection: its breaker, and what could not be forgotten
    local.py        L1: values of this process that never change
    forgetting.py   what each event makes untrue
    statistics.py   what it saved
    actions.py      warm it, take out what nobody can read any more
"""
