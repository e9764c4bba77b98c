"""The chat page: plain HTML in the visitor's language, with what the scripts need to say in it."""

import html
import json
from importlib.resources import files
from string import Template
from urllib.parse import quote

from babel import Locale
from nicegui import app as nicegui_app
from starlette.responses import HTMLResponse, JSONResponse, Response

from bots.conversation import texts
from bots.conversation.languages import Voice
from bots.messages import MOST_FILE_BYTES
from bots.web.headers import CHAT_POLICY

MOST_PHOTOS = 10
"""Photos that are taken at once."""
_STATIC = files("bots.web") / "static"
_PAGE = Template((files("bots.web") / "templates" / "chat.html").read_text(encoding="utf-8"))
_FILLED_IN = ("emoji", "feeling", "left", "names", "number", "size", "top", "what")
_PLACEHOLDERS = {name: f"{{{name}}}" for name in _FILLED_IN}
"""What the scripts fill in."""
_LOGO = (_STATIC / "icon.svg").read_text(encoding="utf-8")
_REVALIDATED = {"Cache-Control": "no-cache"}
_ICONS = [
    {"src": "/static/icon.svg", "sizes": "any", "type": "image/svg+xml", "purpose": "any"},
    {"src": "/static/icon-512.png", "sizes": "512x512", "type": "image/png", "purpose": "any"},
    {"src": "/static/icon-maskable-512.png", "sizes": "512x512", "type": "image/png", "purpose": "maskable"},
]


def attach() -> None:
    """Add what belongs to the page and cannot lie among the static files: the worker, whose reach is its folder, and
    the manifest.
    """
    nicegui_app.add_api_route("/worker.js", _worker, include_in_schema=False)
    nicegui_app.add_api_route("/app.webmanifest", _manifest, include_in_schema=False)
    nicegui_app.add_api_route("/favicon.ico", _icon, include_in_schema=False)


def answer(voice: Voice) -> Response:
    """Return the page in a language."""
    say = voice.say
    words = {name: say(sentence, **_PLACEHOLDERS) for name, sentence in texts.WEB_WORDS.items()}
    menu = [{"label": say(label), "command": command} for label, command in texts.WEB_MENU.items()]
    limits = {"photos": MOST_PHOTOS, "bytes": MOST_FILE_BYTES}
    data = json.dumps({"words": words, "menu": menu, "limits": limits}, ensure_ascii=False)
    content = _PAGE.substitute(
        language=voice.language,
        direction=Locale.parse(voice.language).text_direction,
        title=texts.WEB_TITLE,
        logo=_LOGO,
        icon=f"data:image/svg+xml,{quote(_LOGO)}",
        data=data.replace("<", "\\u003c"),
        **{name: html.escape(word) for name, word in words.items()},
    )
    headers = {"Content-Security-Policy": CHAT_POLICY, "Vary": "Accept-Language, Cookie", **_REVALIDATED}
    return HTMLResponse(content, headers=headers)


async def _worker() -> Response:
    return _static("worker.js", "text/javascript")


async def _icon() -> Response:
    return _static("icon.svg", "image/svg+xml")


async def _manifest() -> Response:
    return JSONResponse(
        {
            "name": texts.WEB_TITLE,
            "short_name": texts.WEB_TITLE,
            "start_url": "/",
            "display": "standalone",
            "background_color": "#faf7f2",
            "theme_color": "#faf7f2",
            "icons": _ICONS,
        },
        headers=_REVALIDATED,
        media_type="application/manifest+json",
    )


def _static(name: str, kind: str) -> Response:
    return Response((_STATIC / name).read_bytes(), headers=_REVALIDATED, media_type=kind)
