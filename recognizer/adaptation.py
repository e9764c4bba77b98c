"""Correction learned from feedback, applied on top of a frozen network.

    log p(emotion) = log p_network(emotion) + gate(face) * (weights . embedding + bias)
    gate(face) = sigmoid(g . embedding + c)

The gate separates faces like those in the feedback from faces like those of the training set. A correction learned from
masked or badly lit faces therefore leaves the readings of other faces unchanged. How the values are fitted is decided
in `training.feedback`.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

_MOST_LOGIT = 60.0


@dataclass(frozen=True, eq=False)
class Adaptation:
    """The correction's parameters.

    weights: float32 `(d, 7)`, and bias: float32 `(7,)`, both in nats. gate: float32 `(d,)`, and gate_bias: both in
    log-odds. `d` is the length of an embedding.
    """

    weights: NDArray[np.float32]
    bias: NDArray[np.float32]
    gate: NDArray[np.float32]
    gate_bias: float

    @classmethod
    def of(cls, card: dict[str, Any]) -> "Adaptation":
        """Read the mapping written by `to_card`. Raise `KeyError`, `TypeError` or `ValueError` if it is damaged."""
        weights, bias, gate = (np.asarray(card[name], dtype=np.float32) for name in ("weights", "bias", "gate"))
        loaded = cls(weights, bias, gate, float(card["gate_bias"]))
        if weights.ndim != 2 or bias.shape != (7,) or weights.shape != (len(gate), 7):
            raise ValueError(f"an adaptation of shapes {weights.shape}, {bias.shape} and {gate.shape}")
        if not all(np.isfinite(each).all() for each in (weights, bias, gate, loaded.gate_bias)):
            raise ValueError("an adaptation with numbers that are not finite")
        return loaded

    def to_card(self) -> dict[str, Any]:
        """Return the content for `model.json`, with numbers rounded to six significant digits."""
        rounded = {
            name: [[float(f"{cell:.6g}") for cell in row] if row.ndim else float(f"{row:.6g}") for row in array]
            for name, array in (("weights", self.weights), ("bias", self.bias), ("gate", self.gate))
        }
        return {**rounded, "gate_bias": self.gate_bias}

    def openness(self, embeddings: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the gate's value for embeddings `(n, d)`: float32 `(n, 1)`, from 0 (closed) to 1 (open)."""
        logits = np.clip(embeddings @ self.gate + self.gate_bias, -_MOST_LOGIT, _MOST_LOGIT)
        opened: NDArray[np.float32] = (1 / (1 + np.exp(-logits)))[:, None].astype(np.float32)
        return opened

    def apply(self, probabilities: NDArray[np.float32], embeddings: NDArray[np.float32]) -> NDArray[np.float32]:
        """Correct probabilities `(n, 7)` by embeddings `(n, d)`; return float32 `(n, 7)` whose rows sum to 1."""
        logits = np.log(np.clip(probabilities, 1e-9, 1))
        logits = logits + self.openness(embeddings) * (embeddings @ self.weights + self.bias)
        exponentials = np.exp(logits - logits.max(axis=1, keepdims=True))
        corrected: NDArray[np.float32] = (exponentials / exponentials.sum(axis=1, keepdims=True)).astype(np.float32)
        return corrected
