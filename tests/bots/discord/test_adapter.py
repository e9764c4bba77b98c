"""The real discord.py client, driven without sockets by simcord."""

import asyncio
import threading

import discord
import pytest
import simcord
from aiohttp import web
from simcord import ChannelHandle, Env, GuildHandle, MemberActor

from bots.adapter import AdapterError
from bots.conversation import texts
from bots.conversation.languages import OWN_NAMES, speak
from bots.conversation.service import EmojiService
from bots.discord.adapter import DiscordAdapter
from bots.discord.client import EmojiClient
from bots.pictures.maker import PictureMaker
from bots.serving.inference_pool import InferencePool
from db import Person, Platform, Preferences, Store
from recognizer import Recognizer
from tests.bots.discord.driving import (
    assert_covered,
    channel_where_the_bot,
    chosen_in,
    labels_of,
    last_in,
    mention_of,
    pixels_of,
    reactions_on,
    response_to,
    send_direct,
    set_locale,
)
from tests.rows import count_rows
from tests.waiting import PATIENCE_S, until

pytestmark = pytest.mark.simcord(settle_timeout=PATIENCE_S)

_HELP = f"{texts.DISCORD_HELP}\n{texts.OPENMOJI}"
PUT_REACTION = ("PUT", "/channels/*/messages/*/reactions/*/@me")


async def test_a_direct_selfie_gets_a_reaction_and_candidates(
    simcord_env: Env, alice: MemberActor, selfie: bytes
) -> None:
    await send_direct(simcord_env, alice.user, [("me.jpg", selfie)])
    photo, answer = alice.user.dm_channel.history()
    assert "You look happy" in answer.content
    assert len(labels_of(answer)[0]) == 3
    assert labels_of(answer)[1:] == [[texts.MORE, texts.NONE_FITS], [texts.EMOJI_ME, texts.STICKER]]
    assert reactions_on(photo) == ["😁"]
    assert answer.reference is not None
    assert answer.reference.message_id == photo.id


async def test_a_direct_message_without_a_photo_gets_help(simcord_env: Env, alice: MemberActor) -> None:
    await alice.send_dm("hello")
    assert last_in(alice.user.dm_channel).content == _HELP


async def test_several_pictures_are_answered_once(
    simcord_env: Env, alice: MemberActor, selfie: bytes, wall_photo: bytes
) -> None:
    await send_direct(simcord_env, alice.user, [("wall.jpg", wall_photo), ("me.jpg", selfie)])
    photo, answer = alice.user.dm_channel.history()
    assert answer.content.splitlines()[0].endswith(texts.NO_FACE)
    assert reactions_on(photo) == ["😁"]


async def test_a_mention_with_a_selfie_is_answered(
    simcord_env: Env, channel: ChannelHandle, alice: MemberActor, selfie: bytes
) -> None:
    await alice.send(channel, mention_of(simcord_env), attachments=[("me.jpg", selfie)])
    photo, answer = channel.history()
    assert "You look happy" in answer.content
    assert reactions_on(photo) == ["😁"]
    assert not answer.mentions


async def test_a_mention_without_a_photo_says_how(simcord_env: Env, channel: ChannelHandle, alice: MemberActor) -> None:
    await alice.send(channel, f"{mention_of(simcord_env)} hi")
    assert last_in(channel).content == texts.MENTIONED_WITHOUT_PHOTO


async def test_a_mention_in_reply_to_a_photo_answers_whoever_asks(
    simcord_env: Env, channel: ChannelHandle, alice: MemberActor, bob: MemberActor, selfie: bytes
) -> None:
    photo = await alice.send(channel, f"look {mention_of(simcord_env)}", attachments=[("me.jpg", selfie)])
    await bob.send(channel, f"{mention_of(simcord_env)} and mine?", reply_to=photo)
    answer = last_in(channel)
    assert "You look happy" in answer.content
    result = await bob.click(answer, label=labels_of(answer)[0][0])
    assert not result.followups


async def test_a_mention_in_reply_to_a_photo_that_discord_hides_says_how(
    simcord_env: Env, channel: ChannelHandle, alice: MemberActor, bob: MemberActor, selfie: bytes
) -> None:
    photo = await alice.send(channel, "look", attachments=[("me.jpg", selfie)])
    await bob.send(channel, mention_of(simcord_env), reply_to=photo)
    assert last_in(channel).content == texts.NO_PHOTO_SEEN_IN_REPLY


async def test_a_photo_without_a_mention_is_left_alone(
    channel: ChannelHandle, alice: MemberActor, selfie: bytes
) -> None:
    await alice.send(channel, "my holiday", attachments=[("me.jpg", selfie)])
    [photo] = channel.history()
    assert not photo.reactions


async def test_a_thank_you_in_reply_to_the_bot_is_left_alone(
    simcord_env: Env, channel: ChannelHandle, alice: MemberActor, selfie: bytes
) -> None:
    await alice.send(channel, mention_of(simcord_env), attachments=[("me.jpg", selfie)])
    await alice.send(channel, "lol", reply_to=last_in(channel))
    assert last_in(channel).content == "lol"


async def test_another_bot_is_left_alone(
    simcord_env: Env, guild: GuildHandle, channel: ChannelHandle, selfie: bytes
) -> None:
    robot = guild.add_member(simcord_env.create_user("robot", bot=True))
    await robot.send(channel, mention_of(simcord_env), attachments=[("me.jpg", selfie)])
    assert len(channel.history()) == 1


async def test_the_slash_command_answers_in_public(channel: ChannelHandle, alice: MemberActor, selfie: bytes) -> None:
    result = await alice.slash(channel, "emoji", photo=("me.jpg", selfie))
    simcord.assert_responded(result, contains="You look happy", ephemeral=False)
    assert [len(row) for row in labels_of(response_to(result))] == [3, 2]


async def test_a_command_is_acknowledged_before_the_photo_is_read(
    simcord_env: Env, channel: ChannelHandle, alice: MemberActor, selfie: bytes
) -> None:
    before = len(simcord_env.http_requests)
    await alice.slash(channel, "emoji", photo=("me.jpg", selfie))
    first = simcord_env.http_requests[before]
    assert first.path.endswith("/callback")
    assert first.json == {"type": discord.InteractionResponseType.deferred_channel_message.value}


async def test_the_context_menu_answers_in_private_and_its_buttons_are_for_whoever_asked(
    channel: ChannelHandle, alice: MemberActor, bob: MemberActor, store: Store, selfie: bytes
) -> None:
    photo = await alice.send(channel, "look", attachments=[("me.jpg", selfie)])
    result = await bob.context_menu(channel, texts.SUGGEST_EMOJI, photo)
    simcord.assert_responded(result, contains="You look happy", ephemeral=True)
    await bob.click(response_to(result), label=labels_of(response_to(result))[0][1])
    assert await count_rows(store, "taps") == 1
    assert not channel.history(viewer=alice)[0].reactions


async def test_the_context_menu_on_a_message_without_a_picture_says_so(
    channel: ChannelHandle, alice: MemberActor
) -> None:
    message = await alice.send(channel, "just words", attachments=[("notes.txt", b"words")])
    result = await alice.context_menu(channel, texts.SUGGEST_EMOJI, message)
    simcord.assert_responded(result, content=texts.NO_PHOTO_IN_MESSAGE, ephemeral=True)


async def test_a_tap_is_kept_and_a_second_one_corrects_it(
    simcord_env: Env, channel: ChannelHandle, alice: MemberActor, store: Store, selfie: bytes
) -> None:
    await alice.send(channel, mention_of(simcord_env), attachments=[("me.jpg", selfie)])
    first, second = labels_of(last_in(channel))[0][:2]
    await alice.click(last_in(channel), label=first)
    assert last_in(channel).content == texts.CHOSEN.format(emoji=first)
    assert chosen_in(last_in(channel)) == [first]
    result = await alice.click(last_in(channel), label=second)
    photo, answer = channel.history()
    assert answer.content == texts.CORRECTED.format(emoji=second)
    assert chosen_in(answer) == [second]
    assert reactions_on(photo) == [second]
    assert not result.followups
    assert await count_rows(store, "taps") == 2


async def test_a_tap_by_someone_else_is_refused(
    channel: ChannelHandle, alice: MemberActor, bob: MemberActor, store: Store, selfie: bytes
) -> None:
    answer = response_to(await alice.slash(channel, "emoji", photo=("me.jpg", selfie)))
    result = await bob.click(answer, label=labels_of(answer)[0][0])
    [notice] = result.followups
    simcord.assert_message(notice, content=texts.NOT_YOURS, ephemeral=True)
    assert await count_rows(store, "taps") == 0
    assert channel.history(viewer=alice)[-1].content == answer.content


async def test_more_shows_more_and_back_goes_back_without_a_word(
    simcord_env: Env, channel: ChannelHandle, alice: MemberActor, selfie: bytes
) -> None:
    await alice.send(channel, mention_of(simcord_env), attachments=[("me.jpg", selfie)])
    answer = last_in(channel)
    await alice.click(answer, label=texts.MORE)
    assert sum(map(len, labels_of(last_in(channel)))) > 20
    await alice.click(last_in(channel), label=texts.BACK)
    assert labels_of(last_in(channel)) == labels_of(answer)
    assert len(channel.history()) == 2


async def test_none_of_these_asks_for_the_emotion(
    simcord_env: Env, alice: MemberActor, store: Store, selfie: bytes
) -> None:
    await send_direct(simcord_env, alice.user, [("me.jpg", selfie)])
    answer = alice.user.dm_channel.history()[1]
    asked = await alice.user.click(answer, label=texts.NONE_FITS)
    assert [notice.content for notice in asked.followups] == [texts.WHICH_EMOTION]
    thanked = await alice.user.click(alice.user.dm_channel.history()[1], label=texts.FEELINGS["surprise"])
    assert [notice.content for notice in thanked.followups] == [texts.EMOTION_KEPT.format(feeling="surprised")]
    assert await count_rows(store, "taps") == 2


async def test_a_button_works_after_a_restart(
    simcord_env: Env, alice: MemberActor, service: EmojiService, store: Store, selfie: bytes
) -> None:
    await send_direct(simcord_env, alice.user, [("me.jpg", selfie)])
    await simcord_env.restart_bot(EmojiClient(service, shard_count=1))
    photo, answer = alice.user.dm_channel.history()
    second = labels_of(answer)[0][1]
    await alice.user.click(answer, label=second)
    photo, answer = alice.user.dm_channel.history()
    assert answer.content == texts.CHOSEN.format(emoji=second)
    assert reactions_on(photo) == [second]
    assert await count_rows(store, "taps") == 1


async def test_the_commands_are_published_once(simcord_env: Env, service: EmojiService) -> None:
    await simcord_env.restart_bot(EmojiClient(service, shard_count=1))
    published = [request for request in simcord_env.http_requests if request.path.endswith("/commands")]
    assert [request.method for request in published] == ["GET", "PUT", "GET"]


async def test_commands_come_in_discords_own_languages(simcord_env: Env) -> None:
    [published] = [each.json for each in simcord_env.http_requests if each.method == "PUT"]
    assert published is not None
    by_name = {command["name"]: command for command in published}
    menus = {texts.SUGGEST_EMOJI, texts.EMOJI_ME_MENU}
    for_everybody = {name for name, command in by_name.items() if command["default_member_permissions"] is None}
    assert for_everybody == {"emoji", "emoji_me", "help", "play", "settings", "privacy", "my_data", "forget_me", *menus}
    assert set(by_name) - for_everybody == {
        "chat_settings",
        "chat_emoji",
        "review",
        "retrain",
        "models",
        "rollback",
        "promote",
    }
    translated = by_name["settings"]["description_localizations"]
    assert translated["es-ES"] == translated["es-419"] == speak("es").say(texts.COMMANDS["settings"])
    assert {"de", "fr", "pt-BR", "ru", "hi", "ja", "zh-CN"} < set(translated)
    assert "en-US" not in translated
    for name in ("emoji", "emoji_me"):
        photo = by_name[name]["options"][0]
        assert photo["description_localizations"]["de"] == speak("de").say(texts.DISCORD_EMOJI_PHOTO)
    assert by_name["emoji_me"]["description"] == texts.EMOJI_ME_COMMAND
    assert by_name[texts.SUGGEST_EMOJI]["name_localizations"]["ja"] == "絵文字を提案"


async def test_commands_are_asked_for_with_their_translations(simcord_env: Env) -> None:
    [asked] = [each for each in simcord_env.http_requests if each.method == "GET" and each.path.endswith("/commands")]
    assert asked.params == {"with_localizations": "true"}


async def test_a_changed_translation_is_published(
    simcord_env: Env, service: EmojiService, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(texts.COMMANDS, "help", "Something else")
    await simcord_env.restart_bot(EmojiClient(service, shard_count=1))
    published = [request.method for request in simcord_env.http_requests if request.path.endswith("/commands")]
    assert published == ["GET", "PUT", "GET", "PUT"]


async def test_a_command_is_answered_in_the_language_of_the_app(
    channel: ChannelHandle, alice: MemberActor, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_locale(monkeypatch, discord.Locale.brazil_portuguese)
    simcord.assert_responded(await alice.slash(channel, "help"), contains=speak("pt").say(texts.DISCORD_HELP))
    message = await alice.send(channel, "just words")
    result = await alice.context_menu(channel, texts.SUGGEST_EMOJI, message)
    simcord.assert_responded(result, content=speak("pt").say(texts.NO_PHOTO_IN_MESSAGE))


async def test_a_mention_is_answered_in_the_language_of_the_server(
    simcord_env: Env, alice: MemberActor, selfie: bytes
) -> None:
    german = simcord_env.create_guild(preferred_locale="de")
    member, channel = german.add_member(alice.user), german.create_text_channel("selfies")
    await member.send(channel, mention_of(simcord_env), attachments=[("me.jpg", selfie)])
    assert "Du siehst fröhlich aus" in last_in(channel).content
    await member.send(channel, f"{mention_of(simcord_env)} hallo")
    assert last_in(channel).content == speak("de").say(texts.MENTIONED_WITHOUT_PHOTO)


async def test_settings_are_private_and_count_from_then_on(
    simcord_env: Env, channel: ChannelHandle, alice: MemberActor, store: Store, selfie: bytes
) -> None:
    result = await alice.slash(channel, "settings")
    simcord.assert_responded(result, contains="Your settings", ephemeral=True)
    await alice.click(response_to(result), label=texts.LANGUAGE)
    tapped = await alice.click(response_to(result), label=OWN_NAMES["fr"])
    assert not tapped.followups
    simcord.assert_responded(result, contains="Tes réglages")
    await alice.click(response_to(result), label=speak("fr").say(texts.SKIN_TONE))
    await alice.click(response_to(result), label="🖐🏾")
    await alice.click(response_to(result), label=speak("fr").say(texts.PRESENTATION))
    await alice.click(response_to(result), label="👩🏾 Femme")
    person = Person(Platform.DISCORD, str(alice.id))
    assert await store.preferences(person) == Preferences("fr", "medium_dark", "woman")
    await send_direct(simcord_env, alice.user, [("me.jpg", selfie)])
    assert "Ton visage exprime : joie" in last_in(alice.user.dm_channel).content


async def test_a_photo_without_a_face_gets_a_hint_and_no_reaction(
    simcord_env: Env, alice: MemberActor, wall_photo: bytes
) -> None:
    await send_direct(simcord_env, alice.user, [("wall.jpg", wall_photo)])
    photo, answer = alice.user.dm_channel.history()
    assert answer.content == texts.NO_FACE
    assert not answer.components
    assert not photo.reactions


async def test_every_face_of_a_group_photo_is_numbered(
    simcord_env: Env, alice: MemberActor, group_photo: bytes
) -> None:
    await send_direct(simcord_env, alice.user, [("us.jpg", group_photo)])
    answer = last_in(alice.user.dm_channel)
    assert "1. " in answer.content
    assert "2. " in answer.content
    assert [row[0][:2] for row in labels_of(answer)[:-1]] == ["1 ", "2 "]
    assert labels_of(answer)[-1] == [texts.EMOJI_ME, texts.BLUR]
    [outlined] = answer.attachments
    assert pixels_of(await outlined.read()).shape == (400, 700, 3)


async def test_taps_on_the_answer_to_a_group_photo_leave_its_picture(
    simcord_env: Env, alice: MemberActor, store: Store, group_photo: bytes
) -> None:
    await send_direct(simcord_env, alice.user, [("us.jpg", group_photo)])
    answer = last_in(alice.user.dm_channel)
    first = labels_of(answer)[1][0]
    await alice.user.click(answer, label=first)
    tapped = alice.user.dm_channel.history()[1]
    assert chosen_in(tapped) == [first]
    assert [each.id for each in tapped.attachments] == [each.id for each in answer.attachments]
    assert tapped.content == answer.content
    assert await count_rows(store, "taps") == 1


async def test_without_the_right_to_attach_files_the_words_still_come(
    simcord_env: Env, guild: GuildHandle, alice: MemberActor, group_photo: bytes
) -> None:
    plain = channel_where_the_bot(guild, attach_files=False)
    await alice.send(plain, mention_of(simcord_env), attachments=[("us.jpg", group_photo)])
    assert "2. " in last_in(plain).content
    assert not last_in(plain).attachments


async def test_the_slash_command_does_not_show_everyone_the_photo_it_was_given(
    channel: ChannelHandle, alice: MemberActor, group_photo: bytes
) -> None:
    answer = response_to(await alice.slash(channel, "emoji", photo=("us.jpg", group_photo)))
    assert "2. " in answer.content
    assert [row[0][:2] for row in labels_of(answer)] == ["1 ", "2 "]
    assert not answer.attachments


async def test_the_private_answer_to_suggest_emoji_shows_the_numbered_faces(
    channel: ChannelHandle, alice: MemberActor, bob: MemberActor, group_photo: bytes
) -> None:
    photo = await alice.send(channel, "us", attachments=[("us.jpg", group_photo)])
    answer = response_to(await bob.context_menu(channel, texts.SUGGEST_EMOJI, photo))
    assert answer.flags.ephemeral
    assert len(answer.attachments) == 1


async def test_emoji_me_in_a_direct_message_sends_the_photo_with_its_faces_covered(
    simcord_env: Env, alice: MemberActor, selfie: bytes
) -> None:
    await send_direct(simcord_env, alice.user, [("me.jpg", selfie)])
    result = await alice.user.click(last_in(alice.user.dm_channel), label=texts.EMOJI_ME)
    [made] = result.followups
    assert made.content == texts.EMOJI_ME_MADE
    assert not made.ephemeral
    assert_covered(await made.attachments[0].read(), selfie)


async def test_a_sticker_of_a_mention_is_a_transparent_png(
    simcord_env: Env, channel: ChannelHandle, alice: MemberActor, selfie: bytes
) -> None:
    await alice.send(channel, mention_of(simcord_env), attachments=[("me.jpg", selfie)])
    result = await alice.click(last_in(channel), label=texts.STICKER)
    [made] = result.followups
    assert made.content == texts.STICKER_MADE
    assert made.attachments[0].filename == "sticker.png"
    pixels = pixels_of(await made.attachments[0].read())
    assert pixels.shape == (512, 512, 4)
    assert (pixels[0, 0, 3], pixels[196, 256, 3]) == (0, 255)


async def test_someone_elses_photo_makes_no_picture(
    simcord_env: Env, channel: ChannelHandle, alice: MemberActor, bob: MemberActor, selfie: bytes
) -> None:
    await alice.send(channel, mention_of(simcord_env), attachments=[("me.jpg", selfie)])
    result = await bob.click(last_in(channel), label=texts.EMOJI_ME)
    [notice] = result.followups
    simcord.assert_message(notice, content=texts.NOT_YOURS, ephemeral=True)


@pytest.mark.parametrize("label", [texts.EMOJI_ME, texts.STICKER])
async def test_a_deleted_photo_makes_no_picture_and_says_so(
    simcord_env: Env, channel: ChannelHandle, alice: MemberActor, selfie: bytes, label: str
) -> None:
    photo = await alice.send(channel, mention_of(simcord_env), attachments=[("me.jpg", selfie)])
    answer = last_in(channel)
    await alice.delete(photo)
    result = await alice.click(answer, label=label)
    [notice] = result.followups
    simcord.assert_message(notice, content=texts.PHOTO_GONE, ephemeral=True)
    assert not notice.attachments


async def test_an_album_offers_no_pictures(
    simcord_env: Env, alice: MemberActor, selfie: bytes, group_photo: bytes
) -> None:
    await send_direct(simcord_env, alice.user, [("me.jpg", selfie), ("us.jpg", group_photo)])
    answer = last_in(alice.user.dm_channel)
    assert [row[0][:2] for row in labels_of(answer)] == ["1 ", "2 ", "3 "]
    assert not answer.attachments


async def test_the_emoji_me_command_answers_with_a_file(
    channel: ChannelHandle, alice: MemberActor, group_photo: bytes
) -> None:
    result = await alice.slash(channel, "emoji_me", photo=("us.jpg", group_photo))
    simcord.assert_responded(result, content=texts.EMOJI_ME_MADE, ephemeral=False)
    assert_covered(await response_to(result).attachments[0].read(), group_photo)


async def test_a_refused_file_leaves_no_one_waiting(
    simcord_env: Env, channel: ChannelHandle, alice: MemberActor, selfie: bytes, group_photo: bytes
) -> None:
    edit = ("PATCH", "/webhooks/*/*/messages/@original")
    simcord_env.inject_error(*edit, status=403, code=50013)
    result = await alice.slash(channel, "emoji", photo=("us.jpg", group_photo))
    simcord.assert_responded(result, contains="2. ")
    assert not response_to(result).attachments
    simcord_env.inject_error(*edit, status=403, code=50013)
    simcord.assert_responded(await alice.slash(channel, "emoji_me", photo=("me.jpg", selfie)), content=texts.FAILED)
    await send_direct(simcord_env, alice.user, [("me.jpg", selfie)])
    simcord_env.inject_error("POST", "/webhooks/*/*", status=403, code=50013)
    tapped = await alice.user.click(last_in(alice.user.dm_channel), label=texts.STICKER)
    [notice] = tapped.followups
    simcord.assert_message(notice, content=texts.FAILED, ephemeral=True)


async def test_the_emoji_me_command_says_what_is_the_matter(
    channel: ChannelHandle, alice: MemberActor, wall_photo: bytes
) -> None:
    for content, sentence in ((wall_photo, texts.NO_FACE), (b"%PDF", texts.PHOTO_PROBLEMS["not_a_picture"])):
        result = await alice.slash(channel, "emoji_me", photo=("me.jpg", content))
        simcord.assert_responded(result, content=sentence)
        assert not response_to(result).attachments


async def test_a_group_photo_that_had_to_wait_gets_its_picture_in_the_same_message(
    simcord_env: Env,
    alice: MemberActor,
    recognizer: Recognizer,
    store: Store,
    picture_maker: PictureMaker,
    group_photo: bytes,
) -> None:
    pool, busy = InferencePool(workers=1, waiting=0), threading.Event()
    working = asyncio.create_task(pool.run(busy.wait))
    await simcord_env.restart_bot(EmojiClient(EmojiService(recognizer, store, pool, picture_maker), shard_count=1))
    sending = asyncio.create_task(send_direct(simcord_env, alice.user, [("us.jpg", group_photo)]))
    await until(lambda: texts.BUSY.one.format(count=1) in _posted(simcord_env))
    busy.set()
    await sending
    await working
    _photo, answer = alice.user.dm_channel.history()
    assert "2. " in answer.content
    assert len(answer.attachments) == 1
    pool.close()


async def test_a_broken_picture_gets_a_sentence_and_the_next_an_answer(
    simcord_env: Env, alice: MemberActor, selfie: bytes
) -> None:
    await send_direct(simcord_env, alice.user, [("me.jpg", selfie[: len(selfie) // 2])])
    assert "damaged" in last_in(alice.user.dm_channel).content
    await send_direct(simcord_env, alice.user, [("me.jpg", selfie)])
    assert "You look happy" in last_in(alice.user.dm_channel).content


async def test_a_lost_file_gets_a_sentence(simcord_env: Env, alice: MemberActor, selfie: bytes) -> None:
    await send_direct(simcord_env, alice.user, [("me.jpg", selfie)], url="https://cdn.simcord.invalid/gone")
    assert last_in(alice.user.dm_channel).content == texts.DOWNLOAD_FAILED


async def test_a_file_over_20_mb_is_refused_without_a_download(
    simcord_env: Env, alice: MemberActor, selfie: bytes
) -> None:
    lost = "https://cdn.simcord.invalid/never-asked-for"
    await send_direct(simcord_env, alice.user, [("me.jpg", selfie)], size=21 * 2**20, url=lost)
    assert last_in(alice.user.dm_channel).content == texts.FILE_TOO_LARGE


async def test_a_picture_whose_type_discord_does_not_know_is_read(
    simcord_env: Env, alice: MemberActor, selfie: bytes
) -> None:
    await send_direct(simcord_env, alice.user, [("IMG_1.HEIC", selfie)], content_type=None)
    assert "You look happy" in last_in(alice.user.dm_channel).content


async def test_without_the_right_to_react_the_answer_still_comes(
    simcord_env: Env, guild: GuildHandle, alice: MemberActor, selfie: bytes
) -> None:
    quiet = channel_where_the_bot(guild, add_reactions=False)
    await alice.send(quiet, mention_of(simcord_env), attachments=[("me.jpg", selfie)])
    photo, answer = quiet.history()
    assert "You look happy" in answer.content
    assert not photo.reactions
    await alice.click(answer, label=labels_of(answer)[0][1])
    assert not [request for request in simcord_env.http_requests if "/reactions/" in request.path]


async def test_without_the_right_to_read_back_the_answer_comes_unquoted(
    simcord_env: Env, guild: GuildHandle, alice: MemberActor, selfie: bytes
) -> None:
    forgetful = channel_where_the_bot(guild, read_message_history=False)
    await alice.send(forgetful, mention_of(simcord_env), attachments=[("me.jpg", selfie)])
    assert "You look happy" in last_in(forgetful).content
    assert last_in(forgetful).reference is None
    assert len(labels_of(last_in(forgetful))) == 2  # the photo could not be fetched again


async def test_without_the_right_to_speak_nothing_is_tried(
    simcord_env: Env, guild: GuildHandle, alice: MemberActor, selfie: bytes
) -> None:
    silent = channel_where_the_bot(guild, send_messages=False)
    before = len(simcord_env.http_requests)
    await alice.send(silent, mention_of(simcord_env), attachments=[("me.jpg", selfie)])
    assert len(simcord_env.http_requests) == before


async def test_a_photo_that_has_to_wait_is_told_so_and_then_answered(
    simcord_env: Env,
    alice: MemberActor,
    recognizer: Recognizer,
    store: Store,
    picture_maker: PictureMaker,
    selfie: bytes,
) -> None:
    pool, busy = InferencePool(workers=1, waiting=0), threading.Event()
    working = asyncio.create_task(pool.run(busy.wait))
    await simcord_env.restart_bot(EmojiClient(EmojiService(recognizer, store, pool, picture_maker), shard_count=1))
    sending = asyncio.create_task(send_direct(simcord_env, alice.user, [("me.jpg", selfie)]))
    await until(lambda: _posted(simcord_env))
    busy.set()
    await sending
    await working
    posted = _posted(simcord_env)
    assert posted[0] == texts.BUSY.one.format(count=1)
    assert "You look happy" in posted[1]
    _photo, answer = alice.user.dm_channel.history()
    assert answer.content == posted[1]
    pool.close()


def _posted(env: Env) -> list[str]:
    """Return what the bot has said, or put in place of that, in the order of its requests."""
    return [each.json["content"] for each in env.http_requests if each.json and "content" in each.json]


@pytest.mark.parametrize(("status", "code"), [(403, 50013), (429, 0)])
async def test_a_refused_reaction_still_leaves_the_answer(
    simcord_env: Env, alice: MemberActor, selfie: bytes, status: int, code: int
) -> None:
    simcord_env.inject_error(*PUT_REACTION, status=status, code=code)
    await send_direct(simcord_env, alice.user, [("me.jpg", selfie)])
    assert "You look happy" in last_in(alice.user.dm_channel).content
    await send_direct(simcord_env, alice.user, [("me.jpg", selfie)])
    assert [reactions_on(message) for message in alice.user.dm_channel.history()] == [[], [], ["😁"], []]


async def test_a_refused_reply_does_not_stop_the_next(simcord_env: Env, alice: MemberActor, selfie: bytes) -> None:
    simcord_env.inject_error("POST", "/channels/*/messages", status=403, code=50007)
    await send_direct(simcord_env, alice.user, [("me.jpg", selfie)])
    await send_direct(simcord_env, alice.user, [("me.jpg", selfie)])
    assert "You look happy" in last_in(alice.user.dm_channel).content


async def test_privacy_is_explained_in_private_and_chosen_with_a_button(
    channel: ChannelHandle, alice: MemberActor, store: Store, selfie: bytes
) -> None:
    result = await alice.slash(channel, "privacy")
    simcord.assert_responded(result, contains=texts.KEEPS_NO_FACES, ephemeral=True)
    await alice.click(response_to(result), label=texts.ALLOW_FACES)
    simcord.assert_responded(result, contains=texts.KEEPS_FACES.format(kept="for at most 90 days"))
    assert labels_of(response_to(result)) == [[texts.REFUSE_FACES]]
    await alice.slash(channel, "emoji", photo=("me.jpg", selfie))
    assert await count_rows(store, "readings WHERE crop IS NOT NULL") == 1


async def test_the_question_about_faces_comes_after_the_first_choice_and_in_private_only(
    simcord_env: Env, channel: ChannelHandle, alice: MemberActor, store: Store, selfie: bytes
) -> None:
    answered = await alice.slash(channel, "emoji", photo=("me.jpg", selfie))
    tapped = await alice.click(response_to(answered), label=labels_of(response_to(answered))[0][1])
    assert tapped.followups == []
    await send_direct(simcord_env, alice.user, [("me.jpg", selfie)])
    direct = last_in(alice.user.dm_channel)
    tapped = await alice.user.click(direct, label=labels_of(direct)[0][1])
    [question] = tapped.followups
    assert question.content == texts.CONSENT.format(kept="for at most 90 days")
    await alice.user.click(question, label=texts.ALLOW_FACES)
    assert await store.keeps_faces(Person(Platform.DISCORD, str(alice.user.id)))
    tapped = await alice.user.click(direct, label=labels_of(direct)[0][1])
    assert tapped.followups == []


async def test_forget_me_deletes_everything_and_old_buttons_say_so(
    channel: ChannelHandle, alice: MemberActor, store: Store, selfie: bytes
) -> None:
    answered = await alice.slash(channel, "emoji", photo=("me.jpg", selfie))
    result = await alice.slash(channel, "forget_me")
    simcord.assert_responded(result, content=texts.FORGET_ASKS, ephemeral=True)
    await alice.click(response_to(result), label=texts.FORGET_YES)
    simcord.assert_responded(result, content=texts.FORGOTTEN)
    assert await count_rows(store, "people") == 0
    tapped = await alice.click(response_to(answered), label=texts.MORE)
    assert [notice.content for notice in tapped.followups] == [texts.GONE]


async def test_help_is_for_whoever_asks(channel: ChannelHandle, alice: MemberActor) -> None:
    simcord.assert_responded(await alice.slash(channel, "help"), content=_HELP, ephemeral=True)


async def test_a_wrong_token_is_one_sentence_without_the_token(
    service: EmojiService, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refuse(_request: web.Request) -> web.Response:
        return web.json_response({"message": "401: Unauthorized", "code": 0}, status=401)

    application = web.Application()
    application.router.add_route("*", "/{path:.*}", refuse)
    runner = web.AppRunner(application)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        monkeypatch.setattr(discord.http.Route, "BASE", f"http://127.0.0.1:{runner.addresses[0][1]}/api/v10")
        with pytest.raises(AdapterError, match="DISCORD_TOKEN") as refusal:
            await DiscordAdapter(service, "not.a.token").run()
        assert "not.a.token" not in str(refusal.value)
    finally:
        await runner.cleanup()
