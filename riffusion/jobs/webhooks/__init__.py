"""Webhooks: a job's end, told to the address that its request names.

courier.py decides when and what (whose turn it is: jobs/lua/webhook_take.lua), signature.py says that it comes from us,
sender.py carries it, resolver.py finds the host, addresses.py says where it may go.
"""
