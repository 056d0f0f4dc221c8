"""How fast the window is: `continuo-cli bench --gui` runs `python -m desktop.dev.bench` and prints what it finds.

starting    from the start of the process to a window on screen
playing     the real window at work: Continue, sampling, playing, repainting
listening   a JACK server and a listener of its own, where there is JACK
__main__    measures all of it: one JSON object on stdout

How long the roll's frames take is measured by `desktop.piano_roll.measure`. All figures are of windows that are
painted into memory (offscreen), with settings and autosaves in a folder that is deleted afterwards.
"""
