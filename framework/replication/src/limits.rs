//! How much there may be of anything.

/// The most entities on one side, resources and ids that clients may spawn with included: 1,048,576. What a peer can make the
/// other remember is then some tens of megabytes.
pub const MAX_ENTITIES: usize = 1 << 20;

/// How many states larger than a packet may be on their way to a peer at once.
pub(crate) const MAX_BULKY: usize = 8;

/// How many things to be told reliably may wait for a user, beyond the queue of its connection and one
/// for each entity.
pub(crate) const MAX_CONTROL: usize = 1 << 16;

/// How many bytes may wait for a client's own world, each packet counting for some more than it has. Beyond that no more is
/// taken from the connection, which then takes no more from the network.
pub(crate) const MAX_DEFERRED: usize = 1 << 20;
pub(crate) const DEFERRED_OVERHEAD: usize = 64;

/// Epochs are counted back long before they would wrap.
pub(crate) const REBASE_AT: u32 = 1 << 31;
