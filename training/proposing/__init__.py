"""Train the network that proposes where in a photo faces may be (`recognizer.finding.proposals`)."""
