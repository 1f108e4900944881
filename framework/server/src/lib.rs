//! The server of Bowline: many connections.
