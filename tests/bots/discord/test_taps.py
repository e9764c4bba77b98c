"""Presses on buttons: pictures that are made, changed and replaced, and emoji of a server's own."""

from typing import Any

import discord
import pytest
from simcord import ChannelHandle, Env, MemberActor

from bots.conversation import texts
from bots.discord.sending import with_buttons
from bots.messages import Button
from tests.bots.discord.driving import labels_of, last_in, mention_of
from tests.waiting import PATIENCE_S

pytestmark = pytest.mark.simcord(settle_timeout=PATIENCE_S)


async def test_what_covers_a_face_is_changed_in_the_picture_itself(
    simcord_env: Env, channel: ChannelHandle, alice: MemberActor, group_photo: bytes
) -> None:
    await alice.send(channel, mention_of(simcord_env), attachments=[("us.jpg", group_photo)])
    result = await alice.click(last_in(channel), label=texts.EMOJI_ME)
    [made] = result.followups
    before = await made.attachments[0].read()
    buttons = [label for row in labels_of(made.message) for label in row]
    assert buttons
    await alice.click(made, label=texts.SWAP)
    [changed] = last_in(channel).attachments
    assert last_in(channel).id == made.id
    assert (await changed.read()).startswith(b"\xff\xd8")
    assert before.startswith(b"\xff\xd8")


async def test_an_answer_is_sent_without_an_icon_that_discord_no_longer_knows() -> None:
    tried: list[list[Any]] = []

    async def call(view: discord.ui.View) -> str:
        icons = [item.item.emoji for item in view.children if isinstance(item, discord.ui.DynamicItem)]
        tried.append(icons)
        if any(icons):
            response: Any = type("Response", (), {"status": 400, "reason": "Bad Request", "headers": {}})
            problem: Any = {"_errors": [{"code": "BUTTON_COMPONENT_INVALID_EMOJI", "message": "Invalid emoji"}]}
            for part in ("id", "emoji", "0", "components", "0", "components"):
                problem = {part: problem}
            raise discord.HTTPException(response, {"code": 50035, "message": "Invalid Form Body", "errors": problem})
        return "sent"

    rows = ((Button("party", "party", "token", icon="<:party:123456789012345678>"),),)
    assert await with_buttons(rows, call) == "sent"
    assert [bool(icons[0]) for icons in tried] == [True, False]
