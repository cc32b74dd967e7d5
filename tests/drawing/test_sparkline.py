"""Small pictures of the last minutes."""

import re

from pilot_kernel.drawing.sparkline import binned, spark_svg, spark_text
from tests.drawing.html_check import Balance


def test_values_are_averaged_over_fixed_spans():
    times, values = (100.0, 104.0, 109.0, 110.0, 131.0), (1.0, 3.0, None, 8.0, 9.0)
    spans = binned(times, values, until=131.5, window_s=40, bins=4)
    assert spans == (2.0, 8.0, None, 9.0)
    later = binned(times, values, until=139.9, window_s=40, bins=4)
    assert later == spans  # the picture moves in whole steps
    assert binned(times, values, until=140.0, window_s=40, bins=4) == (8.0, None, 9.0, None)


def test_sparks():
    assert spark_text((0.0, None, 0.5, 1.0, 7.0)) == "▁ ▅██"
    drawn = spark_svg((0.0, 1.0, None, 0.5), "a 'b' <c>")
    Balance(drawn)
    assert "aria-label='a &#x27;b&#x27; &lt;c&gt;'" in drawn
    assert drawn.count("<polyline") == 2  # one for each side of the gap
    heights = [float(y) for y in re.findall(r",([\d.]+)[ ']", drawn)]
    assert min(heights) == 1
    assert max(heights) == 17
    assert "polyline" not in spark_svg((None, None), "nothing")
    level = spark_svg((0.5,) * 48, "level")
    assert len(level) < 600
