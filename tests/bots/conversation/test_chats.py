"""What people really send: hidden photos, photos of others, albums with gaps, chats that move, reactions as words."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest

from bots.conversation import texts
from bots.conversation.buttons import Action, Token
from bots.conversation.service import EmojiService
from bots.messages import Form, PeopleReaction, PhotoMessage, Picture, Reply, StickerEmoji, Tap, TapReply
from db import Automatic, Chat, ChatChoices, Person, Platform, Source, Store
from tests.bots.replies import button, buttons
from tests.faults import Faults
from tests.rows import count_rows, select_rows

ADA, BERT, EVE = (Person(Platform.TELEGRAM, number) for number in ("1", "2", "3"))
GROUP, CHANNEL = Chat(Platform.TELEGRAM, "-5"), Person(Platform.TELEGRAM, "-100")


async def answered(service: EmojiService, content: bytes, **facts: Any) -> Reply:
    """Return the answer to a photo of Ada's in the group, which is message 7."""
    known: dict[str, Any] = {"comes_again": True, "messages": ("7",), **facts}
    person = known.pop("person", ADA)
    photo = PhotoMessage(person, GROUP, known.pop("pictures", (Picture(content),)), **known)
    return [reply async for reply in service.on_photo(photo)][-1]


def fetching(content: bytes, *, has_spoiler: bool = False) -> Callable[[], Awaitable[Picture]]:
    async def fetch() -> Picture:
        return Picture(content, has_spoiler)

    return fetch


async def test_what_is_made_from_a_hidden_photo_is_hidden(
    service: EmojiService, selfie: bytes, group_photo: bytes
) -> None:
    reply = await answered(service, group_photo, pictures=(Picture(group_photo, has_spoiler=True),))
    assert reply.picture is not None
    assert reply.picture.has_spoiler
    covered = await service.on_emoji_me(PhotoMessage(ADA, GROUP, (Picture(selfie, has_spoiler=True),)))
    assert covered.picture is not None
    assert covered.picture.has_spoiler
    reply = await answered(service, selfie)
    for label in (texts.EMOJI_ME, texts.STICKER):
        tap = Tap(ADA, GROUP, button(reply, label).token, fetch=fetching(selfie, has_spoiler=True))
        made = (await service.on_tap(tap)).picture
        assert made is not None
        assert (made.has_spoiler, made.form) == (True, Form.PHOTO)  # a sticker cannot be hidden on Telegram
        shown = (await service.on_tap(Tap(ADA, GROUP, tap.token, fetch=fetching(selfie)))).picture
        assert shown is not None
        assert not shown.has_spoiler


async def test_a_hidden_sticker_on_discord_stays_one(service: EmojiService, selfie: bytes) -> None:
    chat = Chat(Platform.DISCORD, "5")
    photo = PhotoMessage(ADA, chat, (Picture(selfie, has_spoiler=True),), comes_again=True)
    [reply] = [each async for each in service.on_photo(photo)]
    tap = Tap(ADA, chat, button(reply, texts.STICKER).token, fetch=fetching(selfie, has_spoiler=True))
    made = (await service.on_tap(tap)).picture
    assert made is not None
    assert (made.has_spoiler, made.form) == (True, Form.STICKER)


async def test_files_that_could_not_be_fetched_get_one_sentence_after_the_answer(
    service: EmojiService, selfie: bytes
) -> None:
    reply = await answered(service, selfie, missing=texts.FILE_TOO_LARGE)
    assert reply.text.endswith(f"\n{texts.FILE_TOO_LARGE}")
    assert reply.rows
    only = await answered(service, selfie, pictures=(), missing=texts.DOWNLOAD_FAILED)
    assert only == Reply(texts.DOWNLOAD_FAILED)


async def test_who_asked_about_anothers_photo_may_tap_and_the_other_is_told_so(
    service: EmojiService, selfie: bytes
) -> None:
    reply = await answered(service, selfie, person=BERT, sender=ADA)
    choose = buttons(reply)[0].token
    assert (await service.on_tap(Tap(ADA, GROUP, choose))).notice == texts.NOT_ASKED
    assert (await service.on_tap(Tap(EVE, GROUP, choose))).notice == texts.NOT_ASKED
    assert (await service.on_tap(Tap(BERT, GROUP, choose))).text is not None


async def test_where_everybody_may_tap_the_word_of_who_sent_it_counts_as_the_senders(
    service: EmojiService, store: Store, selfie: bytes
) -> None:
    for person in (ADA, BERT):
        await store.set_keeps_faces(person, True)
    await store.chats.choose(GROUP, ChatChoices(everyone_taps=True))
    reply = await answered(service, selfie, person=BERT, sender=ADA)
    sad = str(Token(Action.CORRECT, int(buttons(reply)[0].token.split(":")[1]), 5))
    assert await service.on_tap(Tap(ADA, GROUP, sad)) == TapReply(texts.VOTED)
    [face] = await store.feedback.faces()
    assert [(answer.source, answer.verdict) for answer in face.answers] == [(Source.SENDER, "sad")]


async def test_an_anonymous_administrator_may_tap_for_the_chat_and_others_may_not(
    service: EmojiService, selfie: bytes
) -> None:
    reply = await answered(service, selfie, person=CHANNEL)
    asked: list[Person] = []

    async def alias() -> Person | None:
        asked.append(CHANNEL)
        return CHANNEL

    choose = buttons(reply)[0].token
    assert (await service.on_tap(Tap(EVE, GROUP, choose))).notice == texts.NOT_YOURS
    assert (await service.on_tap(Tap(ADA, GROUP, choose, alias=alias))).reaction == "😁"
    own = await answered(service, selfie)
    await service.on_tap(Tap(ADA, GROUP, buttons(own)[0].token, alias=alias))
    assert len(asked) == 1  # the platform is not asked about a person's own photo


@pytest.mark.parametrize("message", ["7", "8"])
async def test_a_reaction_is_taken_for_a_word_of_the_sender(
    service: EmojiService, store: Store, selfie: bytes, message: str
) -> None:
    reply = await answered(service, selfie)
    await service.note_answer(GROUP, reply.photo, "8")
    await service.on_reaction(PeopleReaction(ADA, GROUP, message, ("👍", "😢")))
    assert await select_rows(store, "SELECT emoji, origin FROM taps") == [("😢", "reaction")]
    await service.on_reaction(PeopleReaction(ADA, GROUP, message, ()))
    assert await count_rows(store, "taps") == 0


async def test_reactions_that_say_nothing_about_a_face_are_not_kept(
    service: EmojiService, store: Store, selfie: bytes
) -> None:
    await answered(service, selfie)
    await service.on_reaction(PeopleReaction(ADA, GROUP, "7", ("🍌",)))
    await service.on_reaction(PeopleReaction(BERT, GROUP, "7", ("😢",)))
    await service.on_reaction(PeopleReaction(ADA, GROUP, "99", ("😢",)))
    assert await count_rows(store, "taps") == 0


async def test_a_reaction_is_known_however_its_platform_spells_it(
    service: EmojiService, store: Store, selfie: bytes
) -> None:
    await answered(service, selfie)
    await service.on_reaction(PeopleReaction(ADA, GROUP, "7", ("☹",)))
    [(emoji,)] = await select_rows(store, "SELECT emoji FROM taps")
    assert emoji in service._recognizer.emoji_map.emoji


async def test_settings_and_taste_move_with_a_group_that_becomes_another(
    service: EmojiService, store: Store, selfie: bytes
) -> None:
    await store.chats.choose(GROUP, ChatChoices(Automatic.REACT))
    reply = await answered(service, selfie)
    moved = Chat(Platform.TELEGRAM, "-1005")
    await service.on_chat_moved(GROUP, moved)
    assert await service.is_automatic(moved)
    assert not await service.is_automatic(GROUP)
    assert (await service.on_tap(Tap(ADA, moved, buttons(reply)[0].token))).text is not None


async def test_nobody_is_told_when_what_nobody_waits_for_cannot_be_stored(
    service: EmojiService, selfie: bytes, faults: Faults
) -> None:
    reply = await answered(service, selfie)
    with faults.no_database():
        await service.note_answer(GROUP, reply.photo, "8")
        await service.on_reaction(PeopleReaction(ADA, GROUP, "7", ("😢",)))
        await service.on_chat_moved(GROUP, Chat(Platform.TELEGRAM, "-1005"))


async def test_what_covers_each_face_can_be_chosen_and_swapped_in_the_picture(
    service: EmojiService, store: Store, group_photo: bytes
) -> None:
    reply = await answered(service, group_photo)
    fetch = fetching(group_photo, has_spoiler=True)
    made = await service.on_tap(Tap(ADA, GROUP, button(reply, texts.EMOJI_ME).token, fetch=fetch))
    assert made.picture is not None
    first, second = (each.label for each in made.picture_rows[0])
    assert (first[:2], second[:2]) == ("1 ", "2 ")
    grid = await service.on_tap(Tap(ADA, GROUP, made.picture_rows[0][0].token, fetch=fetch))
    assert grid.rows is not None
    other = next(each for each in buttons(grid) if each.label not in first)
    chosen = await service.on_tap(Tap(ADA, GROUP, other.token, fetch=fetch))
    assert chosen.is_whole
    assert chosen.picture is not None
    assert chosen.picture.has_spoiler
    assert chosen.picture.content != made.picture.content
    assert chosen.rows is not None
    assert chosen.rows[0][0].label == f"1 {other.label}"
    assert await select_rows(store, "SELECT emoji FROM taps") == [(other.label,)]
    swapped = await service.on_tap(Tap(ADA, GROUP, button(chosen, texts.SWAP).token, fetch=fetch))
    assert swapped.is_whole
    assert swapped.rows is not None
    assert [each.label[2:] for each in swapped.rows[0]] == [chosen.rows[0][1].label[2:], other.label]
    again = await service.on_tap(Tap(ADA, GROUP, button(swapped, texts.SWAP).token, fetch=fetch))
    assert again.rows is not None
    assert again.rows[0] == chosen.rows[0]


async def test_only_who_asked_changes_what_covers_the_faces(service: EmojiService, group_photo: bytes) -> None:
    reply = await answered(service, group_photo)
    fetch = fetching(group_photo)
    made = await service.on_tap(Tap(ADA, GROUP, button(reply, texts.EMOJI_ME).token, fetch=fetch))
    for each in (*made.picture_rows[0], *made.picture_rows[-1]):
        assert (await service.on_tap(Tap(BERT, GROUP, each.token, fetch=fetch))).notice == texts.NOT_YOURS
    forged = f"d:{made.picture_rows[0][0].token.split(':')[1]}:999"
    assert (await service.on_tap(Tap(ADA, GROUP, forged, fetch=fetch))).notice == texts.GONE
    gone = await service.on_tap(Tap(ADA, GROUP, made.picture_rows[-1][0].token))
    assert gone.notice == texts.PHOTO_GONE


async def test_all_faces_can_be_blurred_at_once(service: EmojiService, group_photo: bytes) -> None:
    reply = await answered(service, group_photo)
    token = button(reply, texts.BLUR).token
    made = await service.on_tap(Tap(ADA, GROUP, token, fetch=fetching(group_photo, has_spoiler=True)))
    assert made.picture is not None
    assert (made.notice, made.picture.form, made.picture.has_spoiler) == (texts.EMOJI_ME_MADE, Form.PHOTO, True)
    assert (made.picture_rows, made.covers) == ((), "")
    assert (await service.on_tap(Tap(BERT, GROUP, token, fetch=fetching(group_photo)))).notice == texts.NOT_YOURS


async def test_only_who_made_a_picture_learns_what_covers_its_faces(
    service: EmojiService, group_photo: bytes, wall_photo: bytes, faults: Faults
) -> None:
    reply = await answered(service, group_photo)
    token = button(reply, texts.EMOJI_ME).token
    tap = Tap(ADA, GROUP, token, fetch=fetching(group_photo), shows_each_face=True)
    assert (await service.on_tap(tap)).covers == token
    told = await service.on_covers(tap)
    assert (told.text, len(told.covers)) == ("", 2)
    assert all(emoji in told.names for each in told.covers for emoji in each.choices)
    assert (await service.on_covers(replace(tap, person=BERT))).text == texts.GONE
    assert (await service.on_covers(replace(tap, token="x"))).text == texts.GONE
    assert (await service.on_covers(replace(tap, token=button(reply, "1").token))).text == texts.GONE
    assert (await service.on_covers(replace(tap, fetch=fetching(wall_photo)))).text == texts.NO_FACE
    assert (await service.on_covers(replace(tap, fetch=fetching(b"no")))).text == texts.PHOTO_PROBLEMS["not_a_picture"]
    assert (await service.on_covers(replace(tap, fetch=None))).text == texts.PHOTO_GONE
    with faults.no_database():
        assert (await service.on_covers(tap)).text == texts.FAILED


async def test_a_sticker_can_be_put_into_the_persons_own_pack_on_telegram(service: EmojiService, selfie: bytes) -> None:
    reply = await answered(service, selfie)
    made = await service.on_tap(Tap(ADA, GROUP, button(reply, texts.STICKER).token, fetch=fetching(selfie)))
    [[into_pack], others] = made.picture_rows
    assert into_pack.label == texts.PACK_ADD
    assert [each.label for each in others] == [texts.STICKER_EMOJI[place] for place in ("ON_FACE", "NONE")]
    assert (await service.on_tap(Tap(ADA, GROUP, into_pack.token))).is_for_pack
    assert not (await service.on_tap(Tap(BERT, GROUP, into_pack.token))).is_for_pack


async def test_the_emoji_of_a_sticker_can_be_moved_or_left_out(service: EmojiService, selfie: bytes) -> None:
    reply = await answered(service, selfie)
    made = await service.on_tap(Tap(ADA, GROUP, button(reply, texts.STICKER).token, fetch=fetching(selfie)))
    bare = made.picture_rows[-1][-1]
    other = await service.on_tap(Tap(ADA, GROUP, bare.token, fetch=fetching(selfie)))
    assert other.picture is not None
    assert made.picture is not None
    assert other.picture.content != made.picture.content
    labels = [each.label for each in other.picture_rows[-1]]
    assert labels == [texts.STICKER_EMOJI[place] for place in ("ON_FACE", "BESIDE")]


async def test_too_many_covers_are_not_changed_one_by_one(
    service: EmojiService, group_photo: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = button(await answered(service, group_photo), texts.EMOJI_ME).token
    tap = Tap(ADA, GROUP, token, fetch=fetching(group_photo))
    assert len((await service.on_covers(tap)).covers) == 2
    monkeypatch.setattr("bots.conversation.taps.MOST_COVERS", 1)
    told = await service.on_covers(tap)
    assert (told.text, told.covers) == (texts.TOO_MANY_COVERS.format(most=1), ())


async def test_the_head_of_somebody_else_stays_covered(service: EmojiService, selfie: bytes) -> None:
    own = button(await answered(service, selfie), texts.STICKER).token
    covered = str(replace(Token.parse(own), choice=StickerEmoji.ON_FACE))
    wanted = (await service.on_tap(Tap(ADA, GROUP, covered, fetch=fetching(selfie)))).picture
    reply = await answered(service, selfie, sender=BERT)
    made = await service.on_tap(Tap(ADA, GROUP, button(reply, texts.STICKER).token, fetch=fetching(selfie)))
    assert made.picture == wanted is not None
    assert [[each.label for each in row] for row in made.picture_rows] == [[texts.PACK_ADD]]


async def test_recent_emoji_are_the_persons_own_the_newest_first(
    service: EmojiService, store: Store, selfie: bytes, faults: Faults
) -> None:
    reply = await answered(service, selfie)
    reading = int(buttons(reply)[0].token.split(":")[1])
    for emoji in ("😄", "😐"):
        await store.taps.add(reading, emoji=emoji)
    await answered(service, selfie, person=BERT)
    assert await service.recent_emoji(ADA, 5) == ("😐",)
    assert await service.recent_emoji(BERT, 5) == ()
    with faults.no_database():
        assert await service.recent_emoji(ADA, 5) == ()
