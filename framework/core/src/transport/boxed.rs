//! A transport whose type is not known when the program is compiled: chosen by a configuration file, say, or kept where
//! a type parameter would be in everybody's way.

use std::any::Any;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use crate::Instant;
use crate::transport::{
    Address, ClientTransport, Datagram, Either, Security, Transport, TransportError, TransportErrorKind,
};

/// Any transport of a server. `server.listen(BoxedTransport::new(socket))`.
///
/// It costs an allocation when it is made, and for each datagram a call that the compiler does not see through and some
/// forty bytes of address. `cargo bench -p bowline-tests --bench bevy` measures it among other things.
///
/// ```
/// use bowline_core::transport::{BoxedTransport, PackAddress};
/// use bowline_core::Transport;
///
/// /// The socket that a configuration asks for.
/// fn chosen<A, B>(local: A, udp: B, in_process: bool) -> BoxedTransport
/// where
///     A: Transport<Address: PackAddress> + Send + 'static,
///     B: Transport<Address: PackAddress> + Send + 'static,
/// {
///     if in_process { BoxedTransport::new(local) } else { BoxedTransport::new(udp) }
/// }
/// ```
pub struct BoxedTransport {
    inner: Shared<dyn ErasedServer + Send>,
}

/// Any transport of a client: [`BoxedTransport`] for the other side.
pub struct BoxedClientTransport {
    inner: Shared<dyn ErasedClient + Send>,
    /// What [`failure`](ClientTransport::failure) lends out. Made when it is asked for.
    failure: OnceLock<BoxedError>,
}

/// An address of any transport, as a few bytes. It shows as the address that it was made of.
#[derive(Clone, Copy)]
pub struct AnyAddress {
    bytes: AddressBytes,
    show: fn(&AddressBytes, &mut fmt::Formatter<'_>) -> fmt::Result,
}

/// The bytes that an address is packed into: at most [`CAPACITY`](Self::CAPACITY).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct AddressBytes {
    bytes: [u8; Self::CAPACITY],
    len: u8,
}

/// An address that fits into an [`AnyAddress`]. A transport of your own says so of its address, unless that is a number, a
/// socket address or an [`Either`] of what fits.
///
/// # For implementors
/// [`unpack`](Self::unpack) MUST give back what was packed, and equal addresses MUST be packed alike. At most
/// [`AddressBytes::CAPACITY`] bytes are kept.
///
/// ```
/// use bowline_core::transport::{AddressBytes, PackAddress};
///
/// #[derive(Clone, Copy, Debug, PartialEq)]
/// struct Seat(u16);
///
/// impl PackAddress for Seat {
///     fn pack(&self, bytes: &mut AddressBytes) {
///         bytes.push(&self.0.to_le_bytes());
///     }
///     fn unpack(bytes: &mut &[u8]) -> Option<Self> {
///         u16::unpack(bytes).map(Self)
///     }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be packed into an `AnyAddress`",
    label = "an address of this type does not fit into a boxed transport",
    note = "implement `PackAddress` for it: two short functions"
)]
pub trait PackAddress: Sized {
    /// Writes it behind what is there.
    fn pack(&self, bytes: &mut AddressBytes);

    /// Takes it from the front. `None` where it is not one.
    fn unpack(bytes: &mut &[u8]) -> Option<Self>;
}

/// An error of a boxed transport: what kind it was, in the words of the transport itself.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text}")]
pub struct BoxedError {
    kind: TransportErrorKind,
    text: Box<str>,
}

impl BoxedTransport {
    /// Puts a transport into a box.
    pub fn new<T>(transport: T) -> Self
    where
        T: Transport<Address: PackAddress> + Send + 'static,
    {
        Self { inner: Shared(Box::new(Mutex::new(transport))) }
    }

    /// The transport in the box, where it is of this type: to change its link conditioner, say.
    pub fn downcast_mut<T: 'static>(&mut self) -> Option<&mut T> {
        self.inner.get_mut().as_any_mut().downcast_mut()
    }
}

impl BoxedClientTransport {
    /// Puts a transport into a box.
    pub fn new<T>(transport: T) -> Self
    where
        T: ClientTransport<Address: PackAddress> + Send + 'static,
    {
        Self { inner: Shared(Box::new(Mutex::new(transport))), failure: OnceLock::new() }
    }

    /// The transport in the box, where it is of this type.
    pub fn downcast_mut<T: 'static>(&mut self) -> Option<&mut T> {
        self.inner.get_mut().as_any_mut().downcast_mut()
    }
}

impl AnyAddress {
    /// Packs an address.
    pub fn new<A: Address + PackAddress>(address: A) -> Self {
        let mut bytes = AddressBytes::EMPTY;
        address.pack(&mut bytes);
        Self { bytes, show: show::<A> }
    }

    /// The address again. `None` where it is of another type.
    #[must_use]
    pub fn unpack<A: PackAddress>(&self) -> Option<A> {
        let mut bytes = self.bytes.as_slice();
        A::unpack(&mut bytes).filter(|_| bytes.is_empty())
    }
}

fn show<A: fmt::Display + PackAddress>(bytes: &AddressBytes, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    match A::unpack(&mut bytes.as_slice()) {
        Some(address) => address.fmt(f),
        None => f.write_str("an unknown address"),
    }
}

impl AddressBytes {
    /// The longest there is: a WebRTC peer beside two other transports takes 38.
    pub const CAPACITY: usize = 47;

    const EMPTY: Self = Self { bytes: [0; Self::CAPACITY], len: 0 };

    /// Adds bytes. Those that find no room are dropped.
    pub fn push(&mut self, bytes: &[u8]) {
        let room = self.bytes.iter_mut().skip(self.len.into());
        for (place, byte) in room.zip(bytes) {
            *place = *byte;
            self.len += 1;
        }
    }

    fn as_slice(&self) -> &[u8] {
        self.bytes.get(..self.len.into()).unwrap_or_default()
    }
}

impl PartialEq for AnyAddress {
    fn eq(&self, other: &Self) -> bool {
        self.bytes == other.bytes
    }
}

impl Eq for AnyAddress {}

impl PartialOrd for AnyAddress {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for AnyAddress {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.bytes.cmp(&other.bytes)
    }
}

impl Hash for AnyAddress {
    fn hash<H: Hasher>(&self, state: &mut H) {
        // The bytes alone, as a plain number would: what is derived from them, a cookie, does not depend on the box.
        state.write(self.bytes.as_slice());
    }
}

impl fmt::Display for AnyAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (self.show)(&self.bytes, f)
    }
}

impl fmt::Debug for AnyAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AnyAddress({self})")
    }
}

/// What is in a box, behind a lock that nobody holds for long: so that a server can be looked at from several threads,
/// whatever its transport can.
struct Shared<T: ?Sized>(Box<Mutex<T>>);

impl<T: ?Sized> Shared<T> {
    fn get(&self) -> MutexGuard<'_, T> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// No lock is taken where nobody else can be looking.
    fn get_mut(&mut self) -> &mut T {
        self.0.get_mut().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a box needs of a transport: [`Transport`] without the types that are its own.
trait ErasedServer {
    fn receive(&mut self, now: Instant) -> Result<Option<Datagram<'_, AnyAddress>>, BoxedError>;
    fn send(&mut self, now: Instant, to: AnyAddress, datagram: &[u8]) -> Result<(), BoxedError>;
    fn flush(&mut self, now: Instant) -> Result<(), BoxedError>;
    fn max_datagram_size(&self) -> usize;
    fn security(&self, address: AnyAddress) -> Security;
    fn name(&self, address: AnyAddress) -> &'static str;
    fn close(&mut self, address: AnyAddress);
    fn next_deadline(&self) -> Option<Instant>;
    fn as_any_mut(&mut self) -> &mut dyn Any;
}

impl<T: Transport<Address: PackAddress> + 'static> ErasedServer for T {
    fn receive(&mut self, now: Instant) -> Result<Option<Datagram<'_, AnyAddress>>, BoxedError> {
        let datagram = Transport::receive(self, now).map_err(|error| BoxedError::of(&error))?;
        Ok(datagram.map(|Datagram { from, bytes }| Datagram { from: AnyAddress::new(from), bytes }))
    }

    fn send(&mut self, now: Instant, to: AnyAddress, datagram: &[u8]) -> Result<(), BoxedError> {
        let to = to.unpack().ok_or_else(BoxedError::foreign)?;
        Transport::send(self, now, to, datagram).map_err(|error| BoxedError::of(&error))
    }

    fn flush(&mut self, now: Instant) -> Result<(), BoxedError> {
        Transport::flush(self, now).map_err(|error| BoxedError::of(&error))
    }

    fn max_datagram_size(&self) -> usize {
        Transport::max_datagram_size(self)
    }

    fn security(&self, address: AnyAddress) -> Security {
        address.unpack().map_or(Security::NONE, |address| Transport::security(self, address))
    }

    fn name(&self, address: AnyAddress) -> &'static str {
        address.unpack().map_or("", |address| Transport::name(self, address))
    }

    fn close(&mut self, address: AnyAddress) {
        if let Some(address) = address.unpack() {
            Transport::close(self, address);
        }
    }

    fn next_deadline(&self) -> Option<Instant> {
        Transport::next_deadline(self)
    }

    fn as_any_mut(&mut self) -> &mut dyn Any {
        self
    }
}

trait ErasedClient: ErasedServer {
    fn server_address(&self) -> AnyAddress;
    fn is_open(&self) -> bool;
    fn reopen(&mut self);
    fn can_reopen(&self) -> bool;
    fn failure(&self) -> Option<BoxedError>;
}

impl<T: ClientTransport<Address: PackAddress> + 'static> ErasedClient for T {
    fn server_address(&self) -> AnyAddress {
        AnyAddress::new(ClientTransport::server_address(self))
    }

    fn is_open(&self) -> bool {
        ClientTransport::is_open(self)
    }

    fn reopen(&mut self) {
        ClientTransport::reopen(self);
    }

    fn can_reopen(&self) -> bool {
        ClientTransport::can_reopen(self)
    }

    fn failure(&self) -> Option<BoxedError> {
        ClientTransport::failure(self).map(BoxedError::of)
    }
}

macro_rules! transport_in_a_box {
    ($boxed:ty) => {
        impl Transport for $boxed {
            type Address = AnyAddress;
            type Error = BoxedError;

            fn receive(&mut self, now: Instant) -> Result<Option<Datagram<'_, AnyAddress>>, BoxedError> {
                self.inner.get_mut().receive(now)
            }

            fn send(&mut self, now: Instant, to: AnyAddress, datagram: &[u8]) -> Result<(), BoxedError> {
                self.inner.get_mut().send(now, to, datagram)
            }

            fn flush(&mut self, now: Instant) -> Result<(), BoxedError> {
                self.inner.get_mut().flush(now)
            }

            fn max_datagram_size(&self) -> usize {
                self.inner.get().max_datagram_size()
            }

            fn security(&self, address: AnyAddress) -> Security {
                self.inner.get().security(address)
            }

            fn name(&self, address: AnyAddress) -> &'static str {
                self.inner.get().name(address)
            }

            fn close(&mut self, address: AnyAddress) {
                self.inner.get_mut().close(address);
            }

            fn next_deadline(&self) -> Option<Instant> {
                self.inner.get().next_deadline()
            }
        }

        impl fmt::Debug for $boxed {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($boxed)).finish_non_exhaustive()
            }
        }
    };
}

transport_in_a_box!(BoxedTransport);
transport_in_a_box!(BoxedClientTransport);

impl ClientTransport for BoxedClientTransport {
    fn server_address(&self) -> AnyAddress {
        self.inner.get().server_address()
    }

    fn is_open(&self) -> bool {
        self.inner.get().is_open()
    }

    fn reopen(&mut self) {
        self.failure.take();
        self.inner.get_mut().reopen();
    }

    fn can_reopen(&self) -> bool {
        self.inner.get().can_reopen()
    }

    fn failure(&self) -> Option<&BoxedError> {
        let failure = self.inner.get().failure()?;
        Some(self.failure.get_or_init(|| failure))
    }
}

impl BoxedError {
    fn of(error: &impl TransportError) -> Self {
        Self { kind: error.kind(), text: error.to_string().into() }
    }

    fn foreign() -> Self {
        Self { kind: TransportErrorKind::Unreachable, text: "the address is of another transport".into() }
    }
}

impl TransportError for BoxedError {
    fn kind(&self) -> TransportErrorKind {
        self.kind
    }
}

mod addresses {
    use core::net::{IpAddr, Ipv6Addr, SocketAddr, SocketAddrV6};

    use super::{AddressBytes, Either, PackAddress};

    macro_rules! numbers {
        ($($number:ty)*) => {$(
            impl PackAddress for $number {
                fn pack(&self, bytes: &mut AddressBytes) {
                    bytes.push(&self.to_le_bytes());
                }

                fn unpack(bytes: &mut &[u8]) -> Option<Self> {
                    take(bytes).map(Self::from_le_bytes)
                }
            }
        )*};
    }

    numbers!(u8 u16 u32 u64);

    impl PackAddress for SocketAddr {
        fn pack(&self, bytes: &mut AddressBytes) {
            match self {
                Self::V4(v4) => {
                    bytes.push(&[4]);
                    bytes.push(&v4.ip().octets());
                    v4.port().pack(bytes);
                }
                Self::V6(v6) => {
                    bytes.push(&[6]);
                    bytes.push(&v6.ip().octets());
                    v6.port().pack(bytes);
                    v6.flowinfo().pack(bytes);
                    v6.scope_id().pack(bytes);
                }
            }
        }

        fn unpack(bytes: &mut &[u8]) -> Option<Self> {
            Some(match u8::unpack(bytes)? {
                4 => Self::new(IpAddr::from(take::<4>(bytes)?), u16::unpack(bytes)?),
                6 => {
                    let (ip, port) = (Ipv6Addr::from(take::<16>(bytes)?), u16::unpack(bytes)?);
                    Self::V6(SocketAddrV6::new(ip, port, u32::unpack(bytes)?, u32::unpack(bytes)?))
                }
                _ => return None,
            })
        }
    }

    impl<A: PackAddress> PackAddress for Option<A> {
        fn pack(&self, bytes: &mut AddressBytes) {
            bytes.push(&[self.is_some().into()]);
            self.iter().for_each(|address| address.pack(bytes));
        }

        fn unpack(bytes: &mut &[u8]) -> Option<Self> {
            match u8::unpack(bytes)? {
                0 => Some(None),
                1 => A::unpack(bytes).map(Some),
                _ => None,
            }
        }
    }

    impl<A: PackAddress, B: PackAddress> PackAddress for Either<A, B> {
        fn pack(&self, bytes: &mut AddressBytes) {
            match self {
                Self::First(address) => {
                    bytes.push(&[0]);
                    address.pack(bytes);
                }
                Self::Second(address) => {
                    bytes.push(&[1]);
                    address.pack(bytes);
                }
            }
        }

        fn unpack(bytes: &mut &[u8]) -> Option<Self> {
            match u8::unpack(bytes)? {
                0 => A::unpack(bytes).map(Self::First),
                1 => B::unpack(bytes).map(Self::Second),
                _ => None,
            }
        }
    }

    fn take<const N: usize>(bytes: &mut &[u8]) -> Option<[u8; N]> {
        let (first, rest) = bytes.split_first_chunk()?;
        *bytes = rest;
        Some(*first)
    }
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use super::*;

    #[test]
    fn an_address_comes_out_as_it_went_in() {
        fn there_and_back<A: Address + PackAddress>(address: A) {
            let any = AnyAddress::new(address);
            assert_eq!(any.unpack::<A>(), Some(address));
            assert_eq!(any.to_string(), address.to_string());
            assert_eq!(any, AnyAddress::new(address));
        }
        for text in ["203.0.113.7:50412", "[2001:db8::1%7]:14192", "0.0.0.0:0"] {
            let address: SocketAddr = text.parse().unwrap();
            there_and_back(address);
            there_and_back(Either::<u64, _>::Second(Either::<_, u8>::First(address)));
        }
        there_and_back(u64::MAX);
    }

    #[test]
    fn addresses_that_differ_stay_different() {
        let [first, second]: [Either<u16, u16>; 2] = [Either::First(7), Either::Second(7)];
        assert_ne!(AnyAddress::new(first), AnyAddress::new(second));
        assert_ne!(AnyAddress::new(7_u16), AnyAddress::new(8_u16));
        assert_eq!(AnyAddress::new(7_u16).unpack::<u32>(), None, "of another transport");
        assert_eq!(AnyAddress::new(7_u32).unpack::<u16>(), None, "of another transport");
    }

    #[test]
    fn the_hash_of_a_number_is_that_of_its_bytes() {
        /// Keeps what is written to it.
        #[derive(Default)]
        struct Written(Vec<u8>);

        impl Hasher for Written {
            fn write(&mut self, bytes: &[u8]) {
                self.0.extend_from_slice(bytes);
            }

            fn finish(&self) -> u64 {
                0
            }
        }

        let mut written = Written::default();
        AnyAddress::new(0x1234_u16).hash(&mut written);
        assert_eq!(written.0, [0x34, 0x12]);
    }

    #[test]
    fn what_is_longer_than_an_address_may_be_is_cut() {
        let mut bytes = AddressBytes::EMPTY;
        bytes.push(&[7; 40]);
        bytes.push(&[8; 40]);
        assert_eq!(bytes.as_slice().len(), AddressBytes::CAPACITY);
    }
}
