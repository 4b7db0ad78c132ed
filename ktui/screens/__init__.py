"""Whole pages: home, browse, details, pickers, help."""
