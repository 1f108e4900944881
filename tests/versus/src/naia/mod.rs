//! naia 0.25's half.

mod protocol;
mod socket;
mod stage;
mod world;

pub(crate) use self::stage::{Cap, NaiaStage};
