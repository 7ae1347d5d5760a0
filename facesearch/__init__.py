"""facesearch: enrol people from photos into a face collection, and find them again by photo.

Importing this package loads nothing heavy; `FaceSearch` and the others arrive at first use.
"""

from typing import TYPE_CHECKING

__version__ = "0.1.0"

if TYPE_CHECKING:
    from facesearch.app import FaceSearch
    from facesearch.errors import FaceSearchError
    from facesearch.settings import Settings

__all__ = ["FaceSearch", "FaceSearchError", "Settings", "__version__"]


def __getattr__(name: str) -> object:
    from importlib import import_module

    homes = {"FaceSearch": "app", "FaceSearchError": "errors", "Settings": "settings"}
    if name not in homes:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{homes[name]}"), name)
