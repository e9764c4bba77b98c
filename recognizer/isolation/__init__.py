"""Processes that can be ended: they decode untrusted pictures, and find the faces in them, where that does no harm."""
