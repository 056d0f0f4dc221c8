"""The window. Everything here may import Qt and `core`; `core` never imports from here.

theme       colours for light and dark, from the system's palette
piano_roll  the notes of prompt and takes over time, and every gesture on them
"""
