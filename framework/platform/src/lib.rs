//! The machine under Bowline: clock, randomness, and the async driver.
