"""The admins' console: figures, the review queue, models and retraining, as pages beside the web chat."""

from bots.console.app import Access, Console

__all__ = ["Access", "Console"]
