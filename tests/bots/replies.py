"""Find the buttons of a reply."""

from bots.conversation import texts
from bots.conversation.service import EmojiService
from bots.messages import Button, Command, CommandName, Reply, Tap, TapReply
from db import Chat, Person


def buttons(reply: Reply | TapReply) -> list[Button]:
    """Return all buttons of a reply, row by row."""
    return [each for row in reply.rows or () for each in row]


def button(reply: Reply | TapReply, label: str) -> Button:
    """Return the first button of a reply whose label is or contains `label`."""
    same = [each for each in buttons(reply) if each.label == label]
    return next(iter(same or [each for each in buttons(reply) if label in each.label]))


async def forget(service: EmojiService, person: Person, chat: Chat) -> TapReply:
    """Let a person ask to be forgotten, and say yes to the question."""
    question = await service.on_command(Command(person, chat, CommandName.FORGET_ME))
    return await service.on_tap(Tap(person, chat, button(question, texts.FORGET_YES).token))
