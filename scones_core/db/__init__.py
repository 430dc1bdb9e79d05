"""Persistence: SQLite by default, PostgreSQL by URL."""

from scones_core.db.engine import Database

__all__ = ["Database"]
