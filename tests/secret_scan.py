"""Look for tokens and passwords in the files of the repository: `python -m tests.secret_scan`, a part of `make lint`.

detect-secrets looks; `.secrets.baseline` holds which of its detectors and filters are used, and the hashes of what it
took for a secret and is none: examples in texts and inventions of tests. `--accept` adds what is found to it; look at
each before.

Exit status: 0 if there is nothing new, 1 if there is.
"""

import json
import subprocess
import sys
from collections.abc import Sequence
from contextlib import chdir
from pathlib import Path

from detect_secrets.core import baseline
from detect_secrets.core.secrets_collection import SecretsCollection

_ROOT = Path(__file__).parents[1]
BASELINE = ".secrets.baseline"


def main(arguments: Sequence[str], root: Path = _ROOT) -> int:
    """Scan the files that git knows, print what is new and return the exit status. root: of the repository."""
    stored = json.loads((root / BASELINE).read_text(encoding="utf-8"))
    known = baseline.load(stored)
    found = SecretsCollection()
    with chdir(root):  # the names in a baseline are relative to it
        for name in _files_of(root):
            if name != BASELINE:
                found.scan_file(name)
    if "--accept" in arguments:
        for _, secret in found:
            secret.is_secret = False
        (root / BASELINE).write_text(json.dumps(_without_lines(found), indent=2) + "\n", encoding="utf-8")
        return 0
    fresh = [secret for _, secret in found - known]
    for secret in fresh:
        print(f"{secret.filename}:{secret.line_number}: {secret.type}")
    if fresh:
        print("Take them out; or, if they are none: python -m tests.secret_scan --accept")
    return 1 if fresh else 0


def _files_of(root: Path) -> list[str]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=root, check=True, capture_output=True, text=True)
    return sorted(name for name in listed.stdout.split("\0") if name and (root / name).is_file())


def _without_lines(found: SecretsCollection) -> dict[str, object]:
    """Return a baseline without line numbers and dates, which would change with every edit."""
    formatted: dict[str, object] = baseline.format_for_output(found)
    formatted.pop("generated_at", None)
    results = formatted["results"]
    assert isinstance(results, dict)
    for secrets in results.values():
        for secret in secrets:
            secret["line_number"] = 1
    return formatted


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
