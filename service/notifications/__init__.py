"""Notifications: what a person should hear of, once, even who was not there when it happened.

Owns `notifications`, `notification_causes`, `notification_preferences`. Emits user.notification. Listens to the events
of `kinds.CAUSES`: each becomes, for each person whom it concerns, a row or one more in the row of its group.

    kinds.py        THE TABLE: which event is told, as what; which kinds there are
    concerned.py    whom an event concerns, and what about
    wording.py      a notification in words
    listening.py    what the bus calls; what it missed is found in the log
    actions.py      add, list, count, read, delete, cut
    preferences.py  which kinds somebody wants
"""
