"""Find faces in photos: propose places, look, verify, register for the classifier, and find landmarks."""
