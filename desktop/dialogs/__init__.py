"""Dialogs: about, quantise, sound check, and the questions that are asked."""
