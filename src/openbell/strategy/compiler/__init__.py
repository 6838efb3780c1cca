"""Strategies as machine code.

    strategy class
      -> unit.py, functions.py, expressions.py, calls.py    plain functions with checked arithmetic; refusals with lines
      -> build.py, machine.py (in a child process)          Numba and LLVM: one object of native code
      -> cache.py                                           kept on disk under the hash of what was compiled
      -> load.py                                            function pointers for the C++ host

What is in the subset, and how each speed fails: docs/strategies.md.
"""
