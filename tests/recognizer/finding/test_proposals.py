"""Proposals: where a look is worth it, in all sizes and orientations, and never more than a bound."""

import math

import cv2
import numpy as np
import pytest
import skimage.data

from recognizer.finding.detection import PROPOSALS_FILE, load_face_model
from recognizer.finding.proposals import MOST, ProposalNetwork
from recognizer.runtime import FACE_MODELS

FACE = skimage.data.astronaut()[30:190, 140:300]


@pytest.fixture(scope="module")
def network() -> ProposalNetwork:
    return load_face_model(FACE_MODELS / PROPOSALS_FILE, ProposalNetwork)


@pytest.mark.parametrize("side", [70, 140, 280, 560])
@pytest.mark.parametrize("quarter_turns", range(4))
def test_a_face_of_any_size_and_orientation_is_proposed(
    network: ProposalNetwork, side: int, quarter_turns: int
) -> None:
    scene = np.full((800, 1000, 3), 120, np.uint8)
    scene[150 : 150 + side, 300 : 300 + side] = cv2.resize(np.rot90(FACE, quarter_turns), (side, side))
    middle = (300 + side / 2, 150 + side / 2)
    assert any(
        math.dist((each.x, each.y), middle) < 0.35 * side and 0.4 < each.side / side < 1.6
        for each in network.propose(scene, 0.3)
    )


def test_there_are_never_more_than_so_many_proposals(network: ProposalNetwork) -> None:
    crowd = np.tile(cv2.resize(FACE, (60, 60)), (16, 21, 1))
    proposals = network.propose(crowd, 0.001)
    assert len(proposals) == MOST
    scores = [each.score for each in proposals]
    assert scores == sorted(scores, reverse=True)


@pytest.mark.parametrize("shape", [(1, 1), (3, 2000), (47, 47), (2000, 3)])
def test_pictures_of_any_shape_are_searched(network: ProposalNetwork, shape: tuple[int, int]) -> None:
    assert network.propose(np.zeros((*shape, 3), np.uint8), 0.5) == []
