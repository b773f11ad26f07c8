"""Claims jobs, keeps their leases alive, runs them, stores what they make."""
