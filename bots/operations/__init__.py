"""What an operator and their tools ask of a running bot: is it alive, is it ready, how does it do."""
