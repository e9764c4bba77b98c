"""The catalogues are complete and up to date with `bots.conversation.texts`, and every sentence of the bot is in
them.
"""

import ast
import re
import string
from collections.abc import Iterator
from pathlib import Path

import pytest
from babel.messages import Catalog, Message
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

import bots
from bots.conversation import texts
from bots.conversation.languages import DOMAIN, LOCALE_FOLDER, OWN_NAMES, speak
from recognizer import EMOTIONS, PhotoError, PhotoProblem

BOTS = Path(bots.__file__).parent
TRANSLATED = [language for language in OWN_NAMES if language != "en"]
UPDATE = "run `make translations` and translate what is new"
SAME_IN_SOME_LANGUAGES = {
    *("neutral", "Neutral", "Photo {number}: {text}", "{number}. {emoji}", "… and {count} more."),
    *("{name}: {got}", "{place}. {name}: {points}", "Afro", "Blond", "Bob", "Locs", "Turban"),
}
SHOWN_ARGUMENTS = {"Reply": ("text",), "TapReply": ("notice", "text"), "Button": ("label", "meaning")}
SHOWN_AS_FIRST = {
    *("say", "locale_str", "label", "notify", "set_text", "_plain_button"),
    *("send_message", "edit_text", "edit_message_text", "answer"),
}
"""Calls whose first argument is shown to people."""


def catalogue(path: Path) -> Catalog:
    with path.open("rb") as file:
        return read_po(file, abort_invalid=True)


def messages(catalogue: Catalog) -> dict[object, Message]:
    return {message.id: message for message in catalogue if message.id}


def translations(message: Message) -> tuple[str, ...]:
    return (message.string,) if isinstance(message.string, str) else tuple(message.string or ())


def fields(sentence: str) -> set[str | None]:
    return {field for _, field, _, _ in string.Formatter().parse(sentence) if field is not None}


@pytest.fixture(scope="module")
def template() -> Catalog:
    return catalogue(LOCALE_FOLDER / f"{DOMAIN}.pot")


def test_the_template_says_what_the_sources_say(template: Catalog) -> None:
    keywords = {"_": None, "_n": (1, 2)}
    found = {message for _, _, message, _, _ in extract_from_dir(BOTS, keywords=keywords)}
    assert set(messages(template)) == found, UPDATE


@pytest.mark.parametrize("language", TRANSLATED)
def test_a_catalogue_has_every_message_and_none_is_empty_or_fuzzy(language: str, template: Catalog) -> None:
    own = catalogue(LOCALE_FOLDER / language / "LC_MESSAGES" / f"{DOMAIN}.po")
    assert list(messages(own)) == list(messages(template)), UPDATE
    assert not own.obsolete, UPDATE
    for message in messages(own).values():
        assert translations(message), (message.id, UPDATE)
        assert all(translations(message)), (message.id, UPDATE)
        assert not message.fuzzy, (message.id, UPDATE)
        assert not message.pluralizable or len(translations(message)) == own.num_plurals


@pytest.mark.parametrize("language", TRANSLATED)
def test_a_translation_has_the_placeholders_commands_and_lines_of_its_sentence(language: str) -> None:
    for message in messages(catalogue(LOCALE_FOLDER / language / "LC_MESSAGES" / f"{DOMAIN}.po")).values():
        sentence = message.id if isinstance(message.id, str) else message.id[1]
        for translation in translations(message):
            assert fields(translation) == fields(sentence), translation
            assert re.findall(r"/[a-z_]+", translation) == re.findall(r"/[a-z_]+", sentence), translation
            assert translation.count("\n") == sentence.count("\n"), translation


@pytest.mark.parametrize("language", TRANSLATED)
def test_a_translation_is_not_the_english_sentence(language: str) -> None:
    for message in messages(catalogue(LOCALE_FOLDER / language / "LC_MESSAGES" / f"{DOMAIN}.po")).values():
        if message.id not in SAME_IN_SOME_LANGUAGES and not message.pluralizable:
            assert message.string != message.id


@pytest.mark.parametrize("language", OWN_NAMES)
def test_help_names_what_it_points_to_as_the_platform_shows_it(language: str) -> None:
    say = speak(language).say
    for sentence in (texts.DISCORD_HELP, texts.NO_PHOTO_SEEN_IN_REPLY):
        assert say(texts.SUGGEST_EMOJI) in say(sentence)
    for label in texts.WEB_MENU:
        assert label == "Help" or f"{say(label)} – " in say(texts.WEB_HELP)


@pytest.mark.parametrize("language", OWN_NAMES)
def test_menus_fit_their_platforms(language: str) -> None:
    say = speak(language).say
    descriptions = (*texts.COMMANDS.values(), texts.TELEGRAM_EMOJI, texts.DISCORD_EMOJI, texts.DISCORD_EMOJI_PHOTO)
    assert all(3 <= len(say(description)) <= 100 for description in descriptions)
    assert len(say(texts.SUGGEST_EMOJI)) <= 32
    labels = (texts.ALLOW_FACES, texts.REFUSE_FACES, texts.NONE_FITS, texts.AS_MY_APP, texts.PRESENTATION)
    votes = (texts.LET_EVERYONE_TAP, texts.LET_SENDER_TAP)
    answers = (texts.DECLINE_FACES, texts.CONSENT_MORE, texts.FORGET_YES, texts.FORGET_NO)
    assert all(len(say(label)) <= 80 for label in (*labels, *votes, *answers))
    notices = (texts.NOT_YOURS, texts.GONE, texts.FAILED, texts.FACES_REFUSED, texts.VOTED, texts.CHAT_ADMINS_ONLY)
    own_data = (texts.FACES_ALLOWED, texts.FORGOTTEN, texts.FORGET_CANCELLED, texts.NOT_YOURS_TO_FORGET)
    assert all(len(say(notice)) <= 200 for notice in (*notices, *own_data))
    assert len(say(texts.ADMINS_ONLY, id="telegram:12345678901")) <= 200


def test_every_emotion_and_every_problem_with_a_photo_has_its_words() -> None:
    assert tuple(texts.FEELINGS) == EMOTIONS
    assert {problem: str(PhotoError(problem)) for problem in PhotoProblem} == texts.PHOTO_PROBLEMS


def test_every_sentence_of_the_texts_is_marked() -> None:
    unmarked = list(_literals(ast.parse((BOTS / "conversation" / "texts.py").read_text(encoding="utf-8"))))
    assert [words for words in unmarked if words != texts.WEB_TITLE] == []


_SPEAKING = [path for path in sorted(BOTS.rglob("*.py")) if not {"admin", "console"} & set(path.parts)]
"""Sentences for admins are in English only."""


@pytest.mark.parametrize("path", _SPEAKING, ids=lambda path: str(path.relative_to(BOTS)))
def test_nothing_people_read_goes_past_the_texts(path: Path) -> None:
    raw = [words for shown in _shown(ast.parse(path.read_text(encoding="utf-8"))) for words in _words(shown)]
    assert raw == []


def test_no_sentence_has_two_definitions() -> None:
    tree = ast.parse((BOTS / "conversation" / "texts.py").read_text(encoding="utf-8"))
    names = [
        each.id
        for node in tree.body
        if isinstance(node, ast.Assign)
        for each in node.targets
        if isinstance(each, ast.Name)
    ]
    assert sorted(names) == sorted(set(names))


def test_the_page_says_nothing_of_its_own() -> None:
    static = BOTS / "web" / "static"
    assert not re.findall(r'content:\s*"[^"]+"', (static / "chat.css").read_text(encoding="utf-8"))
    for script in static.glob("*.js"):
        code = re.sub(r"//.*", "", script.read_text(encoding="utf-8"))
        spoken = re.findall(r"""["'`]([A-Z][a-z]+ [a-z]+[^"'`]*)["'`]""", code)
        assert not spoken, (script.name, spoken)
    page = (BOTS / "web" / "templates" / "chat.html").read_text(encoding="utf-8")
    assert not [words for words in re.findall(r">([^<>$]*\w[^<>$]*)<", page) if words.strip()]


def test_what_this_file_looks_for_is_found() -> None:
    calls = ('Reply("Hello there")', 'Button(f"{n} more", say(texts.MORE), t)', 'TapReply(notice, text="Oh no")')
    source = "\n".join((*calls, 'Reply(say("Yes"))', "Reply(say(texts.START))"))
    assert [words for shown in _shown(ast.parse(source)) for words in _words(shown)] == [
        "Hello there",
        " more",
        "Oh no",
        "Yes",
    ]


def _literals(module: ast.Module) -> Iterator[str]:
    """Yield unmarked constants of a module that contain words; dictionaries may have bare commands."""
    for statement in module.body:
        if isinstance(statement, ast.Assign):
            value = statement.value
            is_mapping = isinstance(value, ast.Dict)
            commands = {"help", "play", "settings", "privacy", "my_data", "forget_me"}
            for each in value.values if isinstance(value, ast.Dict) else [value]:
                yield from (words for words in _words(each) if not (is_mapping and words in commands))


def _shown(module: ast.Module) -> Iterator[ast.expr]:
    """Yield the expressions shown to people: texts of replies and buttons, and arguments of a page's or platform's
    calls.
    """
    for node in ast.walk(module):
        if not isinstance(node, ast.Call):
            continue
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        named = SHOWN_ARGUMENTS.get(name, ())
        yield from node.args[: 1 if name in SHOWN_AS_FIRST else len(named) if name == "Button" else min(1, len(named))]
        yield from (keyword.value for keyword in node.keywords if keyword.arg in {*named, "content", "description"})


def _words(expression: ast.expr) -> Iterator[str]:
    """Yield the words in an expression itself, without those returned by calls."""
    if isinstance(expression, ast.Constant):
        if isinstance(expression.value, str) and any(character.isalpha() for character in expression.value):
            yield expression.value
    elif isinstance(expression, ast.JoinedStr | ast.BinOp | ast.IfExp | ast.BoolOp | ast.Tuple):
        for child in ast.iter_child_nodes(expression):
            if isinstance(child, ast.expr) and not isinstance(child, ast.FormattedValue | ast.Compare):
                yield from _words(child)
