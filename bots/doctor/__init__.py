"""Examine the machine, the settings and the files before the bot runs on them: `python -m bots doctor`.

Nothing is changed and no token is printed. Every check is a file of its own that returns findings.
"""

from bots.doctor.examination import examine
from bots.doctor.findings import Finding, Severity
from bots.doctor.report import line_of, summary_of, worst

__all__ = ["Finding", "Severity", "examine", "line_of", "summary_of", "worst"]
