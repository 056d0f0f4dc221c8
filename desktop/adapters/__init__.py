"""Qt's signals around what plays and samples (core.performance), and work on threads of its own.

playback_signals    of what plays, and where to
generation_signals  of the model, its prompts and runs
task_worker         work that takes long, one task after the other
gc_pause            keeps Python's garbage collector from holding the window up
"""
