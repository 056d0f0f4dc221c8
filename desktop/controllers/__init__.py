"""What is done when the user asks for something.

document     the open session with its undo and autosave
files        opening, saving, exporting, recovering
generation   from the Continue button to takes
transport    play, pause, stop, loop, metronome
commands     changes that panels, menus and roll ask for: of takes, marker, loop, tempo
fill         regenerates a span of time: its alternatives are heard, chosen, kept
resampling   samples anew what is not heard yet of the take that plays
editing      changes of the notes selected; `edit_commands` are those of the Edit menu, `clipboard` copies and pastes
edit_queue   makes them, one after the other, the large ones on another thread
selecting    selects more notes by those that are selected
snapping     what drags in the roll snap to
quantising   asks how to quantise, and shows what becomes of the notes
audition     lets notes and keys sound that are clicked
lanes        keeps the lanes under the roll showing controllers, pedals and tempo; what is drawn there becomes edits
feel         how takes are to differ from the prompt, in words and by presets
scale        the scale that the roll shows, rows in use, chord names
roll         keeps the roll showing session, takes that grow and playhead
roll_parts   tracks and takes as the roll's parts
telling      tells screen readers what was done
choices      the user's settings in effect: output, colours, recent files
preferences  the user's settings, kept on disk
"""
