"""Monitoring: what Pharos does and how it fares, for operators and for whatever watches it.

Owns `alerts`. Reads the event log, the queue's state, the pool.
"""
