"""Say which formats of pictures can be read here, and which optional parts are installed."""

from importlib.util import find_spec

from PIL import features

from bots.doctor.findings import Finding, fine, warning

_FORMATS = {"HEIC": ("pillow_heif", "heic"), "JPEG XL": ("imagecodecs", "jxl")}


def check_formats() -> list[Finding]:
    """Return the optional formats and parts that are missing."""
    missing = [
        warning("formats", f"{name} cannot be read here.", _install(extra))
        for name, (package, extra) in _FORMATS.items()
        if find_spec(package) is None
    ]
    if not features.check("avif"):
        missing.append(warning("formats", "AVIF cannot be read here.", "Install Pillow from its ready-made package."))
    if any(find_spec(package) is None for package in ("scipy", "rich")):
        missing.append(warning("retraining", "It cannot learn from taps here.", _install("retraining")))
    return missing or [fine("formats", "All pictures can be read, HEIC, AVIF and JPEG XL among them; it can learn.")]


def _install(extra: str) -> str:
    return f"pip install -e '.[{extra}]'"
