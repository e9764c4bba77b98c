"""Speed, memory and detection figures: `make bench`."""
