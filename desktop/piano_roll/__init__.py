"""The piano roll: a widget that is given immutable display values and answers with signals.

notes        RollNote, NoteRef, RollPart: what is shown, as sorted arrays (no Qt)
coordinates  Viewport: seconds and pitches <-> pixels, zoom, scroll, fit (no Qt)
grid         bar and beat lines, their labels, snapping
selection    which notes are selected (no Qt)
order        the notes one after the other, as keys go through them (no Qt)
hits         which notes lie at a place (no Qt)
layers       paints rows, lines and notes of one tile
diamonds     paints drums
note_names   writes names into notes, where they can be read
overlays     paints what lies over the tiles
ruler_marks  changes of metre and tempo in the ruler
ruler        paints the ruler; what of it lies at a point
keyboard     paints the keys; which key lies at a point
chord_strip  the names of chords over the ruler
scroll_bars  sets the scroll bars
tiles        keeps painted tiles, and which stretch of each is out of date
stale        which pixels are out of date once other things lie over the tiles
canvas       RollCanvas: what is shown, painted where it is out of date
navigation   RollNavigation: which place is on view, at which zoom; following the playhead
surface      RollSurface: selection and signals, which gestures act upon
pointer      what a gesture is, and where the pointer is
tools        the gestures that draw, erase, divide and lengthen notes
ruler_gestures  those of the ruler: playhead, prompt, loop, span
gestures     the others, one class each; which one a press begins; wheel and keys
view         PianoRoll, the widget: a RollSurface with pointer, wheel and keys
lanes        what is shown under the notes: velocities, pedal, controllers, tempo
accessible   notes in words, and for screen readers
measure      how long its frames take: for the benchmark, and while developing

It knows nothing of sessions, files or generation. Of `core` it imports `core.midi` alone.
"""
