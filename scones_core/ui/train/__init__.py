"""The page Train & deploy."""
