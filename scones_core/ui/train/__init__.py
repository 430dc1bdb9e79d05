"""The Train & deploy page."""
