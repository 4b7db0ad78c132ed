"""ktui: a terminal explorer for Kubernetes."""

__version__ = "0.1.0"
