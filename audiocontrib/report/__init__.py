"""What people look at: plots, reports, data cards."""
