"""A stand-in for Cloud Storage: the XML and the JSON API as far as Libcloud, delta-rs and Arrow speak them.

Objects have generations that only grow, writes honour generation preconditions, names keep the service's rules, and
lists are in order of the names' UTF-8 bytes, by page. It has no access lists, versions, metadata updates or composes.
"""

from tests.emulators.gcs.server import Storage, gcs

__all__ = ["Storage", "gcs"]
