"""The answer to a path where there is nothing: a small page, and nothing of the path in it or in the log."""

import html

from nicegui import app as nicegui_app
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response

from bots.conversation import texts
from bots.conversation.languages import nearest, speak
from bots.web.headers import STRICT_POLICY

_PAGE = """<!doctype html>
<html lang="{language}"><head><meta charset="utf-8"><title>{title}</title>
<meta name="viewport" content="width=device-width, initial-scale=1"><link rel="stylesheet" href="/static/chat.css">
</head><body><main class="missing"><h1>{sentence}</h1><p><a href="/">{link}</a></p></main></body></html>
"""


def attach() -> None:
    """Answer unknown paths in this way, before NiceGUI starts; it would make a page for each."""
    nicegui_app.add_exception_handler(404, _answer)


async def _answer(request: Request, _error: Exception) -> Response:
    if "text/html" not in request.headers.get("accept", ""):
        return PlainTextResponse("There is nothing here.\n", 404)
    voice = speak(nearest(request.headers.get("accept-language", "")))
    sentence, link = (html.escape(voice.say(each)) for each in (texts.WEB_NOTHING_HERE, texts.WEB_TO_THE_START))
    page = _PAGE.format(language=voice.language, title=texts.WEB_TITLE, sentence=sentence, link=link)
    return HTMLResponse(page, 404, {"Content-Security-Policy": STRICT_POLICY})
