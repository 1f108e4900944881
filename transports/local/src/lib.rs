//! Bowline's in-process transport: queues between a server and its clients.
