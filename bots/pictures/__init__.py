"""Pictures people share: faces covered by emoji, stickers, numbered faces."""
