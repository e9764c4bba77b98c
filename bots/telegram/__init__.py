"""The Telegram adapter: translates updates to messages and replies back."""
