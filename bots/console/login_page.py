"""The login page. It is plain HTML, because only an ordinary form can set the browser's cookie."""

import html

from starlette.responses import HTMLResponse

from bots.console.names import MOST_NAME

PATH = "/console/login"
LEAVE = "/console/logout"

_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Log in · Mugmoji</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="stylesheet" href="/console-static/console.css"><script src="/console-static/console.js"></script></head>
<body class="login"><main>
<form method="post" action="{path}" class="panel">
<div class="brand" aria-hidden="true">😄</div>
<h1>Mugmoji console</h1>
<p class="quiet">For admins: see how the bot does, label faces, and improve its model.</p>
{refusal}
<label>Your name <input name="name" value="{name}" maxlength="{most}" autocomplete="username" required {first}></label>
<label>Token <input name="token" type="password" autocomplete="current-password" required {second}></label>
<button class="button main">Log in</button>
<p class="quiet small">Your own token, from your invitation, or the operator's: the log line of the bot's start says
where that is kept.</p>
</form></main></body></html>
"""


def page(refusal: str = "", name: str = "") -> HTMLResponse:
    """Return the form. refusal: why the last attempt was refused. name: what was typed then."""
    told = f'<p class="told bad" role="alert">{html.escape(refusal)}</p>' if refusal else ""
    first, second = ("", "autofocus") if name else ("autofocus", "")
    content = _PAGE.format(
        path=PATH, refusal=told, name=html.escape(name, quote=True), most=MOST_NAME, first=first, second=second
    )
    return HTMLResponse(content, 403 if refusal else 200)
