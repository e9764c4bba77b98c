"""Turn the untrusted bytes of pictures and clips into upright pixels, within bounds."""
