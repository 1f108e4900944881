use bevy_ecs::message::{Message, Messages};
use bevy_ecs::world::World;

/// News of the game, as a Bevy message.
#[derive(Message, Clone, Debug, PartialEq)]
pub struct Told<N: Send + Sync + 'static>(pub N);

/// All news since this was asked last, and not more than two updates ago.
pub(crate) fn drain<N: Send + Sync + 'static>(world: &mut World) -> Vec<N> {
    let mut told = world.resource_mut::<Messages<Told<N>>>();
    told.drain().map(|told| told.0).collect()
}
