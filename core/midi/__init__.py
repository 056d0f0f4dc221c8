"""Standard MIDI Files <-> Score.

region      a span of time, with tracks and a pitch range, in which notes are replaced
score       frozen Note, Pedal, Control, Track, Score
tempo_map   ticks <-> seconds <-> bars
events      the bytes of one track <-> timed messages, whatever state the bytes are in
texts       texts of a file, in the encoding that all of them are in
sequences   the pieces of a format 2 file, one after the other
ports       the ports that a file's channels belong to
percussion  which channels play drums, and when
repair      a whole file's damaged bytes -> clean bytes, and sentences about what was skipped
read        a file -> Score
write       Score + takes -> a file
splice      a stretch of some tracks taken out, and the original's return behind it
controllers pedals, pitch bend and other controllers as points and spans, and into chunks again
chase       what the controls before a place still mean there
sound       what a channel sounds like at a place: program, bank, volume, pan, expression
meta_edits  edits of what a file says besides its notes: tempo, metre, and what a track is
key         the key of some notes, and the names of keys
scale       scales and modes, and how notes are spelled in them
chords      the chords of the notes that sound, and their names
pitch_names names of MIDI pitches and of General MIDI's drums
statistics  what music is like in numbers, and how far two pieces of music are apart
grid        whether music lies on its metre's grid, on which lines, and where to continue from
"""
