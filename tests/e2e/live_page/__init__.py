"""The live page in a real browser, against a running suite."""
