"""Jobs: the durable record in Redis, the queue, and the files that jobs take in and make.

record.py is what a job is, store.py everything that can happen to it, lua/ how Redis does that in one step each.
"""
