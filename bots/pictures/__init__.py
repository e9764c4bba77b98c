"""Make pictures to share: faces covered by emoji, stickers, numbered faces."""
