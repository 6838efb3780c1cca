"""What has been shown of durability, recovery and the simulation, of which code, and what is missing."""
