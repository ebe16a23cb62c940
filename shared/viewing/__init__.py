"""What is known of single viewers: the time they watched, and the attributes that they agreed to share."""
