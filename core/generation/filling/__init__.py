"""What fills a gap in music, sampled together and judged by what follows.

filler         what fills a gap: candidates by a model that reads from left to right, judged by how they lead on
middle_filler  the same by a model that is told what follows before it fills
fill_row       one candidate on its way, by the first; `middle_row` is one by the other
fill_rounds    the candidates together, an event of each a round
"""
