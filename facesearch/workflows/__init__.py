"""The use cases, one file each, over a gateway to Rekognition and the records of people."""
