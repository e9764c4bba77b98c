"""From feedback to a better model: the review queue, the retraining process and its schedule."""
