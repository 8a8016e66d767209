"""The figures of `benches/compare`, one module each, and what they share."""
