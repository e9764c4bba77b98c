"""The admins' console: figures, faces to review, models, retraining and training, as pages beside the web chat."""

from bots.console.app import Access, Console
from bots.console.uploading import MOST_PIECE_BYTES
from bots.console.uploading import PATH as UPLOAD_PATH

__all__ = ["MOST_PIECE_BYTES", "UPLOAD_PATH", "Access", "Console"]
