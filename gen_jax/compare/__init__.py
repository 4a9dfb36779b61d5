"""Runs beside each other: grouped by what differs in their configs, with what their seeds can tell.

A comparison reads workdirs, and writes comparison.txt, .md, .tex, .csv, .json and figures. It loads no state and no
data.
"""
