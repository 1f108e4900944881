//! Bowline's UDP transport: batched datagrams over one socket.
