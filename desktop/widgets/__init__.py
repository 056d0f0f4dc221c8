"""What panels and dialogs are made of.

fields         small input fields
buttons        the big one, flat ones, and one that shows more
panes          from one part of the window to the next by F6
focus_ring     a ring around what the keys act upon
announce       what screen readers are told that Qt does not tell them
icons          SVG files in the palette's colours
theme          colours for light and dark, each checked against what it stands on
palettes       light and dark where Qt has no palette to give
menu_words     names in menus, as long as there is room for
page           a page to be read
list_or_words  a list, or words in its place while it is empty
loss_curve     how a training goes, as a picture
"""
