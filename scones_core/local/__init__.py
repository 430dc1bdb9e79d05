"""The embedded backend: one process, one folder, no account, no server."""
