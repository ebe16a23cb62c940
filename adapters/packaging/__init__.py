"""Turns functions of the manifest into archives that a cloud runs: what each imports, in the same bytes each time.

modules.py      which modules of ours a function needs, and why
libraries.py    which distributions those import
needs.py        which parts of a provider its manifest entry leaves out
resolving.py    which versions, from the lock file (uv)
wheels.py       each distribution fetched once, pruned (pruning.py), compiled (bytecode.py)
contents.py     what one function's archive holds
archive.py      the archive, byte for byte
checking.py     that it imports and answers, with nothing else on its path
describing.py   package.json
building.py     all of it, in order
"""
