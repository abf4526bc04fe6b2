"""Alembic's entry: runs on the connection that `migrate()` handed over."""

from alembic import context

from service.migrations import metadata

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=metadata(), compare_type=True)
with context.begin_transaction():
    context.run_migrations()
