"""Times as people read them."""

import pytest

from qdreamer_lab.dreamer.report_text import seconds_text

DAY = 86_400


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.0, "0 s"),
        (2.5e-6, "2.5 µs"),
        (0.0345, "34.5 ms"),
        (90, "90 s"),
        (3600, "60 min"),
        (DAY, "24 h"),
        (1040 * 3600, "43.3 days"),
        (700 * DAY, "700 days"),
        (999 * 365.25 * DAY, "999 years"),
        (5e6 * 365.25 * DAY, "5.0e+06 years"),
    ],
)
def test_a_time_has_the_unit_that_suits_it(seconds, text):
    assert seconds_text(seconds) == text
