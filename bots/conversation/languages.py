"""Choose the language a person is answered in, and translate into it with a `Voice`.

The catalogues are Babel's .po files under `bots/conversation/locale`, read directly, without a build step. The English
sentences are those of `bots.conversation.texts`.
"""

import gettext
import io
import re
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path

from babel import negotiate_locale
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from emoji import EMOJI_DATA, LANGUAGES, config, demojize

from bots.conversation.texts import Plural

LOCALE_FOLDER = Path(str(files("bots.conversation") / "locale"))
DOMAIN = "mugmoji"

OWN_NAMES = {
    "en": "English",
    "es": "Español",
    "de": "Deutsch",
    "fr": "Français",
    "pt": "Português",
    "ru": "Русский",
    "hi": "हिन्दी",
    "ar": "العربية",
    "ja": "日本語",
    "zh": "中文",
}
"""The languages of the bot: ISO 639-1 codes and native names."""

_QUALITY = re.compile(r"\s*q\s*=\s*([01](?:\.\d{0,3})?)\s*")


@dataclass(frozen=True, eq=False)
class Voice:
    """Translates the sentences of `bots.conversation.texts` into one language, a key of `OWN_NAMES`."""

    language: str
    _catalogue: gettext.NullTranslations

    def say(self, sentence: str, /, **values: object) -> str:
        """Return the sentence in this language, with its placeholders filled in."""
        return self._catalogue.gettext(sentence).format(**values)

    def count(self, sentence: Plural, count: int, **values: object) -> str:
        """Return the sentence in this language's plural form for `count`, with its other placeholders filled in."""
        return self._catalogue.ngettext(sentence.one, sentence.many, count).format(count=count, **values)

    def name_of(self, emoji: str) -> str | None:
        """Return the CLDR short name of an emoji in this language, or None if the shipped Unicode data has none."""
        if self.language not in LANGUAGES:
            return None
        config.load_language(self.language)
        if self.language not in EMOJI_DATA.get(emoji, {}):
            return None
        return demojize(emoji, delimiters=("", ""), language=self.language).replace("_", " ")


@cache
def speak(language: str) -> Voice:
    """Return the voice of a language, a key of `OWN_NAMES`; cached. Raise `OSError` if its catalogue is missing."""
    if language == "en":
        return Voice(language, gettext.NullTranslations())
    compiled = io.BytesIO()
    with (LOCALE_FOLDER / language / "LC_MESSAGES" / f"{DOMAIN}.po").open("rb") as file:
        write_mo(compiled, read_po(file, locale=language, abort_invalid=True))
    compiled.seek(0)
    return Voice(language, gettext.GNUTranslations(compiled))


def nearest(wanted: str) -> str:
    """Return the best language of the bot for `wanted`; English if there is none.

    wanted: a tag ("pt-BR", "zh-hans", "en_US"), or a browser's list of them (RFC 9110, Accept-Language).
    """
    tags = [tag.lower().replace("-", "_") for tag in _by_preference(wanted)]
    return negotiate_locale(tags, OWN_NAMES) or "en"


def _by_preference(wanted: str) -> list[str]:
    qualities: dict[str, float] = {}
    for entry in wanted.split(","):
        tag, _, parameter = entry.partition(";")
        quality = _QUALITY.fullmatch(parameter)
        qualities.setdefault(tag.strip(), float(quality[1]) if quality else 1.0)
    accepted = [tag for tag, quality in qualities.items() if quality > 0]
    return sorted(accepted, key=lambda tag: -qualities[tag])
