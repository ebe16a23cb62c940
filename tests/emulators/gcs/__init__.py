"""A stand-in for Cloud Storage: its XML API, as far as Libcloud and delta-rs speak it.

Objects have generations that only grow, writes honour generation preconditions, names keep the service's rules, and
lists are in order of the names' UTF-8 bytes, by page. It has no JSON API, access lists, versions or composes.

`gcs()` serves from a thread. A client that holds the interpreter while it waits for an answer, as delta-rs does where
it writes a file for Arrow, needs the server in another process.
"""

from tests.emulators.gcs.server import Storage, gcs

__all__ = ["Storage", "gcs"]
