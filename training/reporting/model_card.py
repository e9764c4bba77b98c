"""Write the model card in Markdown, from the same findings as the report.

Headings follow Mitchell et al. 2019, "Model Cards for Model Reporting" (https://arxiv.org/abs/1810.03993).
"""

from pathlib import Path

from training.reporting.findings import Findings
from training.reporting.report import environment

CARD_FILE = "MODEL_CARD.md"


def write_card(findings: Findings, folder: Path) -> Path:
    """Write `MODEL_CARD.md` into `folder` and return its path."""
    folder.mkdir(parents=True, exist_ok=True)
    card = folder / CARD_FILE
    card.write_text(environment().get_template("model_card.md").render(f=findings) + "\n", encoding="utf-8")
    return card
