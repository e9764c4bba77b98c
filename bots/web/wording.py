"""What the conversation says, in words for a page: it has a menu where other platforms have commands."""

import re

from bots.conversation import texts
from bots.conversation.languages import Voice

_COMMAND = re.compile(r"(?<![\w/])/(" + "|".join(texts.WEB_MENU.values()) + r")\b")
_LABELS = {command: label for label, command in texts.WEB_MENU.items()}


def without_commands(text: str, voice: Voice) -> str:
    """Return a text with the labels of the menu in place of commands, which cannot be typed on a page."""
    return _COMMAND.sub(lambda found: f"“{voice.say(_LABELS[found[1]])}”", text)
