"""Benchmarks of speed, memory and detection, and the contest with the package `fer`: `make bench`."""
