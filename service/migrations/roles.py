"""The database role of the workers: they read and write what is derived, and cannot read who gets in, or change tables.

What a worker runs is driven by documents from outside. Passwords, tokens, sessions, links and invitations are no
business of it; of users it sees who there is, and of the audit log that something can be added.
"""

from sqlalchemy import Connection, text
from sqlalchemy.engine import make_url

from service.errors import PharosError

SECRET = ("tokens", "sessions", "login_links", "invitations", "feed_links", "audit_log", "users", "alembic_version")
SEEN_OF_USERS = ("id", "username", "role", "disabled_at", "created_at")


class NoSuchRole(PharosError):
    """PHAROS_WORKER_DATABASE_URL names the role {role}, which this server does not have, and {owner} may not make it.
    As an administrator of the server: CREATE ROLE {role} LOGIN PASSWORD '...';"""


def grant(connection: Connection, worker_url: str) -> None:
    """Let the role of `worker_url` do a worker's work and nothing else; it is made where it is missing."""
    url = make_url(worker_url)
    role, owner = url.username or "", connection.scalar(text("SELECT current_user"))
    if role == owner:
        return
    _make(connection, role, str(url.password or ""), str(owner))
    quoted = _quote(connection, role)
    statements = [
        f"GRANT USAGE ON SCHEMA public TO {quoted}",
        f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {quoted}",
        f"GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {quoted}",
        *(f"REVOKE ALL ON {table} FROM {quoted}" for table in SECRET),
        f"GRANT SELECT ({', '.join(SEEN_OF_USERS)}) ON users TO {quoted}",
        f"GRANT INSERT ON audit_log TO {quoted}",
    ]
    for statement in statements:
        connection.execute(text(statement))


def _make(connection: Connection, role: str, password: str, owner: str) -> None:
    known = connection.scalar(text("SELECT 1 FROM pg_roles WHERE rolname = :role"), {"role": role})
    allowed = connection.scalar(
        text("SELECT rolsuper OR rolcreaterole FROM pg_roles WHERE rolname = :owner"), {"owner": owner}
    )
    if not known and not allowed:
        raise NoSuchRole(role=role, owner=owner)
    if allowed:
        literal = connection.scalar(text("SELECT quote_literal(:password)"), {"password": password})
        verb = "ALTER" if known else "CREATE"
        connection.exec_driver_sql(f"{verb} ROLE {_quote(connection, role)} LOGIN PASSWORD {literal}")


def _quote(connection: Connection, name: str) -> str:
    return str(connection.scalar(text("SELECT quote_ident(:name)"), {"name": name}))
