"""Running the bot from a chat: who may, reviewing faces, retraining, and changing the served version."""
