"""What judges samples and knows no model of ours."""
