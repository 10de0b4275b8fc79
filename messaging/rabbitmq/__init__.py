"""The broker port over RabbitMQ; `transport.py` is the only file of the product that imports pika."""
