"""Parts of pages: the live table, panes, bars, prompts, text views."""
