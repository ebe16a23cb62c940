"""What is known of a content's viewers in a window: pure, mergeable, integers throughout."""
