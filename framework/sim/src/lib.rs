//! A seeded whole-network simulator for Bowline: virtual time, faults as values, a trace hash.
