"""Ten texts of our own for an empty library: about memory, libraries and search, and about one another.

It owns no table: each account's sample is a batch of uploads and a collection whose ids follow from the account's, so
that it is loaded once, found again, and removed in one step. The texts are private to who loads them.
"""
