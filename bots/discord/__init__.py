"""The Discord adapter: translates events to messages and replies back."""
