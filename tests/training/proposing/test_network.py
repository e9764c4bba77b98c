"""The proposal network is fitted, exported, and run as the bot runs it."""

from pathlib import Path

import numpy as np

from recognizer.finding.proposals import ProposalNetwork
from tests.training.faces import easy_faces
from training.proposing.network import export, fit


def test_a_fitted_network_takes_pictures_of_any_size(tmp_path: Path) -> None:
    path = export(fit(easy_faces(20), steps=4, seed=1), tmp_path)
    network = ProposalNetwork(path.read_bytes())
    for shape in ((40, 60), (960, 1280), (200, 3000)):
        picture = np.random.default_rng(0).integers(0, 256, (*shape, 3)).astype(np.uint8)
        for proposal in network.propose(picture, 0.1):
            assert 0.1 <= proposal.score <= 1
            assert -40 < proposal.x < shape[1] + 40
            assert -40 < proposal.y < shape[0] + 40
