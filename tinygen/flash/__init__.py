"""From a linked image onto the board."""
