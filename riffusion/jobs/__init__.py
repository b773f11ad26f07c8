"""Jobs: the durable record in Redis, the queue, uploads, webhooks, and recovery from failures.

record.py is what a job is, store.py everything that can happen to it, and lua/ has the script of each of those steps.
"""
