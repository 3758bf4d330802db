"""Doors: OCPI, health and metrics, the admin API. HTTP is read and written here; what a request means is the broker's
matter.
"""
