"""A made-up Earth as pure functions of place, date and sampling resolution."""
