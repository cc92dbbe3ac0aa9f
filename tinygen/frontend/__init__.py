"""From model files to graphs."""
