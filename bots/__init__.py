"""The doors: Telegram, Discord and a local web chat, around one service that decides everything."""
