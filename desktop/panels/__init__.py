"""The window's parts: tracks, generation, takes, transport, status, output menu, and what an empty window shows."""
