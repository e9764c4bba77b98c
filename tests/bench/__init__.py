"""Speed, memory and detection figures, and the contest with the package `fer`: `make bench`."""
