"""What a venue says besides the session that a node trades on."""
