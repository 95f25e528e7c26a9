"""The built-in service: HTTP server, job engine, block runners and a made-up scene archive.

Stands alone: it imports no other room and no other room imports it; they talk HTTP on loopback.
"""
