"""Qt's signals around what plays, samples and reads files on threads of its own.

player_hub         the one door to the sound: what plays, and the port that stands open (`song`, `standing_port`)
generation_worker  the thread that owns the model; `growth` is a take on its way
file_worker        work on files, one after the other
gc_pause           keeps Python's garbage collector from holding the window up
"""
