"""Which kernel computes each layer: what a row costs, and which rows a board has room for.

``cost.py`` estimates cycles from a table, ``choose.py`` weighs them against bytes, ``report.py``
tells what came of it. ``measure.py`` measures cycles instead, ``cache.py`` keeps them, ``file.py``
is the choice as a file. docs/choosing-kernels.md is the same for users.
"""
