"""A stand-in for Firestore in native mode: what the real client's Commit, BatchGetDocuments and RunQuery need.

It enforces what the service does: rules of ids and sizes, preconditions, commit times that only grow, and that a
write which changes nothing keeps the document's update time. It has no transactions, masks, transforms or indexes;
queries are ranges of `__name__`. What it does not know it answers with UNIMPLEMENTED.
"""

from tests.emulators.firestore.google import google_emulator
from tests.emulators.firestore.service import Firestore, firestore

__all__ = ["Firestore", "firestore", "google_emulator"]
