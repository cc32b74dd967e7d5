"""Ways to improve a plan whose cuts' costs add up, all with the interface of `strategy`.

They must not choose among themselves or set their own effort: `schedule` does.
"""
