"""What one part of the soak found."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Finding:
    """One line of the table: what was tried, the figure, what it should be, and whether it is."""

    what: str
    figure: str
    wanted: str
    is_met: bool


@dataclass(frozen=True)
class Extent:
    """How much is done: a share of what a whole soak does, from above 0 to 1."""

    share: float

    def of(self, count: int) -> int:
        """Return a share of a count, at least one."""
        return max(1, round(self.share * count))
