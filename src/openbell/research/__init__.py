"""Research on what markets did: observations from recorded messages, and statistics of them."""
