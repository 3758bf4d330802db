"""Objects of the repository's own, written the way real systems write them: odd numbers, unknown fields, blanks,
escapes.
"""

OWN_OBJECTS: list[tuple[str, str, bytes]] = [
    (
        "own location",
        "Location",
        (
            b'{\r\n\t"id" : "X1", "country_code":"NL", "party_id":"CPA", "publish":true,'
            b' "x_vendor": {"deep":[1, 2.50, null]},'
            b'\n "coordinates": {"latitude":"52.100000","longitude":"5.200000"}, "name":"Caf\xc3\xa9 \\u20ac \\/",'
            b' "evses": [], "time_zone":"Europe/Amsterdam", "last_updated":"2026-01-01T12:00:00Z" }\n'
        ),
    ),
    (
        "own EVSE",
        "EVSE",
        b'{"uid":"E1","status":"A_NEW_STATUS","connectors":[],"last_updated":"2026-01-01T12:00:00.123"}',
    ),
    (
        "own connector",
        "Connector",
        b'{"id":"1","standard":"NEW_PLUG","max_voltage":4E2,"max_amperage":1.60e1,"last_updated":"2026-01-01T12:00:00Z"}',
    ),
    ("own connector patch", "Connector/PATCH", b'{"tariff_ids":["T1"],"last_updated":"2026-01-01T12:00:00Z"}'),
    ("own EVSE patch", "EVSE/PATCH", b'{ "status" : "CHARGING" , "last_updated" : "2026-01-01T12:00:00Z" }'),
    (
        "own session",
        "Session",
        (
            b'{"country_code":"NL","party_id":"CPA","id":"X1","kwh":1.2300,"total_cost":{"excl_vat":0.10,"incl_vat":1E-1},'
            b'"big":12345678901234567890.123456789,"negative":-0.0,"last_updated":"2026-01-01T12:00:00Z"}'
        ),
    ),
    ("own tariff", "Tariff", b'{"country_code":"nl","party_id":"cpa","id":"X1","elements":[],"price":0.2500000}'),
    ("own token", "Token", b'{"country_code":"NL","party_id":"EMA","uid":"X1","type":"RFID","valid":true,"n":null}'),
    (
        "own CDR",
        "CDR",
        b'{"id":"X1","party_id":"CPA","country_code":"NL","total_energy":0.50}',
    ),
    (
        "own envelope",
        "Envelope<list[Token]>",
        (
            b'{"status_message":null,"data":[{"uid":"1"},{"uid":"2","n":1.0}],"status_code":1000,"x":0.10,'
            b'"timestamp":"2026-01-01T12:00:00"}'
        ),
    ),
]
