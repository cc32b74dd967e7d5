"""What the notebook and a worker do with PUBs, in the process of the tests."""

import pickle

from pilot_kernel.primitive.pub.pieces import cut
from pilot_kernel.primitive.pub.shipment import pack
from pilot_kernel.primitive.simulator.prepare import for_simulator
from pilot_kernel.primitive.simulator.run import Settings, simulate_all


def simulated(pubs, method="automatic", seed=5):
    """The `PrimitiveResult` of coerced PUBs."""
    shipment = pack(cut(for_simulator(pubs, method), seed=seed))
    return simulate_all(pickle.loads(pickle.dumps(shipment)), Settings(method))
