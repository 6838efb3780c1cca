"""The control plane of a node: who may ask what, two people where one is not enough, and the socket they use."""
