"""What an audience likes, told from the history: what else it watches, what segments watch, how they fare."""
