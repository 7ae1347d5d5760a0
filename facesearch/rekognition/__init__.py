"""The gateway: the only caller of the boto3 client. AWS's dicts become the domain's values, its errors ours.

It cannot tell AWS from the embedded engine or any other endpoint, and believes none of them: an answer that is not
what the API says is a ServiceError too. Which errors become which is in `facesearch.service_errors`.
"""

from facesearch.rekognition.calling import MAX_PAGE
from facesearch.rekognition.gateway import Rekognition, client_config
from facesearch.service_errors import translated

__all__ = ["MAX_PAGE", "Rekognition", "client_config", "translated"]
