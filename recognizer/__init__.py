from recognizer.emotions import EMOTIONS, FACE_SIZE
