"""What every answer of the web server tells browsers about the rights of its pages."""

_POLICY = {
    "default-src": "'none'",
    # NiceGUI's page starts by scripts in its text, and Vue compiles its templates in the browser.
    "script-src": "'self' 'unsafe-inline' 'unsafe-eval'",
    "style-src": "'self' 'unsafe-inline'",
    "img-src": "'self' data: blob:",
    "media-src": "'self' blob:",
    "font-src": "'self' data:",
    "connect-src": "'self'",
    "manifest-src": "'self'",
    "worker-src": "'self'",
    "form-action": "'self'",
    "base-uri": "'none'",
    "frame-ancestors": "'none'",
}
STRICT_POLICY = "default-src 'none'; style-src 'self'; script-src 'self'; form-action 'self'; frame-ancestors 'none'"
"""For pages of plain HTML; a browser keeps to both policies where an answer has two."""
CHAT_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; media-src 'self' blob:; "
    "connect-src 'self'; manifest-src 'self'; worker-src 'self'; form-action 'none'; base-uri 'none'; "
    "frame-ancestors 'none'"
)
"""For the chat page, which has no script in its text."""

_UNUSED = ("accelerometer", "geolocation", "gyroscope", "magnetometer", "microphone", "midi", "payment", "usb")

SECURITY_HEADERS = [
    ("Content-Security-Policy", "; ".join(f"{kind} {sources}" for kind, sources in _POLICY.items())),
    ("Cross-Origin-Opener-Policy", "same-origin"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
    ("Permissions-Policy", ", ".join(("camera=(self)", *(f"{feature}=()" for feature in _UNUSED)))),
    ("Referrer-Policy", "same-origin"),  # with "no-referrer", forms would not tell their origin either
    ("X-Content-Type-Options", "nosniff"),
    ("X-Frame-Options", "DENY"),
]
