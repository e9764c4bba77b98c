"""Settings of the feedback commands: the database, and the emoji map that taps refer to."""

from pathlib import Path

from db.settings import DatabaseSettings
from recognizer.emoji_map import DEFAULT_PATH


class FeedbackSettings(DatabaseSettings):
    """The database's settings and the emoji map, from the same variables as the bot's."""

    emoji_map: Path = DEFAULT_PATH
