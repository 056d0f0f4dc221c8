"""Dialogs: one file each, and `questions`, those of one sentence. `pages` are the manual and the list of keys."""
