"""Cut a head out of a photo: which pixels are the face, its hair and ears, and not the neck, a hand or the background.

The person comes from a network, the face's outline from the face mesh. Above the ears all of the person is head; below
them only the face, and what has the colour of the hair and hangs together with it. A cut that cannot be a head is
replaced by an oval.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from recognizer.finding.segmentation import CHIN, EARS, SIDE, HeadView

_LEAST_FACE = 0.85
"""Share of the face's outline that has to be taken for a person."""
_MOST_HEAD = 3.75
"""Largest area of a head, in areas of the face's outline: much hair makes it 3.6, a wall taken for a person more."""
_ASIDE, _ABOVE, _CENTRE = 1.05, 1.15, 0.35
"""Reach of hair: half-axes of an ellipse, in widths and heights of the face, and its centre, in heights below the
forehead.
"""
_BELOW_CHIN, _RISE = 0.03, 0.5
"""Lower end of the head, in heights of the face: below the chin, and how much higher at the side of the hair."""
_THIN = 0.15
"""What is thinner than this, in widths of the face, is no head: an arm, a strap."""
_JAW_MARGIN = 0.05
"""Width of the skin that is kept around the face, in its widths: the ears."""
_SMOOTH = 0.025
"""How far the edge is smoothed, in widths of the face."""
_LEAST_HAIR = 120
"""Pixels above the forehead from which the colour of the hair is known."""
_GUIDE_RADIUS, _GUIDE_CONTRAST = 5, 2e-4
_SPREAD = 25.0
"""Variance that any colour is taken to have at least, in squared units of CIELAB as OpenCV scales it to 8 bits."""
_MOST_ODDS = 20.0
_OVAL_GROWTH = (1.12, 1.22)
"""Half-axes of the oval that replaces an impossible cut, in those of the face, which ends below the hair."""


def cut_out(head: HeadView) -> NDArray[np.float32]:
    """Return how much of each pixel of the view belongs to the head, `(SIDE, SIDE)`, from 0 to 1, with a smooth edge.

    All of the face's outline that lies in the photo is in it, and nothing beyond the photo.
    """
    face = _filled(head.outline)
    person = _along_edges(head)
    if _share(person > 0.5, face & head.inside) < _LEAST_FACE:
        return _oval(head)
    cut = _connected(_of_head(head, face, person > 0.5), face)
    if cut.sum() > _MOST_HEAD * face.sum():
        return _oval(head)
    return _smoothed(cut, face, head)


def _of_head(head: HeadView, face: NDArray[np.bool_], person: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return the pixels of a person that are part of the head."""
    rows, columns = np.mgrid[:SIDE, :SIDE].astype(np.float32)
    left, (width, height) = head.outline[:, 0].min(), np.maximum(1, np.ptp(head.outline, axis=0))
    middle, top, chin = left + width / 2, head.outline[0, 1], head.outline[CHIN, 1]
    ears = head.outline[EARS, 1].mean()
    reach = np.hypot((columns - middle) / (_ASIDE * width), (rows - top - _CENTRE * height) / (_ABOVE * height)) < 1
    aside = np.clip(np.abs(columns - middle) / (_ASIDE * width), 0, 1)
    within = person & reach & (rows < chin + (_BELOW_CHIN - _RISE * aside**3) * height)
    around = _grown(face, _JAW_MARGIN * width)
    hair = _like_hair(head, within & ~around & (rows < top + height / 4), face & (rows > ears) & (rows < chin))
    above = within & ~around & (rows < ears)
    kept = _touching(above | (within & ~around & hair), above) | (around & within)
    cut: NDArray[np.bool_] = _without_thin(kept | face, _THIN * width) | (around & within)
    return cut


def _like_hair(head: HeadView, hair: NDArray[np.bool_], skin: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return the pixels whose colour is rather that of the hair than that of the skin; none if there is no hair.

    hair, skin: pixels that are surely so.
    """
    if hair.sum() < _LEAST_HAIR or skin.sum() < _LEAST_HAIR:
        return np.zeros_like(hair)
    colours = cv2.cvtColor(head.view, cv2.COLOR_RGB2LAB).astype(np.float32)
    odds = _distance(colours, colours[skin]) - _distance(colours, colours[hair])
    like: NDArray[np.bool_] = cv2.GaussianBlur(np.clip(odds, -_MOST_ODDS, _MOST_ODDS), (0, 0), 2.5) > 0
    return like


def _distance(colours: NDArray[np.float32], known: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return minus twice the logarithm of each colour's likelihood, up to a constant, by a normal distribution."""
    spread = np.cov(known.T) + _SPREAD * np.eye(3)
    apart = (colours - np.median(known, axis=0)).astype(np.float64)
    distance = np.einsum("...i,ij,...j", apart, np.linalg.inv(spread), apart) + np.log(np.linalg.det(spread))
    return np.asarray(distance, np.float32)


def _along_edges(head: HeadView) -> NDArray[np.float32]:
    """Return the probability of a person, moved to the edges in the view by a guided filter (He et al. 2010,
    https://kaiminghe.github.io/eccv10/).
    """
    guide = cv2.cvtColor(head.view, cv2.COLOR_RGB2GRAY).astype(np.float32) / 255
    mean, mean_person = _boxed(guide), _boxed(head.person)
    slope = (_boxed(guide * head.person) - mean * mean_person) / (_boxed(guide * guide) - mean * mean + _GUIDE_CONTRAST)
    offset = mean_person - slope * mean
    return ((_boxed(slope) * guide + _boxed(offset)) * head.inside).astype(np.float32)


def _boxed(values: NDArray[np.floating]) -> NDArray[np.float32]:
    side = 2 * _GUIDE_RADIUS + 1
    return cv2.boxFilter(values, cv2.CV_32F, (side, side)).astype(np.float32, copy=False)


def _connected(cut: NDArray[np.bool_], face: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return what hangs together with the face, without holes."""
    whole = _touching(cut | face, face).astype(np.uint8)
    edges, _ = cv2.findContours(whole, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    return cv2.drawContours(whole, edges, -1, 1, cv2.FILLED).astype(np.bool_)


def _touching(mask: NDArray[np.bool_], seed: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return the parts of a mask that hang together with a part of it."""
    _, parts = cv2.connectedComponents(mask.astype(np.uint8))
    return np.isin(parts, np.unique(parts[seed]))


def _smoothed(cut: NDArray[np.bool_], face: NDArray[np.bool_], head: HeadView) -> NDArray[np.float32]:
    """Return a cut with a smooth edge two pixels wide, that holds all of the face."""
    width = float(np.ptp(head.outline[:, 0]))
    smooth = _soft(cv2.GaussianBlur(cut.astype(np.float32), (0, 0), max(1.0, _SMOOTH * width)) > 0.5)
    return _in_photo(np.maximum(smooth, _soft(face)), head)


def _oval(head: HeadView) -> NDArray[np.float32]:
    """Return an oval around the face and some hair."""
    low, high = head.outline.min(axis=0), head.outline.max(axis=0)
    (across, down), (x, y) = (high - low) / 2 * _OVAL_GROWTH, (low + high) / 2
    y -= down - (high[1] - low[1]) / 2 - _BELOW_CHIN * (high[1] - low[1])
    angles = np.linspace(0, 2 * np.pi, 72, endpoint=False)
    oval = np.column_stack([x + across * np.sin(angles), y - down * np.cos(angles)])
    return _in_photo(np.maximum(_soft(_filled(oval)), _soft(_filled(head.outline))), head)


def _in_photo(cut: NDArray[np.float32], head: HeadView) -> NDArray[np.float32]:
    return np.where(head.inside, cut, np.float32(0))


def _filled(outline: NDArray[np.floating]) -> NDArray[np.bool_]:
    """Return the pixels inside an outline `(n, 2)`."""
    points = np.clip(np.round(outline), -SIDE, 2 * SIDE).astype(np.int32)
    return cv2.fillPoly(np.zeros((SIDE, SIDE), np.uint8), [points], 1).astype(np.bool_)


def _soft(mask: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Return a mask that holds all of this one, with an edge that falls off within two pixels."""
    outside = cv2.distanceTransform((~mask).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    edge = np.clip(1.5 - outside / 2, 0, 1).astype(np.float32)
    return edge if mask.any() else np.zeros(mask.shape, np.float32)


def _grown(mask: NDArray[np.bool_], by: float) -> NDArray[np.bool_]:
    return cv2.dilate(mask.astype(np.uint8), _round(by)).astype(np.bool_)


def _without_thin(mask: NDArray[np.bool_], width: float) -> NDArray[np.bool_]:
    return cv2.morphologyEx(mask.astype(np.uint8), cv2.MORPH_OPEN, _round(width / 2)).astype(np.bool_)


def _round(radius: float) -> NDArray[np.uint8]:
    side = 2 * max(1, round(radius)) + 1
    return cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side)).astype(np.uint8, copy=False)


def _share(part: NDArray[np.bool_], of: NDArray[np.bool_]) -> float:
    """Return which share of a mask is in another one; 0 for an empty mask."""
    return float((part & of).sum()) / max(1.0, float(of.sum()))
