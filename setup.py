"""Put `emoji_map.yaml`, which people edit at the top of the repository, into the package that reads it."""

from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py


class BuildWithEmojiMap(build_py):
    """Copy the emoji map beside the modules of `recognizer`; an editable install reads the one at the top."""

    def run(self) -> None:
        """Build the packages, then add the map."""
        super().run()
        if not self.editable_mode:
            self.copy_file("emoji_map.yaml", str(Path(self.build_lib) / "recognizer" / "emoji_map.yaml"))


setup(cmdclass={"build_py": BuildWithEmojiMap})
