"""Alembic runs this with the connection that `Database` hands it."""

from alembic import context

from scones_core.db.schema import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
context.run_migrations()
