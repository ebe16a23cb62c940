"""The same rows by Apache Flink, side by side."""

from lab.bench.flink.driver import figures

__all__ = ["figures"]
