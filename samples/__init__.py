"""Constructed sample reports shipped with the project. Nothing in them was reported by anyone."""
