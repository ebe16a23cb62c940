"""Structured logs as Cloud Logging reads them off stderr: a line of JSON each, nothing personal in them."""

import logging
import sys

import orjson


class CloudLines(logging.Formatter):
    """A log record as one line; an error's trace follows its message, where Error Reporting looks for it."""

    def format(self, record: logging.LogRecord) -> str:
        message = record.getMessage()
        if record.exc_info:
            message = f"{message}\n{self.formatException(record.exc_info)}"
        line = {"severity": record.levelname, "message": message, "logger": record.name}
        return orjson.dumps(line, default=str).decode(errors="replace")


def start_logging() -> None:
    """Send this process's logs to stderr."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(CloudLines())
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    for chatty in ("uvicorn.access", "uvicorn.error", "httpx", "asyncio", "google", "grpc"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
