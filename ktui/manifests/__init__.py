"""Manifests, as texts and as values: reading, writing, and what stands between. Pure: no network, no terminal."""
