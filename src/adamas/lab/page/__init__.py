"""What every page of the lab is made of: elements, pictures, words about numbers."""
