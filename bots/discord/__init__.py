"""Discord: translates its events to messages and the replies back."""
