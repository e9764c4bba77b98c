"""Turn feedback into a judged version of the model. Needs SciPy, and Keras only to fine-tune a whole network."""
