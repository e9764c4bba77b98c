"""What is said to somebody whose photo waits for its turn, and how a bot that has forgotten it is known again."""

import re

from bots.conversation import texts
from bots.conversation.languages import Voice

_NUMBER = re.compile(r"\d{1,9}")


def waiting_notice(voice: Voice, ahead: int) -> str:
    """Return the notice that so many photos come before somebody's own."""
    return voice.count(texts.BUSY, ahead)


def is_waiting_notice(text: str, voice: Voice) -> bool:
    """Check whether a text is such a notice, in the language of `voice`."""
    return any(waiting_notice(voice, int(number)) == text for number in _NUMBER.findall(text))
