"""From records of the stream to the audience's window states."""
