"""What is for the bot, and what is left alone."""

from typing import Any

import discord
import pytest
from simcord import ChannelHandle, Env, GuildHandle, MemberActor
from simcord.enums import MessageType

from bots.conversation import texts
from tests.bots.discord.driving import last_in, mention_of, reactions_on
from tests.waiting import PATIENCE_S

pytestmark = pytest.mark.simcord(settle_timeout=PATIENCE_S)


@pytest.mark.parametrize("words", ["hey {me}!", "({me})", "{me}, what?", "look\n{me}: this", "me and{me}"])
async def test_a_mention_anywhere_in_the_text_counts(
    simcord_env: Env, channel: ChannelHandle, alice: MemberActor, selfie: bytes, words: str
) -> None:
    await alice.send(channel, words.format(me=mention_of(simcord_env)), attachments=[("me.jpg", selfie)])
    assert "You look happy" in last_in(channel).content


@pytest.mark.parametrize("words", ["hey @mugmoji", "@everyone", "@here", "<@123456789012345678>"])
async def test_what_only_looks_like_a_mention_does_not(
    simcord_env: Env, channel: ChannelHandle, alice: MemberActor, selfie: bytes, words: str
) -> None:
    await alice.send(channel, words, attachments=[("me.jpg", selfie)])
    assert len(channel.history()) == 1


async def test_a_mention_of_the_bots_own_role_counts(
    simcord_env: Env, guild: GuildHandle, channel: ChannelHandle, alice: MemberActor
) -> None:
    role = guild.create_role("mugmoji")
    cached = simcord_env.bot.get_guild(guild.id)
    assert cached is not None
    own = cached.get_role(role.id)
    assert own is not None
    assert simcord_env.bot.user is not None
    own.tags = discord.RoleTags({"bot_id": str(simcord_env.bot.user.id)})
    message = await alice.send(channel, f"hi <@&{role.id}>")
    assert message.role_mentions
    assert last_in(channel).content == texts.MENTIONED_WITHOUT_PHOTO


async def test_pins_and_other_messages_of_discord_are_left_alone(
    simcord_env: Env, channel: ChannelHandle, alice: MemberActor
) -> None:
    known = {1, 2, 3, 4, 5, 6, 7, 8, 12, 14, 18, 20, 21, 22, 23, 24, 25, 27, 31, 32, 36, 37, 38, 39, 46}
    for kind in map(MessageType, known):
        simcord_env.backend.create_message(alice.user.dm_channel.id, alice.id, "system", message_type=kind)
    await simcord_env.settle()
    assert not [each for each in alice.user.dm_channel.history() if each.author == simcord_env.bot.user]


async def test_an_edit_that_mentions_the_bot_is_answered_once(
    simcord_env: Env, channel: ChannelHandle, alice: MemberActor, selfie: bytes
) -> None:
    photo = await alice.send(channel, "look", attachments=[("me.jpg", selfie)])
    assert len(channel.history()) == 1
    await alice.edit(photo, f"look {mention_of(simcord_env)}")
    assert "You look happy" in last_in(channel).content
    await alice.edit(photo, f"look again {mention_of(simcord_env)}")
    assert len(channel.history()) == 2
    assert reactions_on(channel.history()[0]) == ["😁"]


async def test_an_edit_of_what_was_answered_is_left_alone(
    simcord_env: Env, channel: ChannelHandle, alice: MemberActor, selfie: bytes
) -> None:
    photo = await alice.send(channel, mention_of(simcord_env), attachments=[("me.jpg", selfie)])
    await alice.edit(photo, f"{mention_of(simcord_env)} better now")
    assert len(channel.history()) == 2


async def test_a_link_whose_picture_comes_a_moment_later_is_answered_with_it(
    simcord_env: Env, alice: MemberActor, selfie: bytes
) -> None:
    own = "https://images-ext-1.discordapp.net/external/a.gif"
    simcord_env.backend.cdn._blobs[own] = selfie
    backend = simcord_env.backend
    message = backend.create_message(alice.user.dm_channel.id, alice.id, "https://tenor.example/view/a")
    embed: dict[str, Any] = {
        "type": "gifv",
        "url": "https://tenor.example/view/a",
        "video": {"url": own, "proxy_url": own},
    }
    backend.edit_message(message.channel_id, message.id, {"embeds": [embed]})
    await simcord_env.settle()
    answers = [each.content for each in alice.user.dm_channel.history()[1:]]
    assert len(answers) == 1
    assert "You look happy" in answers[0]


async def test_a_webhook_is_left_alone(simcord_env: Env, channel: ChannelHandle, selfie: bytes) -> None:
    backend = simcord_env.backend
    files = backend.store_attachments(channel.id, [("me.jpg", selfie)])
    author = simcord_env.create_user("hook")
    backend.create_message(channel.id, author.id, mention_of(simcord_env), attachments=files, webhook_id=author.id)
    await simcord_env.settle()
    assert len(channel.history()) == 1
