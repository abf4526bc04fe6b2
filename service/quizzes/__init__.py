"""Quizzes: questions about what somebody reads, each tied to the passage that answers it.

Owns `quizzes`, `quiz_questions`.
"""
