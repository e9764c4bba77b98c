"""Decide what people are told: answers to photos, taps and commands, in their language."""
