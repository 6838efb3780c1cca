"""After the trade: the blotter, profit by lots, the ledger, reconciliation with others' books, tail risk.

Everything here reads the journal and what other people say; nothing here can send an order.
"""
