"""What the notebook and a worker do with PUBs, in the process of the tests.

And whether what was drawn can have come from some probabilities.
"""

import pickle

import numpy as np

from pilot_kernel.primitive.pub.pieces import cut
from pilot_kernel.primitive.pub.shipment import pack
from pilot_kernel.primitive.simulator.prepare import for_simulator
from pilot_kernel.primitive.simulator.run import Settings, simulate_all


def simulated(pubs, method="automatic", seed=5):
    """The `PrimitiveResult` of coerced PUBs."""
    shipment = pack(cut(for_simulator(pubs, method), seed=seed))
    return simulate_all(pickle.loads(pickle.dumps(shipment)), Settings(method))


def assert_drawn_from(counts, probabilities):
    """Each count within six standard deviations, and a few shots for what is rare."""
    shots = sum(counts.values())
    for outcome, probability in enumerate(probabilities):
        spread = np.sqrt(shots * probability * (1 - probability))
        assert abs(counts.get(outcome, 0) - shots * probability) < 6 * spread + 4
