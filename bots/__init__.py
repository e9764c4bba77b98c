"""The bot: Telegram, Discord and a local web chat, around one service that makes all decisions."""
