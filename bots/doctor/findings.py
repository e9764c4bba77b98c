"""What a check found: a fact, how bad it is, and what to do about it."""

from dataclasses import dataclass
from enum import IntEnum


class Severity(IntEnum):
    """How bad a finding is, the worst last. With a warning the bot runs, but not as well or as safely as it could."""

    OK = 0
    WARNING = 1
    PROBLEM = 2


@dataclass(frozen=True)
class Finding:
    """One line of the report.

    subject: what was examined, in a word or two. fact: what was found, in a sentence. advice: what to do about it,
    empty where there is nothing to do.
    """

    subject: str
    severity: Severity
    fact: str
    advice: str = ""


def fine(subject: str, fact: str) -> Finding:
    """Return that a thing is as it should be."""
    return Finding(subject, Severity.OK, fact)


def warning(subject: str, fact: str, advice: str) -> Finding:
    """Return that a thing could be better."""
    return Finding(subject, Severity.WARNING, fact, advice)


def problem(subject: str, fact: str, advice: str) -> Finding:
    """Return that a thing keeps the bot, or a part of it, from working."""
    return Finding(subject, Severity.PROBLEM, fact, advice)
