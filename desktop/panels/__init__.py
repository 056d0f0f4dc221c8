"""The window's parts.

transport_bar     play, stop, loop; where the sound is, and in which tempo
track_list        the tracks of the score; `track_cells` say and paint what stands in it
generation_panel  what to sample next, and the button; `generation_tips` are its words
feel_panel        how takes are to differ from the prompt; `knob_sliders` are part of it
side              settings above takes, each with the room that it needs
takes_panel       each take as a card, of `take_cards`; `take_words` say what is told of one
fill_bar          the alternatives of a span that is regenerated
status_bar        model, device, speed, what is under way, where the sound goes
empty_state       what stands there before anything is open
output_menu       where the sound goes
paste_menu        the tracks and takes that notes can be pasted into
bars_menu         the takes that bars of another can be put into
"""
