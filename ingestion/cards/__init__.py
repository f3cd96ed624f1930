"""Line lists: forms whose records are cases, persons, devices or certificates of their own.

A card that fails a hard check is set aside alone; persons leave the reader as keyed hashes only; files of any size
pass through in batches.
"""
