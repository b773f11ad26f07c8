"""The parts of bench/outsiders.py: the clips, the outside judges that listen to them, and what is measured."""
