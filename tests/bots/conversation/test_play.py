"""A game that teaches: copy an emoji with your face, alone or in a group, and get points for how surely it is read."""

import random
from collections import Counter
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bots.conversation import texts
from bots.conversation.play import LEARNED_FROM, ROUND_LASTS, ROUNDS
from bots.conversation.service import EmojiService
from bots.messages import Command, CommandName, PhotoMessage, Picture, Reply, Tap, TapReply
from bots.pictures.maker import PictureMaker
from bots.serving.inference_pool import InferencePool
from db import Chat, ChatChoices, Person, Platform, Source, Store
from recognizer import EMOTIONS, Recognizer
from tests.bots.replies import button, buttons, forget
from tests.faults import Faults
from tests.rows import count_rows, select_rows

ADA, BERT = Person(Platform.TELEGRAM, "1"), Person(Platform.TELEGRAM, "2")
ALONE, GROUP = Chat(Platform.TELEGRAM, "1"), Chat(Platform.TELEGRAM, "-5")


class Hours:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 27, 12, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Hours:
    return Hours()


@pytest.fixture
async def game(
    recognizer: Recognizer, store: Store, picture_maker: PictureMaker, clock: Hours
) -> AsyncIterator[EmojiService]:
    pool = InferencePool(workers=2, waiting=8)
    service = EmojiService(recognizer, store, pool, picture_maker, clock=clock, chance=random.Random(1))
    yield service
    await service.close()
    pool.close()


async def play(service: EmojiService, *, chat: Chat = ALONE, in_public: bool = False) -> Reply:
    return await service.on_command(Command(ADA, chat, CommandName.PLAY, in_public=in_public))


async def send(service: EmojiService, content: bytes, **facts: Any) -> Reply:
    known = {"person": ADA, "chat": ALONE, "pictures": (Picture(content),), **facts}
    return [reply async for reply in service.on_photo(PhotoMessage(**known))][-1]


async def allow(service: EmojiService, store: Store, message: str = "8") -> Reply:
    """Allow the game in the group and begin a round, whose message is `message`."""
    await store.chats.choose(GROUP, ChatChoices(allows_play=True))
    asked = await play(service, chat=GROUP, in_public=True)
    await service.note_round(GROUP, asked.game, message)
    return asked


async def test_alone_one_plays_three_rounds_and_nothing_comes_up_twice(
    game: EmojiService, store: Store, selfie: bytes
) -> None:
    reply = await play(game)
    for number in range(1, ROUNDS + 1):
        assert texts.PLAY_ASKS.split("{")[0] in reply.text
        assert f"Round {number} of {ROUNDS}" in reply.text
        reply = await send(game, selfie)
        assert "I read: happy" in reply.text
    assert texts.PLAY_TEACHES in reply.text
    assert [each.label for each in buttons(reply)] == [texts.PLAY_AGAIN]
    asked = [emotion for (emotion,) in await select_rows(store, "SELECT emotion FROM taps ORDER BY id")]
    assert len(set(asked)) == ROUNDS
    assert set(asked) <= set(LEARNED_FROM)
    after = await send(game, selfie)
    assert "You look happy" in after.text


async def test_points_are_how_surely_it_is_read(game: EmojiService, store: Store, selfie: bytes) -> None:
    for emotion in ("happy", "sad"):
        await store.games.start(ALONE, ADA, emotion, "🙂", datetime(2026, 11, 27, 12, 0, tzinfo=UTC))
        reply = await send(game, selfie)
        points = int(reply.text.split()[0])
        assert points > 60 if emotion == "happy" else points < 20


async def test_an_attempt_is_a_word_of_who_allowed_their_faces_and_marked_as_played(
    game: EmojiService, store: Store, selfie: bytes
) -> None:
    await store.set_keeps_faces(ADA, True)
    await store.games.start(ALONE, ADA, "disgust", "🤢", datetime(2026, 11, 27, 12, 0, tzinfo=UTC))
    await send(game, selfie)
    [face] = await store.feedback.faces()
    assert [(answer.source, answer.verdict) for answer in face.answers] == [(Source.PLAY, "disgust")]


async def test_a_photo_without_a_face_may_be_sent_again(
    game: EmojiService, store: Store, selfie: bytes, wall_photo: bytes
) -> None:
    await play(game)
    for nothing in (wall_photo, b"no picture"):
        reply = await send(game, nothing)
        assert not reply.rows
    assert "Round 2" in (await send(game, selfie)).text
    assert await count_rows(store, "taps") == 1


async def test_a_face_may_be_changed_and_the_game_stopped(game: EmojiService, selfie: bytes) -> None:
    asked = await play(game)
    other = await game.on_tap(Tap(ADA, ALONE, button(asked, texts.PLAY_CHANGE).token))
    assert other.text is not None
    assert "Round 1" in other.text
    assert other.text != asked.text
    stopped = await game.on_tap(Tap(ADA, ALONE, button(other, texts.PLAY_STOP).token))
    assert stopped.text == texts.PLAY_STOPPED
    assert "You look happy" in (await send(game, selfie)).text
    assert (await game.on_tap(Tap(ADA, ALONE, button(asked, texts.PLAY_STOP).token))).notice == texts.PLAY_OVER
    again = await game.on_tap(Tap(ADA, ALONE, button(stopped, texts.PLAY_AGAIN).token))
    assert again.text is not None
    assert "Round 1" in again.text


async def test_after_ten_minutes_a_photo_is_a_photo_again(game: EmojiService, clock: Hours, selfie: bytes) -> None:
    await play(game)
    clock.now += ROUND_LASTS + timedelta(seconds=1)
    assert "You look happy" in (await send(game, selfie)).text


async def test_a_game_is_of_one_person_in_one_chat(game: EmojiService, selfie: bytes) -> None:
    await play(game)
    unknown = Person.unknown(Platform.TELEGRAM)
    for facts in ({"person": BERT}, {"chat": GROUP}, {"sender": BERT}, {"sender": unknown}, {"is_new": False}):
        assert "You look happy" in (await send(game, selfie, **facts)).text


async def test_in_a_group_it_is_off_until_its_administrators_allow_it(game: EmojiService, store: Store) -> None:
    assert await play(game, chat=GROUP, in_public=True) == Reply(texts.PLAY_OFF)

    async def yes() -> bool:
        return True

    settings = await game.on_command(Command(ADA, GROUP, CommandName.CHAT_SETTINGS, administers=yes))
    await game.on_tap(Tap(ADA, GROUP, button(settings, texts.ALLOW_PLAY).token, administers=yes))
    asked = await play(game, chat=GROUP, in_public=True)
    assert asked.game > 0
    assert not asked.rows


async def test_in_a_group_photos_in_reply_to_the_round_get_points_on_a_scoreboard(
    game: EmojiService, store: Store, selfie: bytes
) -> None:
    await allow(game, store)
    assert await game.plays_on(GROUP, "8")
    assert not await game.plays_on(GROUP, "9")
    for person, name in ((ADA, "Ada"), (BERT, "Bert\n of  the hills"), (ADA, "Ada")):
        reply = await send(game, selfie, chat=GROUP, person=person, name=name, replies_to="8")
    assert reply.text.startswith("Ada: ")
    assert texts.PLAY_SCOREBOARD in reply.text
    assert "Bert of the hills" in reply.text
    scores = await store.games.scoreboard(GROUP, 10)
    assert [(score.name, score.rounds) for score in scores] == [("Ada", 1), ("Bert of the hills", 1)]
    assert scores[0].points == scores[1].points
    elsewhere = await send(game, selfie, chat=GROUP, replies_to="9")
    assert "You look happy" in elsewhere.text


async def test_the_best_attempt_of_a_round_counts_and_a_new_round_adds_to_it(
    game: EmojiService, store: Store, clock: Hours
) -> None:
    first = await store.games.start(GROUP, None, "sad", "😢", clock())
    for points, counted in ((40, 40), (70, 70), (10, 70)):
        assert await store.games.score(first, ADA, "Ada", points) == counted
    second = await store.games.start(GROUP, None, "fear", "😱", clock())
    await store.games.score(second, ADA, "Ada L.", 5)
    await store.games.score(second, ADA, "", 1)
    [score] = await store.games.scoreboard(GROUP, 10)
    assert (score.name, score.points, score.rounds) == ("Ada L.", 75, 2)
    assert await store.games.score(first, ADA, "Ada", 99) == 99  # a round that is over changes nothing
    assert (await store.games.scoreboard(GROUP, 10))[0].points == 75


async def test_the_scoreboard_goes_with_who_is_forgotten_and_with_the_permission(
    game: EmojiService, store: Store, selfie: bytes, clock: Hours
) -> None:
    await allow(game, store)
    for person, name in ((ADA, "Ada"), (BERT, "Bert")):
        await send(game, selfie, chat=GROUP, person=person, name=name, replies_to="8")
    await forget(game, ADA, GROUP)
    assert [score.name for score in await store.games.scoreboard(GROUP, 10)] == ["Bert"]

    async def yes() -> bool:
        return True

    settings = await game.on_command(Command(ADA, GROUP, CommandName.CHAT_SETTINGS, administers=yes))
    await game.on_tap(Tap(ADA, GROUP, button(settings, texts.FORBID_PLAY).token, administers=yes))
    assert await count_rows(store, "scores") == await count_rows(store, "games") == 0


async def test_what_the_model_knows_least_comes_up_most_until_it_was_played(
    game: EmojiService, store: Store, selfie: bytes
) -> None:
    play_of = game._play
    first = Counter([(await play_of._next(())).emotion for _ in range(300)])
    assert first.most_common(1)[0][0] == "disgust"
    assert set(first) == set(LEARNED_FROM) == set(EMOTIONS) - {"neutral"}
    for _ in range(40):  # these may not be learned from, so they change nothing
        await store.add_photo(BERT, ALONE, "m", [_face()], shows="disgust")
    same = Counter([(await play_of._next(())).emotion for _ in range(300)])
    assert same["disgust"] > first["disgust"] * 0.7
    await store.set_keeps_faces(ADA, True)
    for _ in range(80):
        await store.games.start(ALONE, ADA, "disgust", "🤢", datetime(2026, 11, 27, 12, 0, tzinfo=UTC))
        (await store.add_photo(ADA, ALONE, "m", [_face()], shows="disgust"))
    later = Counter([(await play_of._next(())).emotion for _ in range(300)])
    assert later["disgust"] < first["disgust"] * 0.7


async def test_only_faces_are_to_be_copied(game: EmojiService) -> None:
    asked = {(await play(game)).text.splitlines()[-1] for _ in range(60)}
    assert len(asked) > 8
    assert not asked & {"🖕", "👎", "💢", "💔", "❤️", "😾", "👻", "🙅", "🎉"}


async def test_two_photos_for_one_round_count_once(game: EmojiService, store: Store, clock: Hours) -> None:
    started = await store.games.start(ALONE, ADA, "sad", "😢", clock())
    assert await store.games.go_on(started, 10, "fear", "😱", clock()) is not None
    assert await store.games.go_on(started, 10, "happy", "😄", clock()) is None
    assert not await store.games.end(started)
    now = await store.games.of(ALONE, ADA, clock())
    assert now is not None
    assert (now.round, now.points, now.asked) == (2, 10, ("sad", "fear"))


async def test_a_database_that_is_away_answers_photos_as_usual_and_games_with_a_sentence(
    game: EmojiService, selfie: bytes, faults: Faults
) -> None:
    asked = await play(game)
    with faults.no_database():
        assert "You look happy" in (await send(game, selfie)).text
        assert (await play(game)).text == texts.FAILED
        tapped = await game.on_tap(Tap(ADA, ALONE, button(asked, texts.PLAY_CHANGE).token))
        assert tapped == TapReply(texts.FAILED)
        assert not await game.plays_on(GROUP, "8")


def _face() -> Any:
    from db import FaceReading

    return FaceReading((0.1, 0.0, 0.1, 0.5, 0.2, 0.1, 0.0), ("😄",), bytes(48 * 48))
