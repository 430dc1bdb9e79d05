"""The embedded backend: one process, one folder, no account and no server."""
