"""What the load manager knows of sessions, drivers' wishes, EVSEs and CPOs: plain values, no input or output.

Everything stands on the shelf as one document per thing: `session/`, `preference/` and `learnt/` by session,
`location/` by location, `cpo/` by party, `register/` by group. `Known.changes` has those to save.
"""
