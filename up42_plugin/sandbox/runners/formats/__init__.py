"""Blocks that change how images are stored or placed."""
