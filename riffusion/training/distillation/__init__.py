"""The parts of a distillation to few steps without guidance: the teacher's trajectories, and the student's loss."""
