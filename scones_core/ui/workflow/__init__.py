"""The page Workflow."""
