"""How long what is stored of people is kept."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Keeping:
    """Days after which crops and whole readings are deleted; 0 for never."""

    crops_days: int = 90
    readings_days: int = 365

    @property
    def longest_crop_days(self) -> int:
        """Return for how many days a crop is kept at most, 0 for ever: it goes with its reading, if not before."""
        return min((days for days in (self.crops_days, self.readings_days) if days), default=0)
