import pytest
from hypothesis import given
from hypothesis import strategies as st

from db import Chat, Person, Platform

PLATFORMS = st.sampled_from(["telegram", "discord", "web"])
PEOPLE = st.builds(Person, PLATFORMS, st.text(max_size=20))


@given(PEOPLE, PEOPLE)
def test_two_people_share_a_hash_only_if_they_are_one(one: Person, other: Person) -> None:
    assert (one.hashed("secret") == other.hashed("secret")) == (one == other)


@given(PEOPLE, st.text(max_size=20), st.text(max_size=20))
def test_another_secret_gives_another_hash(person: Person, secret: str, other: str) -> None:
    same_key = secret.encode().rstrip(b"\0") == other.encode().rstrip(b"\0")  # HMAC pads short keys with zeros
    assert (person.hashed(secret) == person.hashed(other)) == same_key


def test_a_hash_is_64_hexadecimal_digits_and_stays_the_same() -> None:
    digest = Person(Platform.TELEGRAM, "42").hashed("secret")
    assert digest == "eb6635bdd69a00fbc2e099d414bc0040a7546a15ec343a8916c4d4c27d0f7ff3"
    assert len(bytes.fromhex(digest)) == 32


@pytest.mark.parametrize(
    "other", [Chat(Platform.TELEGRAM, "42"), Person(Platform.DISCORD, "42"), Person(Platform.TELEGRAM, "43")]
)
def test_kind_platform_and_id_all_count(other: Person | Chat) -> None:
    assert Person(Platform.TELEGRAM, "42").hashed("secret") != other.hashed("secret")
