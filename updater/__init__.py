"""The GitOps updater: turns a built image into a commit in the config repo, and stops there."""

__version__ = "0.1.0"
