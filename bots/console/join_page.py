"""The page behind an invitation: plain HTML, with a button so that the preview of a link does not use it up."""

import html

from starlette.responses import HTMLResponse

from bots.console import login_page
from bots.console.sessions import Joined

PATH = "/console/join"

_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{title} · Mugmoji</title>
<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="robots" content="noindex">
<link rel="stylesheet" href="/console-static/console.css"><script src="/console-static/console.js"></script></head>
<body class="login"><main>
<form {form} class="panel">
<div class="brand" aria-hidden="true">😄</div>
<h1>{title}</h1>
{content}
</form></main></body></html>
"""


def ask(name: str) -> HTMLResponse:
    """Return the page that a link opens. name: whom the link is for. Its form posts to the address it is shown at."""
    return _page(
        'method="post"',
        "Mugmoji console",
        f"<p>You are invited as an admin, <strong>{html.escape(name)}</strong>: to see how the bot does, label faces, "
        "and improve its model. Your name is shown to other admins beside what you do.</p>"
        '<p class="quiet">The link works once.</p><button class="button main">Join</button>',
    )


def welcome(joined: Joined) -> HTMLResponse:
    """Return the page that shows somebody's token, this once."""
    name, token = html.escape(joined.name, quote=True), html.escape(joined.token, quote=True)
    return _page(
        'action="/console"',
        f"Welcome, {html.escape(joined.name)}",
        "<p>This is your token. You need it, and your name, whenever the console asks who you are.</p>"
        f'<label>Your name <input value="{name}" autocomplete="username" readonly></label>'
        f'<label>Your token <input value="{token}" autocomplete="off" spellcheck="false" readonly autofocus></label>'
        "<p><strong>Keep it where you keep passwords:</strong> it is not shown again. If you lose it, another admin "
        'can end your account and invite you anew.</p><button class="button main">Open the console</button>',
    )


def refuse(reason: str) -> HTMLResponse:
    """Return the page for a link that cannot be used."""
    told = f'<p class="told bad" role="alert">{html.escape(reason)}</p>'
    return _page("", "Mugmoji console", f'{told}<p><a href="{login_page.PATH}">Log in</a></p>', 403)


def _page(form: str, title: str, content: str, status: int = 200) -> HTMLResponse:
    return HTMLResponse(_PAGE.format(title=title, form=form, content=content), status)
