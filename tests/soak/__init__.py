"""`make soak`: the real program under load, a flood, a long day, nonsense and kills, on loopback only."""
