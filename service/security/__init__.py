"""Security: who asks, what they may do, how often, and where we may connect to.

accounts.py        users and the Account that a request acts for; startup.py makes the first, `admin`
authentication.py  whose credential is this? the same for HTTP, WebSocket and SSE
credentials.py     the form and the hash of secrets: tokens.py, sessions.py, login_links.py
passwords.py       argon2id
permissions.py     roles, scopes, the rule for a single object
limits.py          rate limits
middleware.py      what every request passes
egress.py          the one HTTP client for addresses that people give us
tables.py          users, tokens, sessions, login_links
routes.py          /auth, /users
"""
