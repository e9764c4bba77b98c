"""Find the buttons of a reply."""

from bots.messages import Button, Reply, TapReply


def buttons(reply: Reply | TapReply) -> list[Button]:
    """Return all buttons of a reply, row by row."""
    return [each for row in reply.rows or () for each in row]


def button(reply: Reply | TapReply, label: str) -> Button:
    """Return the first button of a reply whose label is or contains `label`."""
    same = [each for each in buttons(reply) if each.label == label]
    return next(iter(same or [each for each in buttons(reply) if label in each.label]))
