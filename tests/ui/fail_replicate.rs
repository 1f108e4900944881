use bowline::{NetEntity, Replicate};

#[derive(Replicate)]
enum State {
    Idle,
    Busy(std::collections::HashMap<u8, usize>),
}

#[derive(Replicate)]
union Bits {
    number: f32,
    bits: u32,
}

#[derive(Replicate)]
#[replicate(atomic = true, whole)]
struct Settings {
    #[replicate(skip = true)]
    flag: u8,
    #[replicate(skip)]
    #[wire(bits = 3)]
    skipped_and_coded: u8,
    #[replicate(atomic)]
    of_the_type: u8,
    #[replicate(omit)]
    unknown: u8,
    #[replicate(immutable)]
    also_of_the_type: u8,
}

#[derive(Replicate)]
#[replicate(skip, entities)]
struct OfAField(u8);

#[derive(Replicate)]
#[replicate(immutable = true)]
struct Crew {
    #[replicate(entities = true)]
    captain: NetEntity,
    #[replicate(skip, entities)]
    skipped: Option<NetEntity>,
    #[replicate(entities)]
    #[replicate(skip)]
    skipped_too: Option<NetEntity>,
    #[replicate(entities, omit)]
    unknown: Option<u8>,
}

struct NoDefault;

#[derive(Replicate)]
struct Skipped(#[replicate(skip)] NoDefault);

#[derive(Replicate)]
struct Wide(
    u8, u8, u8, u8, u8, u8, u8, u8, u8, u8, u8, u8, u8, u8, u8, u8,
    u8, u8, u8, u8, u8, u8, u8, u8, u8, u8, u8, u8, u8, u8, u8, u8,
    u8, u8, u8, u8, u8, u8, u8, u8, u8, u8, u8, u8, u8, u8, u8, u8,
    u8, u8, u8, u8, u8, u8, u8, u8, u8, u8, u8, u8, u8, u8, u8, u8,
    u8,
);

fn replicates<T: Replicate>() {}

fn main() {
    replicates::<State>();
    replicates::<Bits>();
    replicates::<Settings>();
    replicates::<OfAField>();
    replicates::<Wide>();
    replicates::<Crew>();
}
