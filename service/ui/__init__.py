"""The page under `/ui/`: server-rendered templates, small modules of our own, no build step.

Owns no tables, emits nothing. Pages read through the slices' actions; what a person changes goes through the same JSON
routes that programs use. `pages.py` is what a page is, `library.py` and the others what is on it, `text.py` all words.
"""
