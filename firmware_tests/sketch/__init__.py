"""Small stand-ins for the Arduino API and ESP-IDF's, so that generated sketches run here."""
