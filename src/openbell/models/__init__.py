"""Published models as pure functions: numbers in, numbers out, each with its paper, equation and units.

Functions marked *callback* are in the subset that compiles, so both speeds of a strategy may call them; their
sequences are the `Array` of declared state, or any other row of floats. The others run once, at start or in research.
"""
