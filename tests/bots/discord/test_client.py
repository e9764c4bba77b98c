"""What nobody asked for: automatic reactions and people's own reactions; threads and channels that are not known."""

import discord
import pytest
from simcord import ChannelHandle, Env, GuildHandle, MemberActor

from bots.conversation import texts
from bots.conversation.service import EmojiService
from bots.discord.client import EmojiClient
from db import Automatic, Chat, ChatChoices, Platform, Store
from tests.bots.discord.driving import channel_where_the_bot, labels_of, last_in, mention_of, reactions_on, response_to
from tests.rows import count_rows
from tests.waiting import PATIENCE_S

pytestmark = pytest.mark.simcord(settle_timeout=PATIENCE_S)


@pytest.fixture
async def reading_all(simcord_env: Env, service: EmojiService) -> None:
    """Let the bot have the intent for the content of messages."""
    await simcord_env.restart_bot(EmojiClient(service, shard_count=1, reads_all_messages=True))


async def switch_on(store: Store, channel: ChannelHandle, automatic: Automatic = Automatic.REACT) -> None:
    await store.chats.choose(Chat(Platform.DISCORD, str(channel.id)), ChatChoices(automatic=automatic))


@pytest.mark.usefixtures("reading_all")
async def test_with_automatic_reactions_a_photo_gets_one_and_no_word(
    simcord_env: Env, channel: ChannelHandle, alice: MemberActor, store: Store, selfie: bytes, wall_photo: bytes
) -> None:
    await switch_on(store, channel)
    await alice.send(channel, "my holiday", attachments=[("me.jpg", selfie)])
    await alice.send(channel, "a wall", attachments=[("wall.jpg", wall_photo), ("notes.pdf", b"%PDF")])
    await alice.send(channel, "a file", attachments=[("thing", b"no picture")])
    await alice.send(channel, "broken", attachments=[("me.jpg", b"no picture")])
    assert [reactions_on(message) for message in channel.history()] == [["😁"], [], [], []]


@pytest.mark.usefixtures("reading_all")
async def test_where_they_are_off_nothing_is_even_fetched(
    simcord_env: Env, channel: ChannelHandle, alice: MemberActor, selfie: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def get_from_cdn(_url: str) -> bytes:
        raise AssertionError("fetched")

    monkeypatch.setattr(simcord_env.bot.http, "get_from_cdn", get_from_cdn)
    await alice.send(channel, "my holiday", attachments=[("me.jpg", selfie)])
    assert len(channel.history()) == 1


@pytest.mark.usefixtures("reading_all")
async def test_a_photo_may_be_offered_or_asked_about(
    simcord_env: Env, channel: ChannelHandle, alice: MemberActor, bob: MemberActor, store: Store, selfie: bytes
) -> None:
    await switch_on(store, channel, Automatic.ASK)
    photo = await alice.send(channel, "my holiday", attachments=[("me.jpg", selfie)])
    question = last_in(channel)
    assert question.content == texts.SHALL_I
    [refused] = (await bob.click(question, label=texts.YES_PLEASE)).followups
    assert refused.content == texts.NOT_YOURS_TO_ASK
    await alice.click(question, label=texts.YES_PLEASE)
    assert "You look happy" in last_in(channel).content
    assert reactions_on(channel.history()[0]) == ["😁"]
    assert photo.id == channel.history()[0].id


async def test_without_the_intent_the_chat_settings_say_what_to_switch_on(
    guild: GuildHandle, channel: ChannelHandle, simcord_env: Env
) -> None:
    managers = guild.create_role("managers", permissions=discord.Permissions(manage_guild=True))
    mia = guild.add_member(simcord_env.create_user("mia"), roles=[managers])
    result = await mia.slash(channel, "chat_settings")
    assert texts.SEES_NO_OTHER_PHOTOS in response_to(result).content
    await mia.click(response_to(result), label=labels_of(response_to(result))[0][0])
    assert texts.SEES_NO_OTHER_PHOTOS in response_to(result).content


@pytest.mark.usefixtures("reading_all")
async def test_with_the_intent_they_do_not(guild: GuildHandle, channel: ChannelHandle, simcord_env: Env) -> None:
    managers = guild.create_role("managers", permissions=discord.Permissions(manage_guild=True))
    mia = guild.add_member(simcord_env.create_user("mia"), roles=[managers])
    result = await mia.slash(channel, "chat_settings")
    assert texts.SEES_NO_OTHER_PHOTOS not in response_to(result).content


async def test_a_reaction_of_the_sender_counts_and_that_of_a_bot_or_the_bot_itself_does_not(
    simcord_env: Env, guild: GuildHandle, channel: ChannelHandle, alice: MemberActor, store: Store, selfie: bytes
) -> None:
    robot = guild.add_member(simcord_env.create_user("robot", bot=True))
    photo = await alice.send(channel, mention_of(simcord_env), attachments=[("me.jpg", selfie)])
    assert await count_rows(store, "taps") == 0
    await robot.react(photo, "😢")
    assert await count_rows(store, "taps") == 0
    before = len(simcord_env.http_requests)
    await alice.react(photo, "😢")
    assert await count_rows(store, "taps") == 1
    await alice.unreact(photo, "😢")
    await alice.react(last_in(channel), "<:custom:123456789012345678>")
    assert len(simcord_env.http_requests) == before


async def test_in_a_thread_that_the_cache_has_not_the_photo_is_answered(
    simcord_env: Env, channel: ChannelHandle, alice: MemberActor, selfie: bytes
) -> None:
    starter = await alice.send(channel, "a thread")
    thread = await _thread(simcord_env, channel, starter)
    cached = simcord_env.bot.get_guild(channel.guild.id) if channel.guild is not None else None
    assert cached is not None
    cached._threads.clear()
    for _ in range(2):
        await alice.send(thread, mention_of(simcord_env), attachments=[("me.jpg", selfie)])
        assert "You look happy" in last_in(thread).content
        assert reactions_on(thread.history()[-2]) == ["😁"]
    fetched = [each for each in simcord_env.http_requests if each.path == f"/channels/{thread.id}"]
    assert len(fetched) == 1


async def test_where_its_own_membership_is_not_known_the_bot_goes_by_what_everybody_may(
    simcord_env: Env, guild: GuildHandle, channel: ChannelHandle, alice: MemberActor, selfie: bytes
) -> None:
    cached = simcord_env.bot.get_guild(guild.id)
    assert cached is not None
    cached._members.clear()
    await alice.send(channel, mention_of(simcord_env), attachments=[("me.jpg", selfie)])
    assert "You look happy" in last_in(channel).content


async def test_in_a_thread_the_right_to_speak_in_threads_counts(
    simcord_env: Env, guild: GuildHandle, alice: MemberActor, selfie: bytes
) -> None:
    quiet = channel_where_the_bot(guild, send_messages_in_threads=False)
    thread = await _thread(simcord_env, quiet, await alice.send(quiet, "a thread"))
    before = len(simcord_env.http_requests)
    await alice.send(thread, mention_of(simcord_env), attachments=[("me.jpg", selfie)])
    assert len(simcord_env.http_requests) == before


async def _thread(env: Env, channel: ChannelHandle, starter: discord.Message) -> ChannelHandle:
    thread = env.backend.create_thread(channel.id, "thread", starter.author.id, message_id=starter.id)
    await env.settle()
    return ChannelHandle(env, channel.guild, thread)


async def test_while_the_bot_ends_photos_are_kept_for_the_next_start_and_all_else_is_refused_in_words(
    simcord_env: Env, channel: ChannelHandle, alice: MemberActor, bob: MemberActor, store: Store, selfie: bytes
) -> None:
    photo = await alice.send(channel, f"look {mention_of(simcord_env)}", attachments=[("me.jpg", selfie)])
    assert isinstance(simcord_env.bot, EmojiClient)
    simcord_env.bot.admission.close()
    before = len(channel.history())
    await alice.send(channel, mention_of(simcord_env), attachments=[("me.jpg", selfie)])
    await bob.send(channel, f"{mention_of(simcord_env)} and mine?", reply_to=photo)
    assert len(channel.history()) == before + 2
    assert await count_rows(store, "open_messages") == 2
    await alice.send(channel, f"{mention_of(simcord_env)} hi")
    assert last_in(channel).content == texts.STOPPING
    command = await alice.slash(channel, "emoji", photo=("me.jpg", selfie))
    assert response_to(command).content == texts.STOPPING
    await alice.send(channel, "not for the bot", attachments=[("me.jpg", selfie)])
    assert last_in(channel).content == "not for the bot"


async def test_while_the_bot_ends_a_photo_that_cannot_be_kept_is_refused_in_words(
    simcord_env: Env, channel: ChannelHandle, alice: MemberActor, selfie: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("db.journal.MOST_OPEN_IN_A_CHAT", 0)
    assert isinstance(simcord_env.bot, EmojiClient)
    simcord_env.bot.admission.close()
    await alice.send(channel, mention_of(simcord_env), attachments=[("me.jpg", selfie)])
    assert last_in(channel).content == texts.STOPPING


@pytest.mark.usefixtures("reading_all")
async def test_while_the_bot_ends_an_attempt_at_a_game_is_kept_and_other_photos_are_let_go(
    simcord_env: Env, channel: ChannelHandle, alice: MemberActor, store: Store, selfie: bytes
) -> None:
    await store.chats.choose(Chat(Platform.DISCORD, str(channel.id)), ChatChoices(allows_play=True))
    await alice.slash(channel, "play")
    asked = last_in(channel)
    assert isinstance(simcord_env.bot, EmojiClient)
    simcord_env.bot.admission.close()
    await alice.send(channel, "my holiday", attachments=[("me.jpg", selfie)])
    assert await count_rows(store, "open_messages") == 0
    await alice.send(channel, "so?", attachments=[("me.jpg", selfie)], reply_to=asked)
    assert await count_rows(store, "open_messages") == 1
