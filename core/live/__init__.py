"""From timed messages to sound, in a process of its own.

outputs         what can be chosen to play to, opening it, listing ports, panic
port_info       a port of another program
rtmidi_output   virtual and existing MIDI ports; the only file that imports rtmidi
jack_watch      who is connected to a JACK port, and whether the JACK server still runs
synth           the built-in synth, live or for a file
sounding        which notes sound, and the messages that end them
lateness        percentiles of how late messages left, in fixed memory
sounding_record what may still sound, in memory that outlives the player
scheduler       a timed queue against an injected clock: start gate, hold, silence
player_process  the child: scheduler and output, sleeping to absolute deadlines
player          the parent's side: Player

A message is `(time, wire)`: seconds of song time and the bytes of one MIDI message.
"""
