"""Reading archives piece by piece, and names that are safe to write."""
