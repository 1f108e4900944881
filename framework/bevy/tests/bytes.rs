//! The same game on the core API and through Bevy: the same bytes at the same moments.
