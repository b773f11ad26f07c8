"""How each mode is made."""
