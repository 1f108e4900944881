//! The client of Bowline: one connection.
