"""Power and current, in whole numbers: an OCPI profile says amperes per phase with one decimal, the allocation says
milliwatts over all phases.
"""

VOLTAGE_V = 230  # line to neutral


def quantum_mw(phases: int, voltage_v: int = VOLTAGE_V) -> int:
    """What a tenth of an ampere on each phase makes, in mW."""
    return 100 * phases * voltage_v


def tenths_of_ampere(power_mw: int, phases: int, voltage_v: int = VOLTAGE_V) -> int:
    """The current per phase in tenths of an ampere, rounded down: 144 stands for the limit 14.4."""
    return power_mw // quantum_mw(phases, voltage_v)


def power_mw(tenths: int, phases: int, voltage_v: int = VOLTAGE_V) -> int:
    """The power over all phases in mW at so many tenths of an ampere on each."""
    return tenths * quantum_mw(phases, voltage_v)
