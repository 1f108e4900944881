//! Derived code needs nothing of the prelude of the language, nor of the standard library.

#![no_implicit_prelude]
#![deny(warnings)]

#[derive(::bowline::Message)]
enum Chat {
    Text { letters: [u8; 3] },
    Nothing,
}

#[derive(::bowline::Request)]
#[request(response = ())]
struct Join(#[wire(range = 0..=3)] u8);

#[derive(::bowline::Replicate)]
#[replicate(atomic)]
struct Place<T> {
    x: f32,
    #[replicate(skip)]
    local: T,
}

#[derive(::bowline::Replicate)]
#[replicate(immutable)]
struct Mount {
    on: ::bowline::NetEntity,
    #[replicate(entities)]
    among: [::bowline::NetEntity; 2],
}

#[derive(::bowline::Channel)]
#[channel(sequenced_unreliable, to_client)]
struct News;

#[derive(::bowline::Protocol)]
#[protocol(
    tick_rate = 20,
    channels(News),
    messages(Chat),
    requests(Join),
    components(Place<u8>, Mount),
    resources(Mount),
    entity_weight = 2
)]
struct Arena;

fn main() {
    let _ = (Chat::Text { letters: [0; 3] }, Chat::Nothing, Join(1), News, Arena);
    let _ = ArenaComponent::Place(Place { x: 0.0, local: 0 });
    let _ = |mount: Mount| (mount.on, mount.among, ArenaComponentKind::Mount, ArenaResourceKind::Mount);
    let _ = |requested: ArenaRequested| match requested {
        ArenaRequested::Join(asked) => asked.request.0,
    };
}
