"""Commands and permissions of admins and chat administrators, with a real database; adapters have their own tests."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from bots.admin import texts as admin_texts
from bots.admin.allowlist import Allowlist
from bots.admin.tokens import AdminAction, AdminToken
from bots.conversation import texts
from bots.conversation.buttons import Action, Token
from bots.conversation.service import EmojiService
from bots.messages import AdminCommand, AdminCommandName, Button, Command, CommandName, Reply, Tap, TapReply, TokenError
from bots.pictures.maker import PictureMaker
from db import Actor, Chat, ChatChoices, Depth, FaceReading, Person, Platform, Role, Source, State, Store, Verdict
from recognizer import Recognizer
from tests.bots.admins import SHIPPED, add_faces, add_version, admin_service, training_program
from tests.bots.replies import button
from tests.faults import Faults
from tests.rows import count_rows

ANNA, BERT, EVE = Person(Platform.TELEGRAM, "1"), Person(Platform.DISCORD, "2"), Person(Platform.TELEGRAM, "3")
GROUP = Chat(Platform.TELEGRAM, "-5")


@pytest.fixture
async def admin_commands(
    recognizer: Recognizer, store: Store, picture_maker: PictureMaker
) -> AsyncIterator[EmojiService]:
    async with admin_service(recognizer, store, picture_maker, "telegram:1, discord:2") as service:
        yield service


async def ask(
    service: EmojiService, name: AdminCommandName, words: str = "", person: Person = ANNA, *, in_public: bool = False
) -> list[Reply]:
    command = AdminCommand(person, name, words, in_public=in_public)
    return [reply async for reply in service.on_admin_command(command)]


async def tap(service: EmojiService, button: Button, person: Person = ANNA, *, in_public: bool = False) -> TapReply:
    return await service.on_tap(Tap(person, GROUP, button.token, in_public=in_public))


async def active(store: Store) -> str:
    held = await store.versions.holding(Role.ACTIVE)
    assert held is not None
    return held.name


@pytest.mark.parametrize("name", AdminCommandName)
async def test_others_are_refused_told_their_id_and_logged_without_it(
    admin_commands: EmojiService, name: AdminCommandName
) -> None:
    with capture_logs() as logs:
        [reply] = await ask(admin_commands, name, "anything", person=EVE)
    assert "telegram:3" in reply.text
    assert reply == Reply(texts.ADMINS_ONLY.format(id="telegram:3"))
    assert logs == [{"event": "admin_refused", "platform": "telegram", "action": name.value, "log_level": "warning"}]


async def test_without_a_desk_nobody_is_an_admin(service: EmojiService) -> None:
    [reply] = await ask(service, AdminCommandName.MODELS)
    assert reply.text == texts.ADMINS_ONLY.format(id="telegram:1")


@pytest.mark.parametrize("action", AdminAction)
async def test_a_forged_token_of_somebody_else_does_nothing(
    admin_commands: EmojiService, store: Store, action: AdminAction
) -> None:
    [reading] = await add_faces(store, 1)
    await add_version(store, "a")
    numbers = {"number": 2, "other": 1} if action is AdminAction.PROMOTE else {"number": reading, "other": 3}
    with capture_logs() as logs:
        answer = await admin_commands.on_tap(Tap(EVE, GROUP, str(AdminToken(action, **numbers))))
    assert answer == TapReply(texts.ADMINS_ONLY.format(id="telegram:3"))
    assert [(entry["event"], entry["action"]) for entry in logs] == [("admin_refused", action.name.lower())]
    assert await count_rows(store, "labels") == 0
    assert await active(store) == SHIPPED


@pytest.mark.parametrize(
    "forged",
    ["admin:l:1:9", "admin:x:1:0", "admin:l:-1:0", "admin:l:01:0", "admin:l:1", "admin:", f"admin:l:{2**63}:0"],
)
async def test_a_token_that_was_never_made_is_not_understood(admin_commands: EmojiService, forged: str) -> None:
    with pytest.raises(TokenError):
        AdminToken.parse(forged)
    assert (await admin_commands.on_tap(Tap(ANNA, GROUP, forged))).notice == texts.GONE


def test_tokens_fit_and_come_back() -> None:
    for action in AdminAction:
        token = AdminToken(action, 2**63 - 1, len(Verdict) - 1)
        assert len(str(token).encode("ascii")) <= 64
        assert AdminToken.parse(str(token)) == token


def test_admins_are_read_and_a_mistake_is_named_without_its_value() -> None:
    admins = Allowlist.parse(" telegram:12, discord:34,,Telegram:56 ")
    assert Person(Platform.DISCORD, "34") in admins
    assert Person(Platform.DISCORD, "12") not in admins
    assert admins.on(Platform.TELEGRAM) == ("12", "56")
    assert not Allowlist.parse("").people
    for wrong in ("99", "web:12", "telegram:@anna", "telegram:12 discord:34"):
        with pytest.raises(ValueError, match="entry 2") as error:
            Allowlist.parse(f"telegram:1, {wrong}")
        assert wrong not in str(error.value)


async def test_in_a_group_faces_are_not_shown(admin_commands: EmojiService, store: Store) -> None:
    await add_faces(store, 1)
    [reply] = await ask(admin_commands, AdminCommandName.REVIEW, in_public=True)
    assert reply == Reply(admin_texts.IN_PRIVATE.format(command="review"))
    [page] = await ask(admin_commands, AdminCommandName.REVIEW)
    refused = await tap(admin_commands, button(page, "Skip"), in_public=True)
    assert refused.picture is None
    assert "private" in refused.notice


async def test_a_face_is_shown_labelled_and_the_next_one_comes(admin_commands: EmojiService, store: Store) -> None:
    first, second = await add_faces(store, 2)
    await store.taps.add(first, emotion="sad")
    [page] = await ask(admin_commands, AdminCommandName.REVIEW)
    assert page.picture is not None
    assert "happy 50%" in page.text
    assert "People said: sad" in page.text
    assert admin_texts.NO_AGREEMENT in page.text
    answer = await tap(admin_commands, button(page, "Sad"))
    assert answer.is_whole
    assert answer.notice == "Kept: 😢 Sad."
    assert AdminToken.parse(button(answer, "Skip").token).number == second
    assert answer.picture != page.picture
    last = await tap(admin_commands, button(answer, "Not a face"))
    assert admin_texts.QUEUE_EMPTY in str(last.text)
    assert last.picture is None
    words = {face.reading: face.answers[-1] for face in await store.feedback.faces()}
    assert [words[each].verdict for each in (first, second)] == ["sad", "not_a_face"]
    assert {word.source for word in words.values()} == {Source.ADMIN}


async def test_undo_takes_a_label_back_and_shows_its_face_again(admin_commands: EmojiService, store: Store) -> None:
    await add_faces(store, 2)
    [page] = await ask(admin_commands, AdminCommandName.REVIEW)
    after = await tap(admin_commands, button(page, "Happy"))
    undone = await tap(admin_commands, button(after, "Undo"))
    assert admin_texts.UNDONE in str(undone.text)
    assert undone.picture == page.picture
    assert await count_rows(store, "labels") == 0
    assert admin_texts.NOTHING_TO_UNDO in str((await tap(admin_commands, button(undone, "Undo"))).text)


async def test_skipped_faces_come_last_and_are_offered_again(admin_commands: EmojiService, store: Store) -> None:
    await add_faces(store, 2)
    [page] = await ask(admin_commands, AdminCommandName.REVIEW)
    second = await tap(admin_commands, button(page, "Skip"))
    assert second.picture not in (None, page.picture)
    over = await tap(admin_commands, button(second, "Skip"))
    assert admin_texts.ONLY_SKIPPED_LEFT in str(over.text)
    [again] = await ask(admin_commands, AdminCommandName.REVIEW)
    assert again.picture == page.picture


async def test_agreement_between_admins_is_shown(admin_commands: EmojiService, store: Store) -> None:
    first, _second = await add_faces(store, 2)
    for admin in (ANNA, BERT):
        await store.feedback.add_label(first, admin, "sad")
    [page] = await ask(admin_commands, AdminCommandName.REVIEW)
    assert "1 of 1 cases (100%)" in page.text


async def test_a_face_that_was_forgotten_meanwhile_is_said_to_be_gone(
    admin_commands: EmojiService, store: Store
) -> None:
    await add_faces(store, 1)
    [page] = await ask(admin_commands, AdminCommandName.REVIEW)
    await store.forget(Person(Platform.TELEGRAM, "900"))
    assert admin_texts.FACE_GONE in str((await tap(admin_commands, button(page, "Happy"))).text)


async def test_a_face_whose_owner_withdrew_takes_no_label(admin_commands: EmojiService, store: Store) -> None:
    await add_faces(store, 1)
    [page] = await ask(admin_commands, AdminCommandName.REVIEW)
    await store.set_keeps_faces(Person(Platform.TELEGRAM, "900"), False)
    answer = await tap(admin_commands, button(page, "Happy"))
    assert admin_texts.FACE_GONE in str(answer.text)
    assert answer.picture is None
    assert await count_rows(store, "labels") == 0


async def test_a_retraining_is_followed_to_its_report_and_promoted(admin_commands: EmojiService, store: Store) -> None:
    await add_version(store, "before")
    following = admin_commands.on_admin_command(AdminCommand(ANNA, AdminCommandName.RETRAIN))
    replies = [await anext(following)]
    number = await _running(store)
    await store.retrainings.beat(number, "learning, round 3 of 10", 0.3)
    replies.append(await anext(following))
    await add_version(store, "adapted")
    await store.retrainings.finish(number, State.DONE, "", "adapted")
    replies += [reply async for reply in following]
    assert all(reply.waiting for reply in replies[:-1])
    assert [reply.text for reply in replies[:-1]] == list(dict.fromkeys(reply.text for reply in replies[:-1]))
    assert "▰▰▰▱▱▱▱▱▱▱ 30%\nlearning, round 3 of 10" in replies[-2].text
    report = replies[-1]
    assert "learned from 70 faces of 14 people" in report.text
    assert (
        "it reads 60% as people say, the served version 50%: +10.0 points (95 % interval +1.0 to +19.0)" in report.text
    )
    assert "3589 faces of the guard set it reads 70.9% right, the served version 71.0%" in report.text
    promoted = await tap(admin_commands, button(report, "Promote"))
    assert promoted.notice.startswith("adapted is served from now on, in place of shipped-1")
    assert await active(store) == "adapted"
    assert (await store.versions.history(1))[0].by == "an admin on Telegram"


async def test_asked_again_while_one_runs_its_progress_is_shown(admin_commands: EmojiService, store: Store) -> None:
    number = await store.retrainings.start(Depth.FULL, Actor("the command line"))
    await store.retrainings.beat(number, "learning", 0.5)
    following = admin_commands.on_admin_command(AdminCommand(ANNA, AdminCommandName.RETRAIN))
    first = await anext(following)
    await store.retrainings.finish(number, State.FAILED, "There are too few faces to judge by.")
    [last] = [reply async for reply in following]
    assert "(full), asked for by the command line" in first.text
    assert "too few faces" in last.text
    assert last.rows == ()


async def test_cancel_stops_a_real_process_and_an_old_button_no_other_one(
    recognizer: Recognizer, store: Store, picture_maker: PictureMaker, tmp_path: Path
) -> None:
    environment = {"DATABASE_URL": f"sqlite:///{tmp_path}/test.db", "SECRET": "a secret for tests"}
    program = training_program(tmp_path)
    async with admin_service(recognizer, store, picture_maker, "telegram:1", program, environment) as service:
        following = service.on_admin_command(AdminCommand(ANNA, AdminCommandName.RETRAIN, "full"))
        await anext(following)
        number = await _running(store)
        other = Button("", "", str(AdminToken(AdminAction.CANCEL, number + 1)))
        assert (await tap(service, other)).notice == admin_texts.NOT_RUNNING
        cancel = Button("", "", str(AdminToken(AdminAction.CANCEL, number)))
        assert (await tap(service, cancel)).notice == admin_texts.CANCELLING
        replies = [reply async for reply in following]
    assert "was cancelled" in replies[-1].text
    assert (await tap(service, cancel)).notice == admin_texts.NOT_RUNNING


async def test_a_process_that_cannot_be_started_is_told(
    recognizer: Recognizer, store: Store, picture_maker: PictureMaker, tmp_path: Path
) -> None:
    async with admin_service(recognizer, store, picture_maker, "telegram:1", (f"{tmp_path}/nothing",)) as service:
        replies = await ask(service, AdminCommandName.RETRAIN)
    assert "could not be started" in replies[-1].text


async def test_a_retraining_that_is_lost_from_sight_goes_on_and_the_admin_is_told(
    admin_commands: EmojiService, store: Store, faults: Faults
) -> None:
    replies = admin_commands.on_admin_command(AdminCommand(ANNA, AdminCommandName.RETRAIN))
    assert (await anext(replies)).waiting
    with faults.no_database():
        assert await anext(replies) == Reply(admin_texts.LOST_FROM_SIGHT)
    assert await store.retrainings.running() is not None


async def test_an_unknown_depth_is_explained(admin_commands: EmojiService, store: Store) -> None:
    assert await ask(admin_commands, AdminCommandName.RETRAIN, "deeply") == [Reply(admin_texts.WHICH_DEPTH)]
    assert await count_rows(store, "retrainings") == 0


async def test_what_is_not_offered_has_no_button_and_needs_a_reason(admin_commands: EmojiService, store: Store) -> None:
    await add_version(store, "a", offered=False)
    [page] = await ask(admin_commands, AdminCommandName.MODELS)
    assert [[each.label for each in row] for row in page.rows] == [["Shadow a"]]
    [refused] = await ask(admin_commands, AdminCommandName.PROMOTE, "a")
    assert "no better" in refused.text
    assert "/promote a REASON" in refused.text
    [done] = await ask(admin_commands, AdminCommandName.PROMOTE, "a I looked at  the faces")
    assert admin_texts.REASON_KEPT in done.text
    [promotion, *_] = await store.versions.history(2)
    assert (promotion.kind, promotion.reason) == ("override", "I looked at  the faces")


async def test_of_two_admins_the_second_is_told_of_the_first(admin_commands: EmojiService, store: Store) -> None:
    await add_version(store, "a")
    await add_version(store, "b")
    [annas] = await ask(admin_commands, AdminCommandName.MODELS)
    [berts] = await ask(admin_commands, AdminCommandName.MODELS, person=BERT)
    await tap(admin_commands, button(annas, "Promote a"))
    told = await tap(admin_commands, button(berts, "Promote b"), BERT)
    assert told.notice.startswith("a was promoted by someone else meanwhile, in place of shipped-1")
    assert "✅ a" in str(told.text)
    assert await active(store) == "a"


async def test_models_says_what_each_is_and_runs_one_in_shadow(admin_commands: EmojiService, store: Store) -> None:
    [reading] = await add_faces(store, 1)
    await add_version(store, "a")
    [page] = await ask(admin_commands, AdminCommandName.MODELS)
    assert page.text.splitlines() == [
        "• a: 0 min old, adapted, +10.0 points on feedback (+1.0 to +19.0), guard -0.1 points, offered",
        "✅ shipped-1: served now; 0 min old, came with the software",
    ]
    await tap(admin_commands, button(page, "Shadow a"))
    await store.versions.add_shadow("a", [(reading, (0.9, 0.1, 0.0, 0.0, 0.0, 0.0, 0.0))])
    [page] = await ask(admin_commands, AdminCommandName.MODELS)
    assert "same emotion as the served one on 0 of 1 faces (0%)" in page.text
    ended = await tap(admin_commands, button(page, "End shadow"))
    assert ended.notice == admin_texts.SHADOW_ENDED
    assert await store.versions.holding(Role.SHADOW) is None


async def test_a_page_of_many_versions_fits_a_message(admin_commands: EmojiService, store: Store) -> None:
    for number in range(9):
        await add_version(store, f"{number}".rjust(60, "v"))
    [page] = await ask(admin_commands, AdminCommandName.MODELS)
    await tap(admin_commands, button(page, "Shadow"))
    await tap(admin_commands, button(page, "Promote"))
    [page] = await ask(admin_commands, AdminCommandName.MODELS)
    assert len(page.rows) <= 5
    assert len(page.text) <= 2000
    assert all(len(each.label) <= 80 and len(each.token) <= 64 for row in page.rows for each in row)
    assert "✅ " in page.text
    assert "… and 5 older." in page.text


async def test_one_tap_goes_back(admin_commands: EmojiService, store: Store) -> None:
    await add_version(store, "a")
    [none] = await ask(admin_commands, AdminCommandName.ROLLBACK)
    assert none == Reply(admin_texts.NO_WAY_BACK.format(served=SHIPPED))
    await store.versions.promote("a", instead_of=SHIPPED, by=Actor("a test"))
    [offer] = await ask(admin_commands, AdminCommandName.ROLLBACK)
    back = button(offer, "Go back to shipped-1")
    assert (await tap(admin_commands, back)).notice.startswith("Back to shipped-1")
    assert await active(store) == SHIPPED
    assert "someone else" in (await tap(admin_commands, back)).notice


async def test_names_that_are_not_there_are_told(admin_commands: EmojiService, store: Store) -> None:
    await add_version(store, "a")
    assert await ask(admin_commands, AdminCommandName.PROMOTE) == [Reply(admin_texts.HOW_TO_PROMOTE)]
    [reply] = await ask(admin_commands, AdminCommandName.PROMOTE, "nothing because")
    assert reply.text == "There is no version nothing."
    gone = Button("", "", str(AdminToken(AdminAction.SHADOW, 99)))
    assert (await tap(admin_commands, gone)).notice == admin_texts.VERSION_GONE


async def test_without_a_database_admins_get_a_sentence(
    admin_commands: EmojiService, store: Store, faults: Faults
) -> None:
    await add_faces(store, 1)
    [page] = await ask(admin_commands, AdminCommandName.REVIEW)
    with faults.no_database():
        for name in AdminCommandName:
            [reply] = await ask(admin_commands, name, "" if name is not AdminCommandName.PROMOTE else "a")
            assert reply.text == admin_texts.NO_DATABASE
        assert (await tap(admin_commands, button(page, "Happy"))).notice == admin_texts.NO_DATABASE


async def test_the_chats_administrators_let_everybody_vote(service: EmojiService, store: Store) -> None:
    reading = await _answered(store)
    choose = Button("", "", str(Token(Action.CHOOSE, reading, 1)))
    assert (await tap(service, choose, EVE)).notice == texts.NOT_YOURS
    settings = await service.on_command(Command(ANNA, GROUP, CommandName.CHAT_SETTINGS, administers=_yes))
    assert texts.SENDER_TAPS in settings.text
    switch = button(settings, texts.LET_EVERYONE_TAP)
    on = await service.on_tap(Tap(ANNA, GROUP, switch.token, administers=_yes))
    assert on.text is not None
    assert texts.EVERYONE_TAPS in on.text
    assert await tap(service, choose, EVE) == TapReply(texts.VOTED)
    await tap(service, Button("", "", str(Token(Action.CORRECT, reading, 5))), BERT)
    await tap(service, Button("", "", str(Token(Action.NONE, reading))), Person(Platform.TELEGRAM, "4"))
    [face] = await store.feedback.faces()
    said = [(word.source, word.emoji, word.verdict) for word in face.answers]
    assert said == [(Source.VOTE, "😐", None), (Source.VOTE, None, "sad"), (Source.VOTE, None, None)]
    more = Button("", "", str(Token(Action.MORE, reading)))
    assert (await tap(service, more, EVE)).notice == texts.NOT_YOURS
    await service.on_tap(Tap(ANNA, GROUP, button(on, texts.LET_SENDER_TAP).token, administers=_yes))
    assert (await tap(service, choose, EVE)).notice == texts.NOT_YOURS


async def test_a_vote_counts_only_where_the_photo_was_answered(service: EmojiService, store: Store) -> None:
    reading = await _answered(store)
    elsewhere = Chat(Platform.TELEGRAM, "-6")
    await store.chats.choose(elsewhere, ChatChoices(everyone_taps=True))
    forged = Tap(EVE, elsewhere, str(Token(Action.CHOOSE, reading, 0)))
    assert (await service.on_tap(forged)).notice == texts.NOT_YOURS
    assert await count_rows(store, "taps") == 0


async def test_members_may_not_change_a_chats_settings(service: EmojiService, store: Store) -> None:
    reply = await service.on_command(Command(EVE, GROUP, CommandName.CHAT_SETTINGS))
    assert reply == Reply(texts.CHAT_ADMINS_ONLY)
    forged = str(Token(Action.SET_EVERYONE_TAPS, choice=1))
    assert await service.on_tap(Tap(EVE, GROUP, forged)) == TapReply(texts.CHAT_ADMINS_ONLY)
    assert await store.chats.choices(GROUP) == ChatChoices()


async def _answered(store: Store) -> int:
    """Return an answered reading in the group, whose sender consented to learning."""
    sender = Person(Platform.TELEGRAM, "900")
    await store.set_keeps_faces(sender, True)
    face = FaceReading((0.1, 0.0, 0.1, 0.5, 0.2, 0.1, 0.0), ("😄", "😐", "😢"), bytes(48 * 48))
    [reading] = (await store.add_photo(sender, GROUP, SHIPPED, [face])).readings
    return reading.id


async def _running(store: Store) -> int:
    """The number of the retraining that runs."""
    running = await store.retrainings.running()
    assert running is not None
    return running.id


async def _yes() -> bool:
    return True
