"""Running the bot from a chat: permissions, reviewing faces, retraining, and changing the served version."""
