use bowline_wire::BitWriter;

/// What fills packets besides messages: the state of entities, which is not queued but made while a packet is, so that it
/// is the newest. `()` has none.
///
/// It stands in the queue with the channels, by the weight of its own.
pub trait Freight {
    /// Whether there is anything to send.
    fn is_waiting(&self) -> bool;

    /// Writes what goes into the packet `packet`, at most `room_bits` bits; `false` if nothing fits or nothing is left.
    /// [`next_freight_fate`](crate::Connection::next_freight_fate) tells what becomes of it.
    fn load(&mut self, packet: u64, room_bits: usize, writer: &mut BitWriter) -> bool;
}

impl Freight for () {
    fn is_waiting(&self) -> bool {
        false
    }

    fn load(&mut self, _: u64, _: usize, _: &mut BitWriter) -> bool {
        false
    }
}
