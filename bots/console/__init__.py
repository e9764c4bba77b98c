"""The admins' console: figures, faces to review, models and retraining, as pages beside the web chat."""

from bots.console.app import Access, Console

__all__ = ["Access", "Console"]
