"""One-off measurements behind constants of the recogniser and scores of the emoji map."""
