"""A simulated audience: who watches, what they do, and what a perfect counter would say of it."""
