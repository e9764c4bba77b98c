"""What people decide about their data: asked once, in private, and only they can answer."""

import hashlib

import pytest

from bots.conversation import texts
from bots.conversation.buttons import Action, ConsentAnswer, Token
from bots.conversation.languages import OWN_NAMES, speak
from bots.conversation.service import EmojiService
from bots.messages import Command, CommandName, PhotoMessage, Picture, Reply, Tap, TapReply
from db import CONSENT_VERSION, Chat, Person, Platform, Store
from tests.bots.replies import button, buttons
from tests.faults import Faults
from tests.rows import count_rows

ADA, BOB = Person(Platform.TELEGRAM, "7"), Person(Platform.TELEGRAM, "8")
CHAT, GROUP = Chat(Platform.TELEGRAM, "7"), Chat(Platform.TELEGRAM, "-5")
WORDS_OF_VERSION = {2: "2a8fad391fdf"}


async def chosen(service: EmojiService, selfie: bytes, *, in_public: bool = False, place: int = 0) -> TapReply:
    """Let Ada send a photo and tap an emoji; return the answer to that."""
    photo = PhotoMessage(ADA, CHAT, (Picture(selfie),))
    answer = [reply async for reply in service.on_photo(photo)][-1]
    return await service.on_tap(Tap(ADA, CHAT, buttons(answer)[place].token, in_public=in_public))


async def press(service: EmojiService, reply: Reply, label: str, person: Person = ADA) -> TapReply:
    return await service.on_tap(Tap(person, CHAT, button(reply, label).token))


def test_the_version_of_the_consent_changes_with_its_words() -> None:
    """If this fails: where the words mean something else now, raise `db.CONSENT_VERSION`; then note their hash here."""
    words = hashlib.sha256(texts.CONSENT.encode()).hexdigest()[:12]
    assert WORDS_OF_VERSION[CONSENT_VERSION] == words


async def test_after_the_first_choice_the_question_comes_once(service: EmojiService, selfie: bytes) -> None:
    question = (await chosen(service, selfie)).question
    assert question is not None
    assert question.text == texts.CONSENT.format(kept="for at most 90 days")
    labels = [each.label for each in buttons(question)]
    assert labels == [texts.ALLOW_FACES, texts.DECLINE_FACES, texts.CONSENT_MORE]
    assert (await chosen(service, selfie)).question is None


async def test_nobody_is_asked_where_others_read_it(service: EmojiService, selfie: bytes) -> None:
    assert (await chosen(service, selfie, in_public=True)).question is None
    assert (await chosen(service, selfie)).question is not None


async def test_who_has_answered_in_privacy_is_not_asked(service: EmojiService, store: Store, selfie: bytes) -> None:
    await store.set_keeps_faces(ADA, False)
    assert (await chosen(service, selfie)).question is None


@pytest.mark.parametrize(("label", "kept"), [(texts.ALLOW_FACES, 1), (texts.DECLINE_FACES, 0), (texts.CONSENT_MORE, 0)])
async def test_only_a_yes_is_a_yes(service: EmojiService, store: Store, selfie: bytes, label: str, kept: int) -> None:
    question = (await chosen(service, selfie)).question
    assert question is not None
    await press(service, question, label)
    await chosen(service, selfie)
    assert await count_rows(store, "readings WHERE crop IS NOT NULL") == kept


async def test_a_yes_to_words_that_have_changed_shows_the_present_ones(service: EmojiService, store: Store) -> None:
    old = str(Token(Action.KEEP_FACES, CONSENT_VERSION - 1, ConsentAnswer.YES))
    reply = await service.on_tap(Tap(ADA, CHAT, old))
    assert not await store.keeps_faces(ADA)
    assert texts.CONSENT.format(kept="for at most 90 days") in (reply.text or "")
    assert (await press(service, Reply("", rows=reply.rows or ()), texts.ALLOW_FACES)).notice == texts.FACES_ALLOWED
    assert await store.keeps_faces(ADA)


async def test_without_the_database_a_choice_is_answered_and_nothing_is_asked(
    service: EmojiService, store: Store, faults: Faults, selfie: bytes
) -> None:
    with faults.on(lambda said: OSError("gone") if said.startswith("UPDATE people SET asked_version") else None):
        answer = await chosen(service, selfie)
    assert answer.question is None
    assert answer.notice == texts.CHOSEN.format(emoji="😁")


@pytest.mark.parametrize("agreed", [True, False])
@pytest.mark.parametrize("language", OWN_NAMES)
async def test_privacy_is_ten_lines_at_most(service: EmojiService, store: Store, language: str, agreed: bool) -> None:
    await store.set_keeps_faces(ADA, agreed)
    shown = await service.on_command(Command(ADA, CHAT, CommandName.PRIVACY, language))
    assert len(shown.text.splitlines()) <= 10
    assert speak(language).say(texts.INTRODUCTION) in shown.text
    assert len(shown.text) < 2000  # Discord's limit


async def test_in_a_group_privacy_says_nothing_of_a_persons_choice(service: EmojiService, store: Store) -> None:
    said = []
    for agreed in (True, False):
        await store.set_keeps_faces(ADA, agreed)
        said.append(await service.on_command(Command(ADA, GROUP, CommandName.PRIVACY, in_public=True)))
    assert said[0] == said[1]
    assert said[0].rows == ()


async def test_forgetting_asks_first(service: EmojiService, store: Store, selfie: bytes) -> None:
    await chosen(service, selfie)
    question = await service.on_command(Command(ADA, CHAT, CommandName.FORGET_ME))
    assert question.text == texts.FORGET_ASKS
    assert await count_rows(store, "people") == 1
    kept = await press(service, question, texts.FORGET_NO)
    assert (kept.text, kept.rows, kept.has_forgotten) == (texts.FORGET_CANCELLED, (), False)
    assert await count_rows(store, "people") == 1
    gone = await press(service, question, texts.FORGET_YES)
    assert (gone.text, gone.rows, gone.has_forgotten) == (texts.FORGOTTEN, (), True)
    assert await count_rows(store, "people") == 0


@pytest.mark.parametrize("label", [texts.FORGET_YES, texts.FORGET_NO])
async def test_nobody_else_answers_the_question(service: EmojiService, store: Store, selfie: bytes, label: str) -> None:
    await chosen(service, selfie)
    await store.set_keeps_faces(BOB, True)
    question = await service.on_command(Command(ADA, GROUP, CommandName.FORGET_ME))
    answer = await press(service, question, label, person=BOB)
    assert (answer.notice, answer.text, answer.rows) == (texts.NOT_YOURS_TO_FORGET, None, None)
    assert await count_rows(store, "people") == 2


async def test_the_mark_in_a_button_says_nothing_about_the_person(service: EmojiService, store: Store) -> None:
    question = await service.on_command(Command(ADA, CHAT, CommandName.FORGET_ME))
    for each in buttons(question):
        assert len(each.token.encode()) <= 64
    assert store.mark_of(ADA) != store.mark_of(BOB)
    assert store.mark_of(ADA) < 2**60


async def first_and_second(service: EmojiService, selfie: bytes, person: Person, chat: Chat) -> list[bool]:
    """Return whether the first two answers to a person say what the bot is."""
    told = []
    for _ in range(2):
        photo = PhotoMessage(person, chat, (Picture(selfie),))
        told.append(texts.INTRODUCTION in [reply.text async for reply in service.on_photo(photo)][-1])
    return told


async def test_the_first_answer_says_what_the_bot_is_where_nothing_has_before(
    service: EmojiService, selfie: bytes
) -> None:
    eve = Person(Platform.DISCORD, "1178899001122334455")
    assert await first_and_second(service, selfie, eve, Chat(Platform.DISCORD, "1178899001122334466")) == [True, False]
    assert await first_and_second(service, selfie, ADA, GROUP) == [True, False]
    assert await first_and_second(service, selfie, BOB, Chat(Platform.TELEGRAM, "8")) == [False, False]


@pytest.mark.parametrize("language", ["en"])
@pytest.mark.parametrize("name", [CommandName.START, CommandName.HELP])
@pytest.mark.parametrize("platform", [Platform.TELEGRAM, Platform.DISCORD, Platform.WEB])
async def test_start_and_help_say_what_the_bot_is(
    service: EmojiService, platform: Platform, name: CommandName, language: str
) -> None:
    said = (await service.on_command(Command(Person(platform, "1"), Chat(platform, "1"), name, language))).text
    assert "AI that reads facial expressions" in said
    assert "not for use at work or in schools" in said
    assert "AI that reads facial expressions" in texts.WEB_START
