"""Amazon Rekognition's face API on your own machine: collections, real recognition, exact search.

It speaks AWS JSON 1.1, keeps its collections in one SQLite file and knows nothing of the app around it.

    from facesearch.engine.service import Engine
    from facesearch.engine.transports import attach

    engine = Engine(Path("engine.db"), DlibRecognizer.load)
    client = attach(boto3.client("rekognition", ...), engine)
"""
