use bowline::prelude::*;

#[derive(Message)]
struct Chat;

mod other {
    #[derive(bowline::Message)]
    pub struct Chat;
}

#[derive(Message)]
struct Boxed<T>(T);

#[derive(Protocol)]
#[protocol(messages(Chat))]
struct NoTickRate;

#[derive(Protocol)]
struct Bare;

#[derive(Protocol)]
#[protocol(tick_rate = 0)]
struct Frozen;

#[derive(Protocol)]
#[protocol(tick_rate = 1001)]
struct Frantic;

#[derive(Protocol)]
#[protocol(tick_rate, auth, messages, derive = Debug)]
struct NoValues;

#[derive(Protocol)]
#[protocol(tick_rate = 20, mesages(Chat))]
struct Unknown;

#[derive(Protocol)]
#[protocol(tick_rate = 20, messages(Chat), messages(Boxed<u8>))]
struct TwoLists;

#[derive(Protocol)]
#[protocol(tick_rate = 20, messages(Chat, other::Chat, Boxed<u8>, Boxed<u16>, Chat))]
struct SameNames;

#[derive(Replicate)]
struct Hull;

mod small {
    #[derive(bowline::Replicate)]
    pub struct Hull;
}

#[derive(Protocol)]
#[protocol(tick_rate = 20, components(Hull, Hull), resources(Hull, small::Hull))]
struct SameEntities;

#[derive(Protocol)]
#[protocol(tick_rate = 20, messages(Chat), components(), entity_weight = 2)]
struct NoEntities;

#[derive(Protocol)]
#[protocol(tick_rate = 20, resources(Hull), entity_weight)]
struct NoWeight;

#[derive(Protocol)]
#[protocol(tick_rate = 20, components(u8 + u16), entity_weight = 2)]
struct NoComponent;

#[derive(Protocol)]
#[protocol(tick_rate = 20, messages((u8, u8), &'static str, Chat), derive(Debug + Clone))]
struct NoPaths;

#[derive(Protocol)]
#[protocol(tick_rate = 20)]
struct Filled(u8);

#[derive(Protocol)]
#[protocol(tick_rate = 20, messages(Chat))]
struct Generic<const N: usize>;

#[derive(Protocol)]
#[protocol(tick_rate = 20)]
enum Choice {}

macro_rules! channels {
    ($($channel:ident)*) => {
        $(
            #[derive(Channel)]
            #[channel(ordered_reliable, bidirectional)]
            struct $channel;
        )*
    };
}

channels! {
    C00 C01 C02 C03 C04 C05 C06 C07 C08 C09 C10 C11 C12
    C13 C14 C15 C16 C17 C18 C19 C20 C21 C22 C23 C24 C25
    C26 C27 C28 C29 C30 C31 C32 C33 C34 C35 C36 C37 C38
    C39 C40 C41 C42 C43 C44 C45 C46 C47 C48 C49 C50 C51
    C52 C53 C54 C55 C56 C57 C58 C59 C60 C61 C62 C63 C64
}

#[derive(Protocol)]
#[protocol(
    tick_rate = 20,
    channels(
        C00, C01, C02, C03, C04, C05, C06, C07, C08, C09, C10, C11, C12,
        C13, C14, C15, C16, C17, C18, C19, C20, C21, C22, C23, C24, C25,
        C26, C27, C28, C29, C30, C31, C32, C33, C34, C35, C36, C37, C38,
        C39, C40, C41, C42, C43, C44, C45, C46, C47, C48, C49, C50, C51,
        C52, C53, C54, C55, C56, C57, C58, C59, C60, C61, C62, C63, C64
    )
)]
struct Crowded;

#[derive(Protocol)]
#[protocol(
    tick_rate = 20,
    channels(
        C00, C01, C02, C03, C04, C05, C06, C07, C08, C09, C10, C11, C12,
        C13, C14, C15, C16, C17, C18, C19, C20, C21, C22, C23, C24, C25,
        C26, C27, C28, C29, C30, C31, C32, C33, C34, C35, C36, C37, C38,
        C39, C40, C41, C42, C43, C44, C45, C46, C47, C48, C49, C50, C51,
        C52, C53, C54, C55, C56, C57, C58, C59, C60, C61, C62
    ),
    resources(Hull)
)]
struct CrowdedWithEntities;

fn speaks<P: Protocol>() {}
fn is_message<P: Protocol, M: MessageOf<P>>() {}

fn main() {
    speaks::<NoTickRate>();
    speaks::<Bare>();
    speaks::<NoValues>();
    speaks::<Filled>();
    speaks::<Generic<1>>();
    speaks::<Choice>();
    speaks::<Crowded>();
    speaks::<CrowdedWithEntities>();
    speaks::<NoEntities>();
    speaks::<NoWeight>();
    is_message::<SameNames, Chat>();
    is_message::<SameNames, Boxed<u8>>();
    is_message::<NoPaths, Chat>();
}
