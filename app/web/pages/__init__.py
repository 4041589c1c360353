"""The pages: the shell of the UI, its files, and `/docs`. Data is the API's business."""

from app.web.pages.application import create_pages

__all__ = ["create_pages"]
