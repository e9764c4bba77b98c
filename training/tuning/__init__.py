"""One-off measurements behind constants of the recognizer and scores of the emoji map."""
