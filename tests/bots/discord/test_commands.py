"""Commands and menus: for oneself or a server, where the bot is a member and where it is not."""

from typing import Any

import pytest
import simcord
from simcord import ChannelHandle, Env, MemberActor

from bots.conversation import texts
from bots.conversation.service import EmojiService
from bots.discord.client import EmojiClient
from db import Chat, ChatChoices, Platform, Store
from tests.bots.discord.driving import labels_of, last_in, response_to
from tests.waiting import PATIENCE_S

pytestmark = pytest.mark.simcord(settle_timeout=PATIENCE_S)
FOR_ALL = {"emoji", "emoji_me", "play", "help", "settings", "privacy", "my_data", "forget_me"}
MENUS = {texts.SUGGEST_EMOJI, texts.EMOJI_ME_MENU}


@pytest.fixture
def as_guest(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let people have the bot in their own account only, in a server of which it is no member."""
    base_payload = simcord.interactions.base_payload

    def changed(*arguments: Any, **facts: Any) -> tuple[Any, dict[str, Any]]:
        record, payload = base_payload(*arguments, **facts)
        owners = {"1": str(facts["user_id"])}
        return record, {**payload, "authorizing_integration_owners": owners, "context": 2, "app_permissions": "0"}

    monkeypatch.setattr(simcord.interactions, "base_payload", changed)


async def test_commands_say_where_they_can_be_used(simcord_env: Env) -> None:
    [published] = [each.json for each in simcord_env.http_requests if each.method == "PUT"]
    assert published is not None
    where = {each["name"]: (each["integration_types"], each["contexts"]) for each in published}
    assert {where[name] == ([0, 1], [0, 1, 2]) for name in FOR_ALL | MENUS} == {True}
    assert {where[name] == ([0], [0, 1]) for name in set(where) - FOR_ALL - MENUS} == {True}


async def test_a_command_that_may_be_used_elsewhere_is_published_again(simcord_env: Env, service: EmojiService) -> None:
    for command in simcord_env.backend.commands[None].values():
        command["contexts"] = [0]
    await simcord_env.restart_bot(EmojiClient(service, shard_count=1))
    published = [request.method for request in simcord_env.http_requests if request.path.endswith("/commands")]
    assert published == ["GET", "PUT", "GET", "PUT"]


@pytest.mark.usefixtures("as_guest")
async def test_where_the_bot_is_no_member_everything_goes_through_the_interaction(
    simcord_env: Env, channel: ChannelHandle, alice: MemberActor, selfie: bytes
) -> None:
    photo = await alice.send(channel, "look", attachments=[("me.jpg", selfie)])
    before = len(simcord_env.http_requests)
    answer = response_to(await alice.slash(channel, "emoji", photo=("me.jpg", selfie)))
    await alice.click(answer, label=labels_of(answer)[0][1])
    for menu in MENUS:
        simcord.assert_responded(await alice.context_menu(channel, menu, photo), ephemeral=True)
    for name in FOR_ALL - {"emoji", "emoji_me"}:
        simcord.assert_responded(await alice.slash(channel, name), ephemeral=True)
    paths = [request.path for request in simcord_env.http_requests[before:]]
    assert paths
    assert all(path.startswith(("/interactions/", "/webhooks/")) for path in paths)


async def test_the_menu_covers_the_faces_of_somebodys_photo_for_whoever_asks_alone(
    channel: ChannelHandle, alice: MemberActor, bob: MemberActor, selfie: bytes
) -> None:
    photo = await alice.send(channel, "look", attachments=[("me.jpg", selfie)])
    result = await bob.context_menu(channel, texts.EMOJI_ME_MENU, photo)
    simcord.assert_responded(result, content=texts.EMOJI_ME_MADE, ephemeral=True)
    assert response_to(result).attachments[0].filename == "faces.jpg"
    words = await alice.send(channel, "no photo")
    result = await bob.context_menu(channel, texts.EMOJI_ME_MENU, words)
    simcord.assert_responded(result, content=texts.NO_PHOTO_IN_MESSAGE, ephemeral=True)


async def test_an_emoji_me_of_a_film_is_a_gif(channel: ChannelHandle, alice: MemberActor, video_note: bytes) -> None:
    result = await alice.slash(channel, "emoji_me", photo=("note.mp4", video_note))
    [made] = response_to(result).attachments
    assert made.filename == "faces.gif"
    assert (await made.read()).startswith(b"GIF8")


async def test_who_asks_about_anothers_photo_is_told_apart_from_its_sender(
    channel: ChannelHandle, alice: MemberActor, bob: MemberActor, selfie: bytes
) -> None:
    photo = await alice.send(channel, "look", attachments=[("me.jpg", selfie)])
    answer = response_to(await bob.context_menu(channel, texts.SUGGEST_EMOJI, photo))
    assert "You look happy" in answer.content


async def test_my_data_comes_as_a_file_for_oneself(channel: ChannelHandle, alice: MemberActor, selfie: bytes) -> None:
    await alice.slash(channel, "emoji", photo=("me.jpg", selfie))
    result = await alice.slash(channel, "my_data")
    simcord.assert_responded(result, content=texts.MY_DATA, ephemeral=True)
    [file] = response_to(result).attachments
    assert file.filename.endswith(".json")
    assert (await file.read()).startswith(b"{")


async def test_a_round_of_everybody_is_a_message_that_can_be_replied_to(
    simcord_env: Env, channel: ChannelHandle, alice: MemberActor, bob: MemberActor, store: Store, selfie: bytes
) -> None:
    simcord.assert_responded(await alice.slash(channel, "play"), content=texts.PLAY_OFF, ephemeral=True)
    await store.chats.choose(Chat(Platform.DISCORD, str(channel.id)), ChatChoices(allows_play=True))
    await alice.slash(channel, "play")
    asked = last_in(channel)
    assert asked.interaction_metadata is None
    await bob.send(channel, "me!", reply_to=asked, attachments=[("me.jpg", selfie)])
    assert "bob" in last_in(channel).content


async def test_a_game_alone_is_played_in_a_direct_message(simcord_env: Env, alice: MemberActor, selfie: bytes) -> None:
    result = await alice.user.slash("play")
    assert "Round 1" in response_to(result).content
    files = simcord_env.backend.store_attachments(alice.user.dm_channel.id, [("me.jpg", selfie)])
    await alice.user.send_dm("", attachments=files)
    assert "Round 2" in last_in(alice.user.dm_channel).content
