"""Count what the bot does, for Prometheus, by listening to the events that it logs."""

from collections.abc import Callable, Mapping
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

CONTENT_TYPE = CONTENT_TYPE_LATEST
_MS = "_ms"
_SECONDS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10)
_TOO_MANY_REQUESTS = 429

Facts = Mapping[str, Any]


class Measures:
    """The figures of one bot. No label has a value that people outside choose."""

    def __init__(self) -> None:
        """Begin with zeros."""
        self.registry = registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        self._photos = Counter("mugmoji_photos", "Photos that were read.", ["platform"], registry=registry)
        self._faces = Counter("mugmoji_faces", "Faces found in them.", ["platform"], registry=registry)
        self._stages = Histogram(
            "mugmoji_stage_seconds", "Time for each stage of a photo.", ["stage"], buckets=_SECONDS, registry=registry
        )
        self._refusals = Counter(
            "mugmoji_refusals", "Photos and requests that were not taken.", ["platform", "code"], registry=registry
        )
        self._taps = Counter(
            "mugmoji_taps",
            "Taps on emoji; agrees: it was the one ranked first.",
            ["platform", "agrees"],
            registry=registry,
        )
        self._agreement = Gauge("mugmoji_agreement", "Part of the taps that agree, since the start.", registry=registry)
        self._limits = Counter(
            "mugmoji_platform_limits", "How often a platform asked to slow down.", ["platform"], registry=registry
        )
        self._lost = Counter("mugmoji_answers_lost", "Answers that could not be sent.", ["platform"], registry=registry)
        self._errors = Counter("mugmoji_errors", "Errors in the log, by their event.", ["event"], registry=registry)
        self._logins = Counter("mugmoji_console_refusals", "Refusals of the console.", registry=registry)
        self._model = Gauge("mugmoji_model", "1 for the version that reads photos.", ["version"], registry=registry)
        self._queue = Gauge("mugmoji_queue_length", "Photos that wait to be read.", registry=registry)
        self._version: Callable[[], str] = lambda: ""
        self._tapped = self._agreed = 0
        self._notes: dict[str, Callable[[Facts], None]] = {
            "photo_read": self._note_photo,
            "photo_refused": self._note_refusal,
            "request_refused": self._note_refusal,
            "tap_kept": self._note_tap,
            "telegram_asks_to_wait": lambda facts: self._limits.labels(facts["platform"]).inc(),
            "discord_refused": self._note_discord,
            "answer_lost": lambda facts: self._lost.labels(facts["platform"]).inc(),
            "console_refused": lambda _: self._logins.inc(),
        }

    def watch(self, queue_length: Callable[[], int], version: Callable[[], str]) -> None:
        """Measure these whenever the figures are asked for."""
        self._queue.set_function(queue_length)
        self._version = version

    def note(self, level: str, facts: Facts) -> None:
        """Count an event that is logged at a level ("info", "error"). Raise nothing: no event is lost for it."""
        event = str(facts.get("event"))
        if level in ("error", "exception", "critical"):
            self._errors.labels(event if event.isidentifier() else "other").inc()
        note = self._notes.get(event)
        if note is None:
            return
        try:
            note(facts)
        except (KeyError, TypeError, ValueError):
            self._errors.labels("event_not_counted").inc()

    def exposition(self) -> bytes:
        """Return the figures in the text format of Prometheus."""
        self._model.clear()
        self._model.labels(self._version()).set(1)
        return generate_latest(self.registry)

    def _note_photo(self, facts: Facts) -> None:
        self._photos.labels(facts["platform"]).inc()
        self._faces.labels(facts["platform"]).inc(facts["faces"])
        for name, value in facts.items():
            if name.endswith(_MS):
                self._stages.labels(name.removesuffix(_MS)).observe(value / 1000)

    def _note_refusal(self, facts: Facts) -> None:
        self._refusals.labels(facts["platform"], facts["code"]).inc()

    def _note_tap(self, facts: Facts) -> None:
        agrees = bool(facts["agrees"])
        self._taps.labels(facts["platform"], "yes" if agrees else "no").inc()
        self._tapped += 1
        self._agreed += agrees
        self._agreement.set(self._agreed / self._tapped)

    def _note_discord(self, facts: Facts) -> None:
        if facts.get("status") == _TOO_MANY_REQUESTS:
            self._limits.labels("discord").inc()
