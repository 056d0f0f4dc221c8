"""What panels and dialogs are made of: fields, buttons, panes, icons, and the colours of light and dark."""
