"""Webhooks: a job's end, told to the address that its request names.

dispatcher.py decides when and what (whose turn it is: jobs/lua/webhook_take.lua), signature.py signs it,
sender.py carries it, resolver.py finds the host, public_address.py says where it may go.
"""
