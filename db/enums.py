"""The closed sets of names that are stored and passed around: platforms, depths of a retraining, verdicts on a face."""

from enum import StrEnum


class Platform(StrEnum):
    """The origin of a person or a chat; the value is stored, and hashed with their id."""

    TELEGRAM = "telegram"
    DISCORD = "discord"
    WEB = "web"
    CONSOLE = "console"
    IMPORT = "import"


class Depth(StrEnum):
    """How much of a model a retraining changes: a correction of its last layer, or every weight."""

    ADAPT = "adapt"
    FULL = "full"


class Automatic(StrEnum):
    """What happens to a photo in a chat that nobody asked about: nothing, a reaction, a reaction and buttons, or a
    question first. The value is stored.
    """

    OFF = "off"
    REACT = "react"
    OFFER = "offer"
    ASK = "ask"


class TapOrigin(StrEnum):
    """How somebody said what a face shows: with a button, by a reaction on a message, or by copying an emoji in a game.
    The value is stored.
    """

    BUTTON = "button"
    REACTION = "reaction"
    PLAY = "play"


class Verdict(StrEnum):
    """What a person or an admin may say a face shows.

    The first seven are `recognizer.EMOTIONS` in their order, which this package does not import; a test compares them.
    """

    ANGRY = "angry"
    DISGUST = "disgust"
    FEAR = "fear"
    HAPPY = "happy"
    NEUTRAL = "neutral"
    SAD = "sad"
    SURPRISE = "surprise"
    NOT_A_FACE = "not_a_face"
    UNSURE = "unsure"
