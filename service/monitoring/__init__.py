"""Monitoring: what Pharos does and how it fares, for operators and for whatever watches it.

Owns no tables. Reads the event log, the queue's state, the pool.
"""
