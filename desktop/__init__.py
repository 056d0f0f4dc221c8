"""The window. Everything here may import Qt and `core`; `core` never imports from here.

app, main_window      starts the app; builds the window and connects it (with `wiring` and `actions`)
document, filing      the open session with its undo and autosave; opening, saving, exporting, recovering
continuing            from the Continue button to takes, on the thread of `generation_worker`
playback, player_hub  what the transport means; the one door to the sound
commands, editing     what panels, menus and roll ask to be changed in the session
roll_display          keeps the roll showing session, growing takes (`growth`) and playhead
piano_roll            the notes of prompt and takes over time, and every gesture on them
track_list, takes_panel, generation_panel, transport, status_bar, empty_state    the panels
output_menu, sound_check_dialog, quantise_dialog, about_dialog, dialogs          menus and questions
choices, preferences  the user's settings, in effect and on disk
theme, palettes, icons, fields, big_button    how things look
screenshots           pictures of the main states
"""
