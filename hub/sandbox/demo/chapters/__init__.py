"""The chapters of the demo, in the order they are told; each is a title, a sentence and a function that plays it."""

from hub.sandbox.demo.chapters import (
    agreements,
    cdrs,
    commands,
    everybody,
    fetched,
    fidelity,
    grid,
    locations,
    no_address,
    one_list,
    outage,
    pages,
    parties,
    profiles,
    registration,
    restart,
    sessions,
    tariffs,
    tokens,
    trouble,
    two_hubs,
)

CHAPTERS = tuple(
    (chapter.TITLE, chapter.ABOUT, chapter.play)
    for chapter in (
        registration,
        parties,
        locations,
        tariffs,
        tokens,
        sessions,
        cdrs,
        commands,
        profiles,
        pages,
        fidelity,
        everybody,
        one_list,
        fetched,
        no_address,
        agreements,
        two_hubs,
        trouble,
        outage,
        restart,
        grid,
    )
)
