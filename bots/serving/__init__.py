"""Answering photos without interruption: the inference pool, updates of model and emoji map, shadow runs,
supervision.
"""
