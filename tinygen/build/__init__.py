"""From a project on disk to a linked image, and what it takes of the board."""
