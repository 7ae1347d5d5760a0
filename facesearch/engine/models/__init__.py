"""Face models beside dlib's: networks that users add. A collection keeps the model it was made with."""
