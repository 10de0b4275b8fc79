"""Administers RabbitMQ: declares its exchanges and queues, and sets what each service's user may do (security S13)."""
