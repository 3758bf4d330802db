"""What is said about a group's capacity, by whom, until when, and which limit follows from it. How a signal comes over
the wire is not known here, nor how a limit is shared among sessions.
"""
