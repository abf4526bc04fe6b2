"""Recommendations: what a person touched, what it says about them, and what they might read next.

Owns `interactions`, `interaction_counts`, `recommendation_profiles`, `dismissed_recommendations`: all private to their
user. Emits user.interaction_tracked, .profile_updated, .profile_stale. `listening.py` turns what happens elsewhere into
interactions; THE TABLE refreshes the profile at every tenth.

    strength.py      how much an interaction says
    interests.py     a profile out of interactions: decay, centre, subjects and authors
    diversity.py     maximal marginal relevance
    cooccurrence.py  what people touched together
    scoring.py       the weights, the score, and the sentence that says why
    signals.py       what other slices know of a resource
    history.py       what a user touched
    candidates.py    what might be recommended at all
    ranking.py       from all of these to the list
"""
