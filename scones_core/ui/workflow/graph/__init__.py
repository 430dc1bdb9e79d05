"""State machines as drawings."""
