"""Manifests: as text and as values."""
