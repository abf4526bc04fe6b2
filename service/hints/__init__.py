"""What each page says of itself, until somebody has read it.

It owns which hints an account has put away. It calls nobody; the page shows the rest.
"""
