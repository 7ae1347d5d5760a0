"""Finding and describing faces: dlib's published networks, run without dlib.

Weights come from the `face_recognition_models` package, onnxruntime runs the networks, and Pillow and NumPy do the
geometry. `recognizer.DlibRecognizer` is the way in.
"""
