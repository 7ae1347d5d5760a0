"""Draws portraits of people who do not exist: a small sculptor, painter and hairdresser in NumPy and Pillow."""
