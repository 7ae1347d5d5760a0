"""A search as a page to show: one HTML file that holds its pictures and asks nothing of any network.

It is written photo by photo and knows nothing of the engine and the records: what it shows is given to it.
"""
