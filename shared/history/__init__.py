"""Every accepted event, once: the Delta Lake table `fact_stream_events`, with `dim_content` and `dim_users`."""
