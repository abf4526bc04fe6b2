"""Readings: what each account wants to read, and how far it is; nobody sees another's.

Owns `readings`. Emits nothing: nothing is derived from them, and how long somebody read is told as an interaction.

    progress.py   what follows from a state or a place in the text
    actions.py    keep, put many on the list, list, count, take off
"""
