"""Train, export and judge the expression classifier. The only room that needs Keras and TensorFlow.

`python -m training --help` lists the commands. What is trained here is served by `recognizer`, which never imports
this package.
"""


class TrainingError(Exception):
    """What was asked cannot be done with what was given; the message says why and what to do."""


class MissingError(TrainingError):
    """Something that is needed is not there; the message says what to install, fetch or run first."""
