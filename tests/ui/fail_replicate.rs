use bowline::Replicate;

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
}

#[derive(Replicate)]
#[replicate(skip)]
struct OfAField(u8);

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
}
