"""Files: safetensors written whole or not at all, and read with every number in them checked."""
