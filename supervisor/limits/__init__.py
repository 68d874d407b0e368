"""What the kernel enforces for a task: cores now; CPU quota and traffic shaping have their place here."""
