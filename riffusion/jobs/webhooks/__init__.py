"""Webhooks: a job's end, told to the address that its request names.

courier.py decides when and what, signature.py says that it comes from us, sender.py carries it, addresses.py says where
it may go.
"""
