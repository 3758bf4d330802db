"""How the property tests search: no deadline, because workers share their processors, and few enough examples that the
whole folder takes seconds. In CI, Hypothesis itself repeats the same examples each time."""

from hypothesis import HealthCheck, settings

settings.register_profile(
    "hub", settings(), deadline=None, max_examples=100, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("hub")
