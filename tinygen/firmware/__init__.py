"""Firmware projects: what is generated for a board, and the files that it is made of."""
