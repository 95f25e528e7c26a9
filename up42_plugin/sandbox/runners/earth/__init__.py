"""Blocks that deliver the made-up Earth itself, or the account's own files."""
