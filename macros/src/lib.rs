//! The derive macros of Bowline.
