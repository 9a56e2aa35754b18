"""What a node really has, compared with what the service knows of it, and made the same."""
