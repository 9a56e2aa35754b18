"""An Ansible dynamic inventory of the guests that the service knows (guest-hooks, section 8)."""
