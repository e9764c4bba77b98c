"""Which files of a message are read, and what becomes of those that cannot be."""

from typing import Any

import discord
import pytest
from simcord import ChannelHandle, Env, MemberActor

from bots.conversation import texts
from bots.discord.files import files_in
from bots.discord.identity import sender_of
from bots.messages import MOST_FILE_BYTES
from db import Person, Platform
from tests.bots.discord.driving import attached, last_in, mention_of, reactions_on, response_to, send_direct
from tests.waiting import PATIENCE_S

pytestmark = pytest.mark.simcord(settle_timeout=PATIENCE_S)
UNKNOWN = "application/octet-stream"


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("IMG_1.HEIC", None),
        ("IMG_1.HEIC", UNKNOWN),
        ("a.jfif", UNKNOWN),
        ("a.jpe", "application/x-something"),
        ("a.hif", None),
        ("a.gif", "image/gif"),
        ("a.JPG", "text/plain"),
        ("no-ending", UNKNOWN),
        ("no-ending", None),
        ("a.bin", "image/jpeg; charset=binary"),
        ("a.MOV", None),
        ("a.webm", "application/octet-stream"),
    ],
)
async def test_bytes_decide_where_type_and_name_say_little(
    simcord_env: Env, alice: MemberActor, selfie: bytes, name: str, kind: str | None
) -> None:
    await send_direct(simcord_env, alice.user, [(name, selfie)], content_type=kind)
    assert "You look happy" in last_in(alice.user.dm_channel).content


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("a.pdf", "application/pdf"),
        ("a.pdf", UNKNOWN),
        ("a.zip", None),
        ("notes.txt", "text/plain; charset=utf-8"),
        ("song.mp3", "audio/mpeg"),
        ("a", "application/zip"),
    ],
)
async def test_what_says_that_it_is_something_else_is_not_fetched(
    simcord_env: Env, alice: MemberActor, selfie: bytes, name: str, kind: str | None
) -> None:
    lost = "https://cdn.simcord.invalid/never-asked-for"
    await send_direct(simcord_env, alice.user, [(name, selfie)], content_type=kind, url=lost)
    assert texts.DISCORD_HELP in last_in(alice.user.dm_channel).content


async def test_a_command_with_another_file_says_what_can_be_read(channel: ChannelHandle, alice: MemberActor) -> None:
    result = await alice.slash(channel, "emoji", photo=("a.pdf", b"%PDF"))
    assert response_to(result).content == texts.PHOTO_PROBLEMS["not_a_picture"]


async def test_a_voice_message_is_no_picture(simcord_env: Env, alice: MemberActor, selfie: bytes) -> None:
    voice = {"duration_secs": 1.5, "waveform": "AAAA", "content_type": "audio/ogg"}
    await send_direct(simcord_env, alice.user, [("voice-message.ogg", selfie)], **voice)
    assert texts.DISCORD_HELP in last_in(alice.user.dm_channel).content


@pytest.mark.parametrize(
    ("broken", "sentence"),
    [
        ({"url": "https://cdn.simcord.invalid/gone"}, texts.SOME_NOT_FETCHED),
        ({"size": MOST_FILE_BYTES + 1}, texts.SOME_TOO_LARGE),
    ],
)
async def test_of_several_files_what_can_be_read_is_answered_and_one_sentence_tells_of_the_rest(
    simcord_env: Env, alice: MemberActor, selfie: bytes, video_note: bytes, broken: dict[str, object], sentence: str
) -> None:
    files = [("a.jpg", selfie), ("b.jpg", selfie), ("c.jpg", selfie), ("d.mp4", video_note)]
    stored = attached(simcord_env, alice.user.dm_channel.id, files)
    await alice.user.send_dm("", attachments=[stored[0], *({**each, **broken} for each in stored[1:3]), stored[3]])
    photo, answer = alice.user.dm_channel.history()
    assert answer.content.count(sentence) == 1
    assert "Photo 1" in answer.content
    assert "Photo 2" in answer.content
    assert "Photo 3" not in answer.content
    assert reactions_on(photo) == ["😁"]


async def test_of_several_files_none_of_which_can_be_read_one_sentence_tells(
    simcord_env: Env, alice: MemberActor, selfie: bytes
) -> None:
    lost = "https://cdn.simcord.invalid/gone"
    await send_direct(simcord_env, alice.user, [("a.jpg", selfie), ("b.jpg", selfie)], url=lost)
    assert [each.content for each in alice.user.dm_channel.history()[1:]] == [texts.DOWNLOAD_FAILED]


async def test_a_file_that_is_larger_than_it_says_is_refused(
    simcord_env: Env, alice: MemberActor, selfie: bytes
) -> None:
    await send_direct(simcord_env, alice.user, [("a.jpg", selfie + bytes(MOST_FILE_BYTES))], size=100)
    assert last_in(alice.user.dm_channel).content == texts.FILE_TOO_LARGE


@pytest.mark.parametrize("hidden", [("SPOILER_us.jpg", {}), ("us.jpg", {"flags": 1 << 3})])
async def test_what_is_made_from_a_hidden_photo_is_hidden(
    simcord_env: Env, alice: MemberActor, group_photo: bytes, hidden: tuple[str, dict[str, Any]]
) -> None:
    name, facts = hidden
    await send_direct(simcord_env, alice.user, [(name, group_photo)], **facts)
    answer = last_in(alice.user.dm_channel)
    assert [each.is_spoiler() for each in answer.attachments] == [True]
    result = await alice.user.click(answer, label=texts.EMOJI_ME)
    assert [each.is_spoiler() for made in result.followups for each in made.attachments] == [True]


async def test_the_sticker_of_a_hidden_photo_is_hidden(simcord_env: Env, alice: MemberActor, selfie: bytes) -> None:
    await send_direct(simcord_env, alice.user, [("SPOILER_me.jpg", selfie)])
    result = await alice.user.click(last_in(alice.user.dm_channel), label=texts.STICKER)
    [made] = result.followups
    assert made.attachments[0].filename == "SPOILER_sticker.png"


async def test_commands_hide_what_they_make_from_a_hidden_photo(
    channel: ChannelHandle, alice: MemberActor, group_photo: bytes
) -> None:
    result = await alice.slash(channel, "emoji_me", photo=("SPOILER_us.jpg", group_photo))
    assert response_to(result).attachments[0].is_spoiler()
    photo = await alice.send(channel, "us", attachments=[("SPOILER_us.jpg", group_photo)])
    for menu in (texts.SUGGEST_EMOJI, texts.EMOJI_ME_MENU):
        result = await alice.context_menu(channel, menu, photo)
        assert response_to(result).attachments[0].is_spoiler()


async def test_what_a_message_forwards_is_read_and_stays_hidden(
    simcord_env: Env, channel: ChannelHandle, alice: MemberActor, group_photo: bytes
) -> None:
    photo = await alice.send(channel, mention_of(simcord_env), attachments=[("SPOILER_us.jpg", group_photo)])
    forwarded = await alice.forward(photo, channel)
    assert [file.has_spoiler for file in files_in(forwarded)] == [True]
    assert sender_of(photo, photo.author) is None
    assert sender_of(forwarded, forwarded.author) == Person.unknown(Platform.DISCORD)


async def test_a_gif_that_somebody_picked_is_read_from_discords_own_host_only(
    simcord_env: Env, alice: MemberActor, selfie: bytes
) -> None:
    theirs, own = "https://media.tenor.example/a.mp4", "https://images-ext-1.discordapp.net/external/a.mp4"
    for url in (theirs, own):
        simcord_env.backend.cdn._blobs[url] = selfie
    for proxy in (theirs, own.replace("https", "http"), f"https://cdn.discordapp.com@evil.example/{own}", own):
        embed = {"type": "gifv", "url": "https://tenor.example/view/a", "video": {"url": theirs, "proxy_url": proxy}}
        message = await alice.user.send_dm("look", embeds=[embed])
        assert bool(files_in(message)) == (proxy == own)
    assert "You look happy" in last_in(alice.user.dm_channel).content


async def test_a_preview_behind_bars_is_hidden() -> None:
    own = "https://media.discordapp.net/external/a.png"
    for content, is_hidden in (("||https://a.example/x||", True), ("https://a.example/x ||no||", False)):
        part: Any = type("Part", (), {"content": content, "message_snapshots": (), "attachments": (), "stickers": ()})
        part.embeds = [
            discord.Embed.from_dict(
                {"type": "image", "url": "https://a.example/x", "thumbnail": {"url": "", "proxy_url": own}}
            )
        ]
        assert [file.has_spoiler for file in files_in(part)] == [is_hidden]


@pytest.mark.parametrize(("form", "ending"), [(1, "png"), (2, "png"), (3, None), (4, "gif")])
async def test_stickers_are_read_unless_they_are_drawings_in_vectors(form: int, ending: str | None) -> None:
    part: Any = type("Part", (), {"content": "", "message_snapshots": (), "attachments": (), "embeds": ()})
    state: Any = None
    data: Any = {"id": "5", "name": "a", "format_type": form}
    part.stickers = [discord.StickerItem(state=state, data=data)]
    assert [file.url.rsplit(".", 1)[-1] for file in files_in(part)] == ([ending] if ending else [])
