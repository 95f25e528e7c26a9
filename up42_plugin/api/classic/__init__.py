"""The classic API: projects, workflows and jobs. One module per area, each with its models."""
