"""Files of other libraries: what is in them, and what of them an optimizer goes on with."""
