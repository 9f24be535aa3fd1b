"""How often a comparison of equals claims a difference, with tuning and all inside."""
