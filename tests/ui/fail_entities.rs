//! Components that never change, and fields that refer to no entity.

use bowline::prelude::*;

#[derive(Replicate)]
#[replicate(immutable)]
struct Class(u8);

#[derive(Replicate)]
struct Crew {
    captain: NetEntity,
    #[replicate(entities)]
    count: u8,
    #[replicate(entities)]
    names: Vec<String>,
}

#[derive(Replicate)]
struct Of<T>(#[replicate(entities)] Option<T>);

#[derive(Protocol)]
#[protocol(tick_rate = 20, components(Class, Crew))]
struct Arena;

fn changes<C: ComponentOf<Arena> + Mutable>() {}
fn replicates<T: Replicate>() {}

fn main() {
    changes::<Crew>();
    changes::<Class>();
    replicates::<Of<NetEntity>>();
    replicates::<Of<u8>>();
}
