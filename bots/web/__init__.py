"""The web chat: a page for one browser at a time, to try the bot without a token."""
