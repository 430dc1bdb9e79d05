"""The Workflow page."""
