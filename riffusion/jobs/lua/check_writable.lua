#!lua
-- Does nothing. Without flags it is refused, like accept, when Redis is out of memory, read-only or can't write its
-- log.
return 1
