"""Attacks on the running program, on loopback, bounded in time and size: each has to fail."""
