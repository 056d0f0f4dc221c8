"""Lanes under the roll, along its time axis, one below the other.

lane      what a lane is, and where the pointer is in it
velocity  how loud notes are: bars with heads
pedal     when the sustain pedal is down: spans
curve     a controller or the pitch bend: steps
tempo     the song's tempo: steps
kinds     which lanes there are, by name
row       LaneRow, the widget of one lane
keys      what the keys do in a lane that has the focus
accessible  what lies in lanes, for screen readers
lanes     Lanes, the widget of all that are shown, and the menu that chooses them
"""
