//! Bowline's half.

mod protocol;
mod stage;
mod transport;

pub(crate) use self::stage::BowlineStage;
