"""Reviews: questions that somebody answered come back when they are about to be forgotten.

Owns `review_cards`, `review_log`. Emits nothing. Sessions that are submitted make cards
(`actions.take_up`).

    memory.py        when a question comes back: FSRS
    days.py          days as they are where somebody lives
    actions.py       take up, list what is due, rate, suspend
    asking.py        a question to be reviewed, without and with its key
    statistics.py    retention, streak, forecast
    anki.py          cards as text that Anki imports
"""
