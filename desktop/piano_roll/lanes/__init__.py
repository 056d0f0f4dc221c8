"""Lanes under the roll, along its time axis: one is shown at a time.

lane      what a lane is, and where the pointer is in it
velocity  how loud notes are: bars with heads
area      LaneArea, the widget that shows one of several lanes
"""
