"""Admins and server administrators on Discord: the real discord.py client, driven without sockets by simcord."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import discord
import pytest
import simcord
from simcord import ChannelHandle, Env, GuildHandle, InteractionResult, MemberActor

from bots.admin import texts as admin_texts
from bots.admin.allowlist import Allowlist
from bots.conversation import texts
from bots.conversation.service import EmojiService
from bots.discord.client import EmojiClient
from bots.pictures.maker import PictureMaker
from db import Person, Platform, Role, State, Store
from recognizer import Recognizer
from tests.bots.admins import SHIPPED, add_faces, add_version, admin_service
from tests.rows import count_rows
from tests.waiting import PATIENCE_S, until

pytestmark = pytest.mark.simcord(settle_timeout=PATIENCE_S)

EDIT = ("PATCH", "/webhooks/*/*/messages/@original")


@pytest.fixture
async def admin_commands(
    recognizer: Recognizer, store: Store, picture_maker: PictureMaker
) -> AsyncIterator[EmojiService]:
    async with admin_service(recognizer, store, picture_maker, "") as service:
        yield service


@pytest.fixture
def simcord_bot(admin_commands: EmojiService) -> EmojiClient:
    return EmojiClient(admin_commands, shard_count=1)


@pytest.fixture
def managers(guild: GuildHandle) -> Any:
    return guild.create_role("managers", permissions=discord.Permissions(manage_guild=True))


@pytest.fixture
def anna(simcord_env: Env, guild: GuildHandle, managers: Any, admin_commands: EmojiService) -> MemberActor:
    return _appointed(admin_commands, guild.add_member(simcord_env.create_user("anna"), roles=[managers]))


@pytest.fixture
def bert(simcord_env: Env, guild: GuildHandle, managers: Any, admin_commands: EmojiService) -> MemberActor:
    return _appointed(admin_commands, guild.add_member(simcord_env.create_user("bert"), roles=[managers]))


@pytest.fixture
def eve(simcord_env: Env, guild: GuildHandle, managers: Any) -> MemberActor:
    """Return a member who manages the server, but is no admin of the bot."""
    return guild.add_member(simcord_env.create_user("eve"), roles=[managers])


@pytest.fixture
def member(simcord_env: Env, guild: GuildHandle) -> MemberActor:
    return guild.add_member(simcord_env.create_user("mia"))


async def test_members_do_not_see_the_commands_of_admins(
    channel: ChannelHandle, anna: MemberActor, member: MemberActor
) -> None:
    hidden = {"chat_settings", *admin_texts.COMMANDS}
    assert not hidden & set(member.available_commands(channel))
    assert hidden < set(anna.available_commands(channel))


async def test_who_sees_a_command_but_is_no_admin_is_told_what_to_ask_for(
    channel: ChannelHandle, eve: MemberActor
) -> None:
    for name in ("review", "retrain", "models", "rollback"):
        result = await eve.slash(channel, name)
        simcord.assert_responded(result, content=texts.ADMINS_ONLY.format(id=f"discord:{eve.id}"), ephemeral=True)


async def test_faces_are_reviewed_in_one_message_that_only_the_admin_sees(
    channel: ChannelHandle, anna: MemberActor, store: Store
) -> None:
    await add_faces(store, 2)
    result = await anna.slash(channel, "review")
    simcord.assert_responded(result, contains="The model says happy 50%", ephemeral=True)
    first = await _picture(result)
    tapped = await anna.click(_response(result), label="😄 Happy")
    assert not tapped.followups
    simcord.assert_responded(result, contains="Kept: 😄 Happy.")
    second = await _picture(result)
    assert second != first
    await anna.click(_response(result), label="↩ Undo")
    assert await _picture(result) == first
    assert await count_rows(store, "labels") == 0
    for label in ("🤷 Unsure", "🚫 Not a face"):
        await anna.click(_response(result), label=label)
    simcord.assert_responded(result, contains=admin_texts.QUEUE_EMPTY)
    assert not _response(result).attachments
    assert await count_rows(store, "labels") == 2


async def test_where_an_edit_is_refused_the_next_face_comes_in_a_new_message(
    simcord_env: Env, channel: ChannelHandle, anna: MemberActor, store: Store
) -> None:
    await add_faces(store, 2)
    result = await anna.slash(channel, "review")
    simcord_env.inject_error(*EDIT, status=403, code=50013)
    tapped = await anna.click(_response(result), label="😄 Happy")
    [following] = tapped.followups
    simcord.assert_message(following, contains="Kept: 😄 Happy.", ephemeral=True)
    assert len(following.attachments) == 1


async def test_a_retraining_is_shown_in_one_message_and_promoted_from_it(
    simcord_env: Env, channel: ChannelHandle, anna: MemberActor, store: Store
) -> None:
    asking = asyncio.create_task(anna.slash(channel, "retrain", depth="full"))
    await until(lambda: _edits(simcord_env))
    number = await _running(store)
    await store.retrainings.beat(number, "learning", 0.42)
    await until(lambda: "42%" in "".join(_edits(simcord_env)))
    await add_version(store, "full-1")
    await store.retrainings.finish(number, State.DONE, "", "full-1")
    result = await asking
    first, second, _last = _edits(simcord_env)
    assert "Retraining (full), asked for by you" in first
    assert "▰▰▰▰▱▱▱▱▱▱ 42%\nlearning" in second
    simcord.assert_responded(result, contains="learned from 70 faces of 14 people", ephemeral=True)
    assert _labels(_response(result)) == [["Promote full-1", "Shadow full-1"]]
    await anna.click(_response(result), label="Promote full-1")
    simcord.assert_responded(result, contains="full-1 is served from now on")
    assert await _active(store) == "full-1"
    assert (await store.versions.history(1))[0].by == "an admin on Discord"


async def test_when_the_answer_may_no_longer_be_edited_progress_goes_on_in_one_direct_message(
    simcord_env: Env, channel: ChannelHandle, anna: MemberActor, store: Store
) -> None:
    simcord_env.inject_error(*EDIT, status=401, code=50027)
    asking = asyncio.create_task(anna.slash(channel, "retrain"))
    number = await _running(store)
    await store.retrainings.finish(number, State.FAILED, "There are too few faces.")
    await asking
    [told] = anna.user.dm_channel.history()
    assert "There are too few faces. /retrain tries again." in told.content
    assert not told.components


async def test_of_two_admins_who_promote_the_second_is_told(
    channel: ChannelHandle, anna: MemberActor, bert: MemberActor, store: Store
) -> None:
    await add_version(store, "a")
    await add_version(store, "b", offered=False)
    annas, berts = await anna.slash(channel, "models"), await bert.slash(channel, "models")
    await anna.click(_response(annas), label="Promote a")
    await bert.click(_response(berts), label="Promote a")
    simcord.assert_responded(berts, contains="a was promoted by someone else meanwhile")
    refused = await bert.slash(channel, "promote", version="b")
    simcord.assert_responded(refused, contains="/promote b REASON", ephemeral=True)
    done = await bert.slash(channel, "promote", version="b", reason="I have seen the faces")
    simcord.assert_responded(done, contains=admin_texts.REASON_KEPT, ephemeral=True)
    offer = await bert.slash(channel, "rollback")
    await bert.click(_response(offer), label="Go back to a")
    assert await _active(store) == "a"
    assert await count_rows(store, "promotions") == 4
    assert SHIPPED in _response(annas).content


async def test_in_a_direct_message_admins_have_their_commands(anna: MemberActor, store: Store) -> None:
    await add_version(store, "a")
    result = await anna.user.slash("models")
    simcord.assert_responded(result, contains="✅ shipped-1: served now")


async def test_who_manages_the_server_lets_everybody_tap_and_a_member_does_not(
    channel: ChannelHandle, eve: MemberActor, member: MemberActor, anna: MemberActor, store: Store, selfie: bytes
) -> None:
    answered = await anna.slash(channel, "emoji", photo=("me.jpg", selfie))
    answer = _response(answered)
    second = _labels(answer)[0][1]
    before = await member.click(answer, label=second)
    assert [notice.content for notice in before.followups] == [texts.NOT_YOURS]
    settings = await eve.slash(channel, "chat_settings")
    simcord.assert_responded(settings, contains=texts.SENDER_TAPS, ephemeral=True)
    await eve.click(_response(settings), label=texts.LET_EVERYONE_TAP)
    simcord.assert_responded(settings, contains=texts.EVERYONE_TAPS)
    after = await member.click(answer, label=second)
    assert [notice.content for notice in after.followups] == [texts.VOTED]
    assert await count_rows(store, "taps WHERE person_id IS NOT NULL") == 1
    assert _response(answered).content == answer.content


def _appointed(service: EmojiService, member: MemberActor) -> MemberActor:
    """Make a member an admin; simcord assigns ids in the order of members."""
    assert service._admin_commands is not None
    service._admin_commands.admins = Allowlist(service.admins.people | {Person(Platform.DISCORD, str(member.id))})
    return member


def _response(result: InteractionResult) -> discord.Message:
    assert result.response is not None
    return result.response.message


def _labels(message: discord.Message) -> list[list[Any]]:
    rows = (row.children for row in message.components if isinstance(row, discord.ActionRow))
    return [[button.label for button in row if isinstance(button, discord.Button)] for row in rows]


async def _picture(result: InteractionResult) -> bytes:
    [attachment] = _response(result).attachments
    return await attachment.read()


def _edits(env: Env) -> list[str]:
    """Return the successive texts of a command's answer."""
    edits = [each for each in env.http_requests if each.path.endswith("/messages/@original")]
    return [str(each.json["content"]) for each in edits if each.json]


async def _running(store: Store) -> int:
    """The number of the retraining that runs, as soon as one does."""
    async with asyncio.timeout(PATIENCE_S):
        while (running := await store.retrainings.running()) is None:
            await asyncio.sleep(0.02)
    return running.id


async def _active(store: Store) -> str:
    held = await store.versions.holding(Role.ACTIVE)
    assert held is not None
    return held.name
