"""Telegram: translates its updates to messages and the replies back."""
