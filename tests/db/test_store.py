import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from db import Actor, Chat, Depth, FaceReading, Person, Platform, Preferences, Store, StoredChoice, StoreError
from db.schema import Base, ReadingRow, TapRow
from tests.db.conftest import SECRET
from tests.db.postgresql import PASSWORD
from tests.rows import count_rows, select_rows

ANNA, BERT = Person(Platform.TELEGRAM, "778899001122"), Person(Platform.TELEGRAM, "665544332211")
GROUP, ALONE = Chat(Platform.TELEGRAM, "-100987654321"), Chat(Platform.TELEGRAM, "778899001122")
CROP = bytes(range(256)) * 9
HAPPY = FaceReading((0.0, 0.0, 0.0, 0.9, 0.1, 0.0, 0.0), ("😁", "🙂", "😐"), CROP)
SAD = FaceReading((0.1, 0.0, 0.1, 0.0, 0.2, 0.6, 0.0), ("😢", "😭", "😐"), CROP[::-1])


async def crops(store: Store) -> list[bytes | None]:
    async with store.transactions.read() as session:
        return list(await session.scalars(select(ReadingRow.crop).order_by(ReadingRow.id)))


def bytes_of_all_files(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.iterdir())


async def rows_a_table(store: Store) -> dict[str, int]:
    """Return the number of rows of each table that has any; how often somebody was forgotten is nobody's."""
    counts = {table: await count_rows(store, table) for table in Base.metadata.tables if table != "forgettings"}
    return {table: count for table, count in counts.items() if count}


async def test_a_photo_comes_back_as_it_was_read(store: Store) -> None:
    kept = (await store.add_photo(ANNA, GROUP, "model-1", [HAPPY, SAD])).readings
    assert [(each.probabilities, each.suggestions, each.chosen) for each in kept] == [
        (HAPPY.probabilities, HAPPY.suggestions, None),
        (SAD.probabilities, SAD.suggestions, None),
    ]
    found = await store.photo_of(kept[1].id, asked_by=ANNA)
    assert found is not None
    assert found.readings == kept


async def test_readings_are_kept_without_crops_by_default(store: Store) -> None:
    assert not await store.keeps_faces(ANNA)
    await store.add_photo(ANNA, GROUP, "model-1", [HAPPY, SAD])
    assert await crops(store) == [None, None]


async def test_with_consent_the_crop_is_kept_and_nothing_larger(store: Store) -> None:
    await store.set_keeps_faces(ANNA, agreed=True)
    assert await store.keeps_faces(ANNA)
    await store.add_photo(ANNA, GROUP, "model-1", [HAPPY])
    assert await crops(store) == [CROP]
    for table in Base.metadata.tables.values():
        async with store.transactions.read() as session:
            for row in await session.execute(select(table)):
                assert all(len(value) <= 48 * 48 for value in row if isinstance(value, bytes | str))


async def test_consent_is_of_one_person(store: Store) -> None:
    await store.set_keeps_faces(ANNA, agreed=True)
    await store.add_photo(BERT, GROUP, "model-1", [HAPPY])
    assert await crops(store) == [None]


async def test_taking_consent_back_deletes_the_crops_of_this_person_only(store: Store) -> None:
    for person in (ANNA, BERT):
        await store.set_keeps_faces(person, agreed=True)
        await store.add_photo(person, GROUP, "model-1", [HAPPY])
    await store.set_keeps_faces(ANNA, agreed=False)
    assert await crops(store) == [None, CROP]
    await store.add_photo(ANNA, GROUP, "model-1", [SAD])
    assert await crops(store) == [None, CROP, None]
    assert await store.keeps_faces(BERT)


async def test_preferences_are_empty_until_set_and_of_one_person(store: Store) -> None:
    assert await store.preferences(ANNA) == Preferences()
    chosen = Preferences(language="pt", skin_tone="medium_light", presentation="woman")
    await store.set_preferences(ANNA, chosen)
    assert await store.preferences(ANNA) == chosen
    assert await store.preferences(BERT) == Preferences()


async def test_later_preferences_replace_those_before_and_leave_consent_alone(store: Store) -> None:
    await store.set_keeps_faces(ANNA, agreed=True)
    await store.set_preferences(ANNA, Preferences(language="pt", skin_tone="dark"))
    await store.set_preferences(ANNA, Preferences(presentation="man"))
    assert await store.preferences(ANNA) == Preferences(presentation="man")
    assert await store.keeps_faces(ANNA)


async def test_forget_forgets_preferences(store: Store) -> None:
    await store.set_preferences(ANNA, Preferences(language="ar"))
    assert await store.forget(ANNA)
    assert await store.preferences(ANNA) == Preferences()


async def test_forget_leaves_no_row_of_this_person_in_any_table(store: Store) -> None:
    await store.set_keeps_faces(ANNA, agreed=True)
    (reading,) = (await store.add_photo(ANNA, ALONE, "model-1", [HAPPY])).readings
    await store.taps.add(reading.id, emoji="🙂")
    assert (await rows_a_table(store)).keys() >= {"chats", "people", "photos", "readings", "taps"}
    assert await store.forget(ANNA)
    assert await rows_a_table(store) == {}


async def test_forget_leaves_another_persons_rows_in_the_same_chat(store: Store) -> None:
    kept = {}
    for person in (ANNA, BERT):
        (kept[person],) = (await store.add_photo(person, GROUP, "model-1", [HAPPY])).readings
        await store.taps.add(kept[person].id, emoji="🙂")
    await store.add_photo(ANNA, ALONE, "model-1", [SAD])
    assert await store.forget(ANNA)
    assert await rows_a_table(store) == dict.fromkeys(("chats", "people", "photos", "readings", "taps"), 1)
    assert await store.photo_of(kept[ANNA].id, asked_by=ANNA) is None
    photo = await store.photo_of(kept[BERT].id, asked_by=BERT)
    assert photo is not None
    assert photo.own
    assert photo.readings[0].chosen == "🙂"


async def test_forgetting_a_stranger_says_there_was_nothing(store: Store) -> None:
    await store.add_photo(BERT, GROUP, "model-1", [HAPPY])
    assert not await store.forget(ANNA)
    assert await rows_a_table(store) == {"chats": 1, "people": 1, "photos": 1, "readings": 1}


async def test_the_number_of_a_forgotten_reading_never_returns(store: Store) -> None:
    (old,) = (await store.add_photo(ANNA, GROUP, "model-1", [HAPPY])).readings
    await store.forget(ANNA)
    (new,) = (await store.add_photo(BERT, GROUP, "model-1", [SAD])).readings
    assert new.id != old.id


async def test_a_second_tap_corrects_the_first_and_both_are_kept(store: Store) -> None:
    first, second = (await store.add_photo(ANNA, GROUP, "model-1", [HAPPY, SAD])).readings
    await store.taps.add(first.id, emoji="🙂")
    await store.taps.add(first.id, emoji="😐")
    photo = await store.photo_of(second.id, asked_by=ANNA)
    assert photo is not None
    assert [reading.chosen for reading in photo.readings] == ["😐", None]
    async with store.transactions.read() as session:
        assert list(await session.scalars(select(TapRow.emoji).order_by(TapRow.id))) == ["🙂", "😐"]


async def test_none_of_these_takes_a_choice_back(store: Store) -> None:
    (reading,) = (await store.add_photo(ANNA, GROUP, "model-1", [HAPPY])).readings
    await store.taps.add(reading.id, emoji="🙂")
    await store.taps.add(reading.id)
    photo = await store.photo_of(reading.id, asked_by=ANNA)
    assert photo is not None
    assert photo.readings[0].chosen is None
    assert await count_rows(store, "taps") == 2


async def test_a_tap_on_a_reading_that_is_gone_is_dropped(store: Store) -> None:
    await store.taps.add(12345, emoji="🙂")
    assert await count_rows(store, "taps") == 0


async def test_a_photo_is_own_only_to_its_sender(store: Store) -> None:
    (reading,) = (await store.add_photo(ANNA, GROUP, "model-1", [HAPPY])).readings
    for who, own in ((ANNA, True), (BERT, False), (Person(Platform.DISCORD, ANNA.id), False)):
        photo = await store.photo_of(reading.id, asked_by=who)
        assert photo is not None
        assert photo.own is own


async def test_concurrent_first_photos_of_one_person_make_one_row(store: Store) -> None:
    await asyncio.gather(*(store.add_photo(ANNA, GROUP, "model-1", [HAPPY, SAD]) for _ in range(12)))
    assert await rows_a_table(store) == {"chats": 1, "people": 1, "photos": 12, "readings": 24}


async def test_what_was_kept_is_there_after_a_restart(url: str) -> None:
    store = await Store.open(url, SECRET)
    (reading,) = (await store.add_photo(ANNA, GROUP, "model-1", [HAPPY])).readings
    await store.close()
    store = await Store.open(url, SECRET)
    photo = await store.photo_of(reading.id, asked_by=ANNA)
    await store.close()
    assert photo is not None
    assert photo.own


async def test_raw_ids_are_nowhere_in_the_files_of_the_database(tmp_path: Path) -> None:
    store = await Store.open(f"sqlite:///{tmp_path}/test.db", SECRET)
    await store.add_photo(ANNA, GROUP, "model-1", [HAPPY])
    content = bytes_of_all_files(tmp_path)  # with the write-ahead log
    await store.close()
    content += bytes_of_all_files(tmp_path)
    assert ANNA.hashed(SECRET).encode() in content
    for identity in (ANNA, GROUP):
        number = int(identity.id)
        assert identity.id.lstrip("-").encode() not in content
        assert number.to_bytes(8, "big", signed=True) not in content
    assert SECRET.encode() not in content


async def test_raw_ids_are_in_no_value_of_any_table(store: Store) -> None:
    (reading,) = (await store.add_photo(ANNA, GROUP, "model-1", [HAPPY])).readings
    await store.taps.add(reading.id, emoji="🙂")
    for table in Base.metadata.tables:
        found = str(await select_rows(store, f"SELECT * FROM {table}"))
        assert ANNA.id not in found
        assert GROUP.id.lstrip("-") not in found


async def refused(url: str) -> str:
    with pytest.raises(StoreError) as caught:
        await Store.open(url, SECRET)
    return str(caught.value)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "mugmoji.db",
        "mysql://user:hunter2@127.0.0.1/mugmoji",
        "postgresql://user:hunter2@127.0.0.1:port/mugmoji",
        "postgresql://user:hunter2@127.0.0.1:1/mugmoji",
        "postgresql://user@127.0.0.1:1/mugmoji?password=hunter2",
        "postgresql://user:hunter2@127.0.0.1:1/mugmoji?sslmode=require",
    ],
)
async def test_an_address_that_cannot_be_opened_is_refused_without_its_password(url: str) -> None:
    message = await refused(url)
    assert "DATABASE_URL" in message
    assert "hunter2" not in message


async def test_a_folder_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    assert "DATABASE_URL" in await refused(f"sqlite:///{tmp_path}/file/mugmoji.db")


async def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    (tmp_path / "test.db").write_bytes(b"something else entirely" * 100)
    assert "DATABASE_URL" in await refused(f"sqlite:///{tmp_path}/test.db")


@pytest.mark.parametrize(
    ("was", "becomes"), [(PASSWORD, "hunter2"), ("/postgres", "/elsewhere"), ("mugmoji:", "nobody:")]
)
async def test_a_server_that_says_no_is_quoted_without_the_password(
    postgresql_server: str, was: str, becomes: str
) -> None:
    assert postgresql_server.count(was) == 1
    message = await refused(postgresql_server.replace(was, becomes))
    assert "DATABASE_URL" in message
    assert PASSWORD not in message
    assert "hunter2" not in message


async def test_the_folder_of_a_new_database_is_made(tmp_path: Path) -> None:
    store = await Store.open(f"sqlite:///{tmp_path}/new/folder/mugmoji.db", SECRET)
    await store.close()
    assert (tmp_path / "new" / "folder" / "mugmoji.db").is_file()


LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)


async def test_what_was_chosen_last_for_each_face_is_known(store: Store) -> None:
    first, second = (await store.add_photo(ANNA, GROUP, "model-1", [HAPPY, SAD])).readings
    await store.taps.add(first.id, emoji="🙂")
    await store.taps.add(first.id, emoji="😁")
    await store.taps.add(second.id, emoji="😢")
    await store.taps.add(second.id)  # none of these fits after all
    (choice,) = await store.choices.of_everyone(LONG_AGO, 10)
    assert (choice.emoji, choice.probabilities) == ("😁", HAPPY.probabilities)
    assert datetime.now(UTC) - choice.tapped_at < timedelta(minutes=5)


async def test_choices_are_those_of_a_person_of_a_chat_or_of_all(store: Store) -> None:
    for person, chat, emoji in ((ANNA, GROUP, "😁"), (BERT, GROUP, "🙂"), (ANNA, ALONE, "😐")):
        (reading,) = (await store.add_photo(person, chat, "model-1", [HAPPY])).readings
        await store.taps.add(reading.id, emoji=emoji)

    def emoji_of(choices: Sequence[StoredChoice]) -> list[str]:
        return [choice.emoji for choice in choices]

    choices = store.choices
    assert emoji_of(await choices.of_everyone(LONG_AGO, 10)) == ["😐", "🙂", "😁"]
    assert emoji_of(await choices.of_everyone(LONG_AGO, 2)) == ["😐", "🙂"]
    assert emoji_of(await choices.of_person(ANNA, LONG_AGO, 10)) == ["😐", "😁"]
    assert emoji_of(await choices.of_chat(GROUP, LONG_AGO, 10)) == ["🙂", "😁"]
    assert await choices.of_everyone(datetime.now(UTC) + timedelta(minutes=1), 10) == ()
    await store.forget(ANNA)
    assert emoji_of(await choices.of_everyone(LONG_AGO, 10)) == ["🙂"]


async def test_what_a_taste_is_computed_from_has_another_revision_after_every_change(store: Store) -> None:
    seen = [await store.choices.revision(ANNA, GROUP)]
    (reading,) = (await store.add_photo(ANNA, GROUP, "model-1", [HAPPY])).readings
    (of_bert,) = (await store.add_photo(BERT, GROUP, "model-1", [HAPPY])).readings
    seen.append(await store.choices.revision(ANNA, GROUP))
    for emoji in ("😁", "🙂"):
        await store.taps.add(reading.id, emoji=emoji)
        seen.append(await store.choices.revision(ANNA, GROUP))
    await store.taps.add(of_bert.id, emoji="😁")
    seen.append(await store.choices.revision(ANNA, GROUP))
    await store.forget(BERT)
    seen.append(await store.choices.revision(ANNA, GROUP))
    await store.forget(ANNA)
    (reading,) = (await store.add_photo(ANNA, GROUP, "model-1", [HAPPY])).readings
    await store.taps.add(reading.id, emoji="😁")
    seen.append(await store.choices.revision(ANNA, GROUP))
    assert len(set(seen)) == len(seen)
    await store.taps.add(reading.id, emoji="😐", voter=BERT)  # a vote teaches no taste
    assert await store.choices.revision(ANNA, GROUP) == seen[-1]


async def test_who_asks_to_be_forgotten_is_no_longer_named_where_they_acted(store: Store) -> None:
    await store.versions.begin_with("shipped-1", b"files")
    await store.retrainings.start(Depth.ADAPT, Actor.of(ANNA))
    assert await store.retrainings.was_asked_by(1, ANNA)
    grace = Person(Platform.CONSOLE, "Grace Hopper")
    await store.versions.begin_with("shipped-2", b"other files")
    await store.versions.promote("shipped-1", instead_of="shipped-2", by=Actor.of(grace), reason="it was better")
    assert (await store.versions.history(1))[0].by == "Grace Hopper"
    assert await store.forget(ANNA)
    assert await store.forget(grace)
    assert not await store.forget(grace)
    assert not await store.retrainings.was_asked_by(1, ANNA)
    assert (await store.versions.history(1))[0].by == "somebody who was forgotten"
    for table in Base.metadata.tables:
        found = str(await select_rows(store, f"SELECT * FROM {table}"))
        assert "Grace" not in found
        assert ANNA.hashed(SECRET) not in found
