"""What the console's training window asks of this package: data sets taken in, and facts as JSON files."""
