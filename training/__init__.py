"""Train, export and evaluate the expression classifier. Only this package needs Keras and TensorFlow.

`python -m training --help` lists the commands. `recognizer` serves the models that are trained here; it never imports
this package.
"""


class TrainingError(Exception):
    """A command cannot be carried out; the message says why and what to do."""


class MissingError(TrainingError):
    """Something that a command needs is missing; the message says what to install, fetch or run first."""
