"""Fills a gap in music: candidates are sampled together, and judged by how well what follows goes on from them.

filler         what every filler does; LeftToRightFiller, for models that read what comes before the gap alone
middle_filler  MiddleFiller, for models that are told before they fill what follows the gap
fill_row       one candidate of a LeftToRightFiller as it is sampled; `middle_row` is one of a MiddleFiller
fill_rounds    all candidates as they are sampled: a round is one event of each
"""
