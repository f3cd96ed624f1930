"""Workbooks written for reporters: the blank template of a form, and a unit's own file with its faults marked."""
