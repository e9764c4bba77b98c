"""What answers photos and keeps doing so: the inference pool, the watches on model and emoji map, shadow runs."""
