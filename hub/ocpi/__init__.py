"""The protocol's words: names, headers, tokens, envelopes, paging, version tables. No I/O, no asyncio, no decisions
about routing.
"""
