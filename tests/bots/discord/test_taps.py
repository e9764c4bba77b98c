"""Presses on buttons: pictures that are made, changed and replaced, and emoji of a server's own."""

from typing import Any

import discord
import pytest
from simcord import ChannelHandle, Env, MemberActor

from bots.conversation import texts
from bots.discord.sending import with_buttons
from bots.messages import Button
from db import Person, Platform, Preferences, Store
from tests.bots.discord.driving import labels_of, last_in, lead_back, mention_of, response_to
from tests.waiting import PATIENCE_S

pytestmark = pytest.mark.simcord(settle_timeout=PATIENCE_S)


async def test_what_covers_a_face_is_changed_in_the_picture_itself(
    simcord_env: Env, channel: ChannelHandle, alice: MemberActor, group_photo: bytes
) -> None:
    await alice.send(channel, mention_of(simcord_env), attachments=[("us.jpg", group_photo)])
    answer = last_in(channel)
    [made] = (await alice.click(answer, label=texts.EMOJI_ME)).followups
    lead_back(simcord_env, made.message, answer)
    before = await made.attachments[0].read()
    await alice.click(made, label=labels_of(made.message)[0][0])
    await alice.click(last_in(channel), label=labels_of(last_in(channel))[0][3])
    [changed] = last_in(channel).attachments
    assert last_in(channel).id == made.id
    after = await changed.read()
    assert after != before
    assert after.startswith(b"\xff\xd8")
    assert before.startswith(b"\xff\xd8")


async def test_the_emoji_of_a_sticker_changes_its_place_as_often_as_one_likes(
    simcord_env: Env, channel: ChannelHandle, alice: MemberActor, selfie: bytes
) -> None:
    await alice.send(channel, mention_of(simcord_env), attachments=[("me.jpg", selfie)])
    answer = last_in(channel)
    [sent] = (await alice.click(answer, label=texts.STICKER)).followups
    made = sent.message
    lead_back(simcord_env, made, answer)
    versions = [await made.attachments[0].read()]
    for place in ("ON_FACE", "NONE", "BESIDE", "ON_FACE"):
        await alice.click(made, label=texts.STICKER_EMOJI[place])
        sticker = last_in(channel)
        assert sticker.id == made.id
        assert texts.STICKER_EMOJI[place] not in [label for row in labels_of(sticker) for label in row]
        versions.append(await sticker.attachments[0].read())
    assert versions[0] == versions[3]
    assert versions[1] == versions[4]
    assert len(set(versions)) == 3


async def test_an_avatar_that_is_looked_at_in_the_settings_is_shown_to_nobody_else(
    store: Store, channel: ChannelHandle, alice: MemberActor
) -> None:
    await store.set_preferences(Person(Platform.DISCORD, str(alice.id)), Preferences(hair="bun"))
    settings = response_to(await alice.slash(channel, "settings"))
    await alice.click(settings, label=texts.AVATAR)
    [shown] = (await alice.click(settings, label=texts.AVATAR_SHOW)).followups
    assert shown.ephemeral


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
