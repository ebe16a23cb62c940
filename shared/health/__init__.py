"""What the suite knows of itself: meters, the pulses they are written as, and what is made of those."""
