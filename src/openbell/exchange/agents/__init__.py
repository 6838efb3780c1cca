"""Background flow by agents: who they are, when they act, and the calibrated populations that ship with the package.

market.py       what an agent may do with one instrument, and nothing more
scheduler.py    whose turn it is
presets/*.toml  populations; population.py brings one to life, flow.py plays it on a venue
"""
