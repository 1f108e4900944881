//! The behaviour tests over real sockets: `lifecycle/`, the life of a connection over each transport; `bench/`, what it costs.
