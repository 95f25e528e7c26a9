"""The dock, its pages and dialogs. Shows models and sends commands; holds no logic of the service."""
