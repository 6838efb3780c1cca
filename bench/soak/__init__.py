"""A node for hours at a steady rate: does anything grow?"""
