"""The objects of OCPI 2.2.1 as frozen models, one module of the specification a file, and which of them a body is."""
