"""People, photos, faces and the enrolment journal, in SQLite or Postgres. Knows nothing of Rekognition's calls."""
