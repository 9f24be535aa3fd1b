"""The lab from Python: `adamas.lab.compare`, what it may be handed, and what it gives back."""
