"""Webhooks: a job's end, sent to the address that its request names.

dispatcher.py sends what is due (jobs/lua/webhook_take.lua decides in which order), signature.py signs a message,
sender.py makes the HTTP request, resolver.py resolves the host, public_address.py checks its addresses.
"""
