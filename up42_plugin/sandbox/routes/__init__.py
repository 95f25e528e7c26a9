"""The endpoints of the classic dialect, one module per area; each has ``routes(services)``."""
