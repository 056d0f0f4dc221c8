"""Standard MIDI Files <-> Score.

score       frozen Note, Pedal, Control, Track, Score
tempo_map   ticks <-> seconds <-> bars
repair      damaged bytes -> clean bytes, and a sentence about what was skipped
read        a file -> Score
write       Score + takes -> a file
key         the key of some notes, and the names of keys
grid        whether a score lies on its metre's grid, and where to continue from
"""
