"""Fit networks on base data and export them. Needs Keras and TensorFlow."""
