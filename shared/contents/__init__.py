"""What is known of contents beside their audience: titles, times, marked moments, and which of them are on."""
