"""Microsoft's own worker for Python functions, run as the Functions host runs it, without the host."""

from tests.emulators.functions_runtime.client import InvocationFailed, Worker, functions_worker
from tests.emulators.functions_runtime.install import NotInstalled

__all__ = ["InvocationFailed", "NotInstalled", "Worker", "functions_worker"]
